//! Hosts, and the garbage on them.

use pointsman_shared::api::fleet::{Host, JoinToken, NewHostPause, NewJoinToken};
use pointsman_shared::api::garbage::{Garbage, GarbageRequest, GarbageSchedule, UndoRequest, Undone};

use super::super::operation::{Operation, delete, get, post, put};
use super::super::problems::{DEAD_RELEASE, HOST, LOCKED, PROJECT, REASON, RELEASE, TARGET};
use crate::http::paging::PageQuery;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = hosts();
    all.extend(garbage());
    all
}

fn hosts() -> Vec<Operation> {
    vec![
        get("/api/v1/hosts", "Hosts with what is wrong with them")
            .query::<PageQuery>()
            .gives_page::<Host>(),
        get("/api/v1/hosts/{host}", "A host")
            .gives::<Host>(200)
            .refuses(&[(404, "host_not_joined")])
            .refuses(HOST),
        put(
            "/api/v1/hosts/{host}/pause",
            "Pause a host: it gets nothing new and finishes what it does",
        )
        .takes::<NewHostPause>()
        .gives::<Host>(200)
        .refuses(&[(404, "host_not_joined"), (422, "invalid_reason")])
        .refuses(HOST),
        delete("/api/v1/hosts/{host}/pause", "Let a paused host go on")
            .gives::<Host>(200)
            .refuses(&[(404, "host_not_joined"), (409, "host_not_paused")])
            .refuses(HOST),
        post(
            "/api/v1/hosts/{host}/revoke",
            "Shut a host out: its key and its broker user are void",
        )
        .gives_nothing()
        .refuses(&[(503, "broker_unavailable")])
        .refuses(HOST),
        post(
            "/api/v1/join-tokens",
            "Let a host join once; the one answer that shows the token",
        )
        .takes::<NewJoinToken>()
        .gives::<JoinToken>(201)
        .refuses(&[
            (409, "host_has_joined"),
            (409, "root_used_twice"),
            (422, "invalid_labels"),
            (422, "invalid_ttl"),
            (422, "pools_and_kinds"),
        ]),
    ]
}

fn garbage() -> Vec<Operation> {
    vec![
        post(
            "/api/v1/garbage",
            "Collect what nobody needs, or say what would go (`dry_run`)",
        )
        .takes::<GarbageRequest>()
        .gives::<Garbage>(200)
        .gives::<Garbage>(202)
        .refuses(REASON)
        .refuses(PROJECT)
        .refuses(TARGET),
        post(
            "/api/v1/garbage/undo",
            "Bring a collected release back to the hosts of a target",
        )
        .takes::<UndoRequest>()
        .gives::<Undone>(202)
        .refuses(PROJECT)
        .refuses(TARGET)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE)
        .refuses(LOCKED),
        get("/api/v1/garbage/schedules", "When garbage is collected").gives_all::<GarbageSchedule>(200),
        put(
            "/api/v1/garbage/schedules",
            "Say when a project's garbage is collected",
        )
        .takes::<GarbageSchedule>()
        .gives::<GarbageSchedule>(200)
        .refuses(&[(422, "invalid_schedule")])
        .refuses(PROJECT),
    ]
}
