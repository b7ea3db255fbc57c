//! The service itself, who uses it, and what happened.

use pointsman_shared::api::accounts::{Account, AccountChange, Invitation, NewInvitation};
use pointsman_shared::api::events::Event;
use pointsman_shared::api::fleet::Finding;
use pointsman_shared::api::tokens::{AuditChain, AuditEntry, IssuedToken, NewToken, TokenInfo, WhoAmI};

use super::super::operation::{Operation, delete, get, post, put};
use super::super::problems;
use crate::http::audit::AuditQuery;
use crate::http::events::EventsQuery;
use crate::http::health::{Readiness, Version};
use crate::http::paging::PageQuery;
use crate::metrics;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = service();
    all.extend(accounts());
    all
}

fn accounts() -> Vec<Operation> {
    vec![
        get("/api/v1/accounts", "Accounts of people who sign in to the dashboard, by name")
            .gives_all::<Account>(200),
        post("/api/v1/accounts/invitations", "Invite a person; the one answer that shows the link, which counts once within three days")
            .takes::<NewInvitation>()
            .gives::<Invitation>(201)
            .refuses(&[
                (404, "unknown_project"),
                (409, "account_exists"),
                (422, "invalid_name"),
                (422, "invalid_role"),
            ]),
        post("/api/v1/accounts/{name}/password", "Let a person choose another password; the one answer that shows the link, which counts once within a day")
            .gives::<Invitation>(201)
            .refuses(&[
                (404, "unknown_account"),
                (409, "account_disabled"),
                (409, "no_password"),
            ]),
        put("/api/v1/accounts/{name}", "Change what a person may do, or keep them from signing in")
            .takes::<AccountChange>()
            .gives::<Account>(200)
            .refuses(&[
                (404, "unknown_account"),
                (404, "unknown_project"),
                (409, "last_admin"),
                (422, "invalid_role"),
            ]),
    ]
}

fn service() -> Vec<Operation> {
    vec![
        get("/healthz", "Whether this process answers").gives_other(200, "text/plain"),
        get("/readyz", "Whether requests should be sent here, and what is missing")
            .gives::<Readiness>(200)
            .gives::<Readiness>(503),
        get("/version", "Who answers").gives::<Version>(200),
        get("/metrics", "Metrics for Prometheus").gives_other(200, metrics::MEDIA_TYPE),
        get("/api/v1/openapi.json", "This document").gives_other(200, "application/json"),
        get("/api/v1/whoami", "Whose token this is").gives::<WhoAmI>(200),
        get("/api/v1/doctor", "What is wrong, and what to do about it").gives_all::<Finding>(200),
        get("/api/v1/audit", "What was done and what was refused, newest first")
            .query::<AuditQuery>()
            .gives_page::<AuditEntry>(),
        get("/api/v1/audit/chain", "Whether the trail is as it was written, all of it recomputed").gives::<AuditChain>(200),
        get(
            "/api/v1/events",
            "What happens: replayed from a cursor, then live. The data of each server-sent event is an `Event`",
        )
        .query::<EventsQuery>()
        .streams::<Event>()
        .refuses(problems::CURSOR),
        get("/api/v1/tokens", "Tokens, without their secrets")
            .query::<PageQuery>()
            .gives_page::<TokenInfo>(),
        post("/api/v1/tokens", "Issue a token; the one answer that shows it")
            .takes::<NewToken>()
            .gives::<IssuedToken>(201)
            .refuses(&[
                (404, "unknown_project"),
                (409, "token_exists"),
                (422, "invalid_name"),
                (422, "invalid_days"),
                (422, "invalid_role"),
            ]),
        delete("/api/v1/tokens/{token}", "Revoke a token")
            .gives_nothing()
            .refuses(&[(404, "unknown_token"), (409, "last_admin")]),
    ]
}
