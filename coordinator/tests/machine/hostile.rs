//! What nobody may say: forged, edited, replayed, foreign, unreadable. Each is refused with a reason, counted, and let
//! go; none stops the others or comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::Signer as _;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::wire::envelope::Message as _;
use pointsman_shared::wire::from_agent::{LedgerPage, ReportContent};
use pointsman_shared::wire::{FromAgent, SigningKey, topology};

use crate::agent::TestAgent;
use crate::world::{Times, World};

#[tokio::test]
async fn what_is_not_signed_by_the_host_is_refused_and_the_coordinator_lives_on() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let hello = FromAgent::Hello(agent.hello_message(None));
    let key = topology::report_key(&agent.host, hello.key());
    let stranger = SigningKey::from_seed(&[9; 32]);
    let genuine = agent.key.sign_from_agent(&hello).to_bytes();
    let mut flipped = String::from_utf8(genuine.clone()).unwrap();
    let at = flipped.find("payload\":\"").unwrap() + 40;
    let letter = if flipped.as_bytes()[at] == b'A' { "B" } else { "A" };
    flipped.replace_range(at..=at, letter);
    for bytes in [
        stranger.sign_from_agent(&hello).to_bytes(),
        flipped.into_bytes(),
        b"{".to_vec(),
        vec![b' '; 70 * 1024],
        [genuine.as_slice(), b"trailing"].concat(),
    ] {
        assert!(agent.publish("reports", &key, &bytes).await);
    }
    // Genuine bytes under another key of the same host: the key must be the one the message belongs to.
    let result_key = format!("{}.result", agent.host);
    assert!(agent.publish("reports", &result_key, &genuine).await);

    world.count_until("SELECT count(*) FROM refused_message", 6).await;
    for (reason, expected) in [
        (
            "SELECT count(*) FROM refused_message WHERE reason = 'unknown_key'",
            1,
        ),
        ("SELECT count(*) FROM refused_message WHERE reason = 'forged'", 1),
        (
            "SELECT count(*) FROM refused_message WHERE reason = 'malformed'",
            2,
        ),
        (
            "SELECT count(*) FROM refused_message WHERE reason = 'too_large'",
            1,
        ),
        (
            "SELECT count(*) FROM refused_message WHERE reason = 'wrong_place'",
            1,
        ),
    ] {
        assert_eq!(world.count(reason).await, expected, "{reason}");
    }
    // People see it once per reason, and the agent is served as before.
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'message.take'")
            .await,
        5
    );
    agent.beat(&[]).await;
    assert_eq!(world.count("SELECT count(*) FROM refused_message").await, 6);
}

#[tokio::test]
async fn a_word_that_the_database_cannot_hold_stops_no_lane() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let hello = FromAgent::Hello(agent.hello_message(None));
    let key = topology::report_key(&agent.host, hello.key());
    let genuine = String::from_utf8(agent.key.sign_from_agent(&hello).to_bytes()).unwrap();
    for field in ["\"payloadType\":\"", "\"keyid\":\""] {
        let with_nul = genuine.replace(field, &format!("{field}\\u0000"));
        assert!(agent.publish("reports", &key, with_nul.as_bytes()).await);
    }
    world.count_until("SELECT count(*) FROM refused_message", 2).await;
    assert_eq!(
        world
            .count("SELECT count(*) FROM refused_message WHERE reason IN ('wrong_type', 'unknown_key')")
            .await,
        2
    );
    agent.beat(&[]).await;
}

#[tokio::test]
async fn a_message_of_one_host_is_worth_nothing_to_another() {
    let world = World::start(Times::default()).await;
    let (one, mut other) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::builder(&world, "builder-11"),
    );
    // The broker refuses the foreign key already; bytes of builder-1 under builder-11's own key are refused by us.
    let stolen = one
        .key
        .sign_from_agent(&FromAgent::Hello(one.hello_message(None)))
        .to_bytes();
    let own_key = format!("{}.state", other.host);
    assert!(other.publish("reports", &own_key, &stolen).await);
    world
        .count_until(
            "SELECT count(*) FROM refused_message WHERE claimed_host = 'builder-11'",
            1,
        )
        .await;
    other.beat(&[]).await;
    let foreign_key = format!("{}.state", one.host);
    assert!(!other.publish("reports", &foreign_key, &stolen).await);
    assert_eq!(world.count("SELECT count(*) FROM refused_message").await, 1);
}

#[tokio::test]
async fn an_agent_may_not_read_or_declare_what_is_not_its_own() {
    let world = World::start(Times::default()).await;
    let (one, other) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::join(&world, "web-1", &[], "web"),
    );
    for queue in [
        "pool.default.jobs",
        "host.builder-1.control",
        "coordinator.reports",
        "dead",
    ] {
        assert!(!other.may_read(queue).await, "web-1 may read {queue}");
    }
    assert!(other.may_read("host.web-1.jobs").await);
    assert!(one.may_read("pool.default.jobs").await);
    for exchange in ["jobs", "control", "dlx", ""] {
        assert!(
            !other.may_publish(exchange).await,
            "web-1 may publish to {exchange:?}"
        );
    }
}

/// Seals what no type of ours allows, with the agent's own key, as an agent of another version would.
fn sealed_by_hand(agent: &TestAgent, message: &serde_json::Value) -> Vec<u8> {
    let kind = FromAgent::PAYLOAD_TYPE;
    let payload = message.to_string();
    let key = ed25519_dalek::SigningKey::from_bytes(Digest::of(agent.host.as_str().as_bytes()).as_bytes());
    let signature = key.sign(format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).as_bytes());
    let envelope = serde_json::json!({
        "payloadType": kind, "payload": BASE64.encode(&payload),
        "signatures": [{ "keyid": agent.key.public().id(), "sig": BASE64.encode(signature.to_bytes()) }],
    });
    envelope.to_string().into_bytes()
}

#[tokio::test]
async fn a_signed_word_that_is_not_known_is_refused_once_and_stops_no_lane() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let page = |phase| {
        ReportContent::Ledger(LedgerPage {
            job: JobId(world.app.ids.next()),
            epoch: Epoch(1),
            phase,
            page: 0,
            pages: 1,
            entries: Vec::new(),
        })
    };
    // A phase that nothing uses yet is a phase like any other.
    let reserved = agent.report(page(MigrationPhase::Hard));
    assert_eq!(agent.send(&reserved).await, 1);

    let report = FromAgent::Report(agent.report(page(MigrationPhase::Post)));
    let key = topology::report_key(&agent.host, report.key());
    let mut message = serde_json::to_value(&report).unwrap();
    message["content"]["phase"] = "tomorrow".into();
    let strange = sealed_by_hand(&agent, &message);
    assert!(agent.publish("reports", &key, &strange).await);
    world
        .count_until(
            "SELECT count(*) FROM refused_message WHERE reason = 'unreadable'",
            1,
        )
        .await;
    // It does not come back, and what the agent says next is taken.
    agent.beat(&[]).await;
    agent.beat(&[]).await;
    assert_eq!(world.count("SELECT count(*) FROM refused_message").await, 1);
}
