//! What agents ask: joining, bytes and values, never commands.

use pointsman_shared::api::agent::{JoinAnswer, JoinRequest, RepositoryAccess, Stored, Variables};

use super::super::operation::{Operation, get, post, put};
use super::super::problems::SIGNED;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = values();
    all.extend(objects());
    all
}

fn values() -> Vec<Operation> {
    vec![
        post(
            "/api/v1/agent/join",
            "Join with a one-time token; proven by it and by the new key",
        )
        .takes::<JoinRequest>()
        .gives::<JoinAnswer>(200)
        .refuses(&[
            (403, "unknown_join_token"),
            (403, "forged_request"),
            (403, "stale_request"),
            (403, "token_of_other_host"),
            (403, "key_revoked"),
            (403, "join_token_used"),
            (403, "join_token_expired"),
            (409, "host_has_joined"),
            (409, "key_in_use"),
            (409, "root_used_twice"),
            (409, "other_coordinator"),
            (503, "broker_unavailable"),
        ]),
        get("/api/v1/agent/variables", "The variables of the signed job")
            .gives::<Variables>(200)
            .refuses(&[(409, "secret_unreadable")])
            .refuses(SIGNED),
        get(
            "/api/v1/agent/deploy-key",
            "The ssh key of the repository that the signed build fetches",
        )
        .gives::<RepositoryAccess>(200)
        .refuses(&[(403, "not_a_build"), (409, "secret_unreadable")])
        .refuses(SIGNED),
    ]
}

fn objects() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/agent/objects/{kind}/{digest}",
            "Bytes of an object that the signed job names",
        )
        .gives_other(200, "application/octet-stream")
        .gives_other(206, "application/octet-stream")
        .refuses(&[
            (403, "object_not_named"),
            (404, "unknown_kind"),
            (404, "object_missing"),
            (422, "range_beyond_end"),
        ])
        .refuses(SIGNED),
        put(
            "/api/v1/agent/objects/{kind}/{digest}",
            "Store an object that the signed build made",
        )
        .takes_bytes()
        .gives::<Stored>(200)
        .gives::<Stored>(201)
        .refuses(&[
            (403, "not_a_build"),
            (404, "unknown_kind"),
            (422, "object_too_large"),
            (422, "other_content"),
            (422, "upload_broken_off"),
            (503, "store_full"),
        ])
        .refuses(SIGNED),
    ]
}
