//! Who is told what, and what became of it.

use pointsman_shared::api::notifications::{
    Channel, Delivery, DeliveryLog, EnableChannel, IssuedChannel, NewChannel, NewRule, NewSecret, Rule,
};

use super::super::operation::{Code, Operation, delete, get, post, put};
use super::super::problems::PROJECT;
use crate::http::deliveries::DeliveryQuery;
use crate::http::paging::PageQuery;

const CHANNEL: &[Code] = &[(404, "unknown_channel")];
const DISABLED: &[Code] = &[(409, "channel_disabled")];
const DELIVERY: &[Code] = &[(404, "unknown_delivery")];
/// What a channel's address or secret may be like.
const PLACE: &[Code] = &[
    (409, "no_secrets_key"),
    (422, "address_not_allowed"),
    (422, "invalid_address"),
    (422, "invalid_place"),
    (422, "invalid_secret"),
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = channels();
    all.extend(rules());
    all.extend(deliveries());
    all
}

fn channels() -> Vec<Operation> {
    vec![
        get("/api/v1/channels", "Channels of notifications, by name")
            .query::<PageQuery>()
            .gives_page::<Channel>(),
        post(
            "/api/v1/channels",
            "Make a channel; the one answer that shows its secret",
        )
        .takes::<NewChannel>()
        .gives::<IssuedChannel>(201)
        .refuses(PROJECT)
        .refuses(PLACE)
        .refuses(&[(409, "channel_exists"), (409, "no_mail_server")]),
        get("/api/v1/channels/{channel}", "A channel")
            .gives::<Channel>(200)
            .refuses(CHANNEL),
        delete(
            "/api/v1/channels/{channel}",
            "Remove a channel with its rules and the log of its deliveries",
        )
        .gives_nothing()
        .refuses(CHANNEL),
        put(
            "/api/v1/channels/{channel}/enabled",
            "Send nothing to a channel any more, or send there again",
        )
        .takes::<EnableChannel>()
        .gives::<Channel>(200)
        .refuses(CHANNEL),
        post(
            "/api/v1/channels/{channel}/secret",
            "Give a channel another secret, token or address; the one answer that shows a secret",
        )
        .takes::<NewSecret>()
        .gives::<IssuedChannel>(201)
        .refuses(CHANNEL)
        .refuses(PLACE)
        .refuses(&[(409, "no_secret"), (422, "invalid_time"), (422, "secret_missing")]),
        post(
            "/api/v1/channels/{channel}/test",
            "Send a test through a channel; its delivery tells what became of it",
        )
        .gives::<Delivery>(202)
        .refuses(CHANNEL)
        .refuses(DISABLED),
    ]
}

fn rules() -> Vec<Operation> {
    vec![
        get("/api/v1/rules", "Rules that choose what goes where, by number")
            .query::<PageQuery>()
            .gives_page::<Rule>(),
        post("/api/v1/rules", "Tell a channel of something")
            .takes::<NewRule>()
            .gives::<Rule>(201)
            .refuses(CHANNEL)
            .refuses(PROJECT)
            .refuses(&[
                (404, "unknown_environment"),
                (409, "channel_of_another_project"),
                (422, "invalid_rule"),
                (422, "unknown_event"),
            ]),
        delete("/api/v1/rules/{number}", "Remove a rule; answers what it was")
            .gives::<Rule>(200)
            .refuses(&[(404, "unknown_rule")]),
    ]
}

fn deliveries() -> Vec<Operation> {
    vec![
        get("/api/v1/deliveries", "Deliveries of notifications, newest first")
            .query::<DeliveryQuery>()
            .gives_page::<Delivery>(),
        get(
            "/api/v1/deliveries/{number}",
            "A delivery with every try: what was sent and what was answered",
        )
        .gives::<DeliveryLog>(200)
        .refuses(DELIVERY),
        post(
            "/api/v1/deliveries/{number}/redeliver",
            "Send a delivery that is over once more, under the same id",
        )
        .gives::<Delivery>(202)
        .refuses(DELIVERY)
        .refuses(DISABLED)
        .refuses(&[(409, "delivery_open")]),
    ]
}
