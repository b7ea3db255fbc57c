//! Deploy on push.

use pointsman_shared::api::projects::Target;
use pointsman_shared::api::pushes::{IssuedWebhook, NewPushPause, NewWebhook, Push, Taken, Webhook};

use super::super::operation::{Operation, delete, get, post, put};
use super::super::problems::{PROJECT, TARGET, WEBHOOK};
use crate::http::webhooks::PushesQuery;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = webhooks();
    all.extend(pushes());
    all
}

fn webhooks() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/webhooks",
            "Webhooks that forges call, by project and name",
        )
        .gives_all::<Webhook>(200),
        post(
            "/api/v1/webhooks",
            "Make a webhook; the one answer that shows its secret",
        )
        .takes::<NewWebhook>()
        .gives::<IssuedWebhook>(201)
        .refuses(PROJECT)
        .refuses(&[(409, "webhook_exists"), (409, "no_secrets_key")]),
        post(
            "/api/v1/webhooks/{project}/{webhook}",
            "Tell a push; called by the forge, which signs it",
        )
        .takes_json_bytes()
        .gives::<Taken>(202)
        .refuses(&[
            (403, "bad_signature"),
            (409, "no_secrets_key"),
            (413, "body_too_large"),
            (422, "unreadable_push"),
        ]),
        post(
            "/api/v1/webhooks/{project}/{webhook}/secret",
            "Give a webhook another secret; the one answer that shows it",
        )
        .gives::<IssuedWebhook>(201)
        .refuses(WEBHOOK)
        .refuses(&[(409, "no_secrets_key")]),
        delete("/api/v1/webhooks/{project}/{webhook}", "Remove a webhook")
            .gives_nothing()
            .refuses(WEBHOOK),
    ]
}

fn pushes() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/pushes",
            "Pushes that were told and what came of them, newest first",
        )
        .query::<PushesQuery>()
        .gives_page::<Push>()
        .refuses(PROJECT),
        post("/api/v1/pushes/{number}/repeat", "Answer a push once more")
            .gives::<Push>(202)
            .refuses(&[(404, "unknown_push"), (409, "push_unanswered")]),
        put(
            "/api/v1/targets/{target}/push-pause",
            "Hold all pushes to a target back",
        )
        .takes::<NewPushPause>()
        .gives::<Target>(200)
        .refuses(TARGET)
        .refuses(&[(409, "pushes_paused"), (422, "invalid_reason")]),
        delete(
            "/api/v1/targets/{target}/push-pause",
            "Let pushes to a target go on, whatever held them back",
        )
        .gives::<Target>(200)
        .refuses(TARGET)
        .refuses(&[(409, "pushes_not_paused")]),
    ]
}
