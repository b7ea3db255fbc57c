//! Whoever can publish to the agent's queues without the coordinator's key changes nothing.

use pointsman_shared::ids::SpoolId;
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::SigningKey;
use pointsman_shared::wire::from_agent::ReportContent;
use pointsman_shared::wire::to_agent::{Acknowledge, Offer, ToAgent};
use pointsman_shared::wire::topology::{CONTROL, DEAD, JOBS};
use uuid::Uuid;

use crate::agent::Host;
use crate::jobs::build_of;
use crate::neighbour::{Memory, Neighbour, make_offer};

/// What is published to the job queue and to the control queue; none of it is the coordinator's.
fn intruders(neighbour: &Neighbour, offer: &Offer) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let stranger = SigningKey::from_seed(&[66; 32]);
    let forged = stranger.sign_to_agent(&ToAgent::Offer(offer.clone())).to_bytes();
    let mut bent = neighbour
        .key
        .sign_to_agent(&ToAgent::Offer(offer.clone()))
        .to_bytes();
    bent[200] ^= 1;
    let mut other_body = offer.clone();
    other_body.body = other_body.body.replace("shop", "shoe");
    let mismatch = neighbour
        .key
        .sign_to_agent(&ToAgent::Offer(other_body))
        .to_bytes();
    let acknowledge = |v, host: &str| {
        let message = ToAgent::Acknowledge(Acknowledge {
            v,
            host: host.parse().unwrap(),
            spool: SpoolId(Uuid::from_u128(1)),
            upto: 1000,
        });
        neighbour.key.sign_to_agent(&message).to_bytes()
    };
    let unknown = acknowledge(2, "web-1");
    let foreign = acknowledge(1, "web-2");
    let oversized = vec![b' '; 100 * 1024];
    let jobs = vec![
        forged.clone(),
        bent,
        mismatch,
        oversized.clone(),
        b"{}".to_vec(),
        unknown.clone(),
    ];
    let control = vec![forged, unknown, foreign, oversized, vec![0xff; 10]];
    (jobs, control)
}

/// Whether a refusal with this code was reported.
fn reported(memory: &Memory, code: &str) -> Option<()> {
    memory
        .reports()
        .into_iter()
        .find_map(|report| match report.content {
            ReportContent::Fault(fault)
                if fault.code == "message_refused" && fault.message.contains(code) =>
            {
                Some(())
            }
            _ => None,
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_foreign_oversized_and_unknown_messages_are_refused_counted_and_reported() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    let offer = make_offer("build", build_of(&host, &["true"]));
    let (jobs, control) = intruders(&neighbour, &offer);
    let mut sent = 0;
    for _ in 0..20 {
        for bytes in &jobs {
            neighbour
                .broker
                .publish(JOBS.name, "host.web-1.jobs", bytes)
                .await;
            sent += 1;
        }
        for bytes in &control {
            neighbour
                .broker
                .publish(CONTROL.name, "host.web-1.control", bytes)
                .await;
            sent += 1;
        }
    }
    for code in [
        "unknown_key",
        "digest_mismatch",
        "oversized",
        "malformed",
        "unknown_version",
        "foreign_host",
    ] {
        neighbour.until(code, |memory| reported(memory, code)).await;
    }
    neighbour.until_waiting(DEAD, sent).await;
    assert!(host.is_alive());
    assert!(
        neighbour.memory().claims(offer.job).is_empty(),
        "nothing forged was claimed"
    );
    let faults = neighbour.memory().reports().len();
    assert!(faults < 12, "{faults} reports for {sent} refused messages");

    let honest = neighbour.offer("build", build_of(&host, &["true"])).await;
    let outcome = neighbour.result(honest).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}
