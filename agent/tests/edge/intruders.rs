//! Whoever can publish to the agent's queues without the coordinator's key changes nothing.

use pointsman_shared::ids::SpoolId;
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::SigningKey;
use pointsman_shared::wire::from_agent::ReportContent;
use pointsman_shared::wire::to_agent::{Acknowledge, ToAgent};
use pointsman_shared::wire::topology::{CONTROL, DEAD, JOBS};
use uuid::Uuid;

use crate::agent::Host;
use crate::jobs::build_of;

#[tokio::test(flavor = "multi_thread")]
async fn forged_foreign_oversized_and_unknown_messages_are_refused_counted_and_reported() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    let stranger = SigningKey::from_seed(&[66; 32]);
    let offer = neighbour.make_offer("build", build_of(&host, &["touch /tmp/pointsman-must-not-exist"]));
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
        ToAgent::Acknowledge(Acknowledge {
            v,
            host: host.parse().unwrap(),
            spool: SpoolId(Uuid::from_u128(1)),
            upto: 1000,
        })
    };
    let unknown = neighbour.key.sign_to_agent(&acknowledge(2, "web-1")).to_bytes();
    let foreign = neighbour.key.sign_to_agent(&acknowledge(1, "web-2")).to_bytes();
    let oversized = vec![b' '; 100 * 1024];
    let jobs = "host.web-1.jobs";
    let control = "host.web-1.control";
    let mut sent = 0;
    for _ in 0..20 {
        for bytes in [&forged, &bent, &mismatch, &oversized, &b"{}".to_vec(), &unknown] {
            neighbour.broker.publish(JOBS.name, jobs, bytes).await;
            sent += 1;
        }
        for bytes in [&forged, &unknown, &foreign, &oversized, &vec![0xff; 10]] {
            neighbour.broker.publish(CONTROL.name, control, bytes).await;
            sent += 1;
        }
    }
    let codes = [
        "unknown_key",
        "digest_mismatch",
        "oversized",
        "malformed",
        "unknown_version",
        "foreign_host",
    ];
    for code in codes {
        neighbour
            .until(code, |memory| {
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
            })
            .await;
    }
    while neighbour.broker.waiting(DEAD).await < sent {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
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
