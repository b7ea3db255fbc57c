//! What the doctor finds: each fault by its name, each with its own cure.

use pointsman_coordinator::operations::chain_audit;
use serde_json::Value;

use crate::agents::Agent;
use crate::orders;
use crate::world::{Settings, World};

/// A world with a host that is well.
async fn with_host() -> World {
    let world = World::new().await;
    // Without a broker nothing could be said of hosts that are not heard.
    world.open_vhost().await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    world
}

async fn does(world: &World, statement: &'static str) {
    let done = sqlx::query(statement).execute(world.pool()).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

/// The finding that says this: how grave, and its cure.
async fn finding(world: &World, words: &str) -> (String, String) {
    let findings = world.admin().get("doctor").await.expect(200);
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let found = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| text(finding, "text").contains(words));
    let found = found.unwrap_or_else(|| panic!("{words}: {findings}"));
    (text(found, "severity"), text(found, "cure"))
}

#[tokio::test]
async fn each_fault_of_a_host_has_its_own_cure() {
    let world = with_host().await;
    does(
        &world,
        "UPDATE host SET clock_offset_ms = 9000, free_bytes = 1000000, software = '0.0.9'",
    )
    .await;
    let (severity, cure) = finding(&world, "host web-1: its clock is 9.0 s ahead").await;
    assert!(severity == "warn" && cure.contains("NTP"), "{severity} {cure}");
    let (severity, cure) = finding(&world, "host web-1: its disk is nearly full: 1 MB free").await;
    assert!(
        severity == "fail" && cure.contains("pointsman gc"),
        "{severity} {cure}"
    );
    let (severity, cure) = finding(
        &world,
        "host web-1: its agent is 0.0.9, older than the coordinator",
    )
    .await;
    assert!(
        severity == "warn" && cure.contains("upgrade"),
        "{severity} {cure}"
    );
    does(&world, "UPDATE host SET last_seen_at = now() - interval '1 hour'").await;
    let (severity, cure) = finding(&world, "host web-1: its agent was last heard at").await;
    assert!(
        severity == "fail" && cure.contains("systemctl status pointsman-agent"),
        "{severity} {cure}"
    );
}

#[tokio::test]
async fn a_root_that_cannot_be_read_and_drift_are_told_apart() {
    let world = with_host().await;
    does(
        &world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT gen_random_uuid(), id, 'web-1', '/srv/shop', now() FROM target",
    )
    .await;
    does(
        &world,
        "UPDATE placement SET drift = 'runs 1.8.2, which nobody asked for'",
    )
    .await;
    let (severity, cure) = finding(&world, "runs 1.8.2").await;
    assert!(
        severity == "warn" && cure.contains("pointsman deploy PROJECT@ENVIRONMENT RELEASE"),
        "{severity} {cure}"
    );
    does(
        &world,
        "UPDATE placement SET problem = 'Permission denied (os error 13)'",
    )
    .await;
    let (severity, cure) = finding(&world, "Permission denied").await;
    assert!(
        severity == "fail" && cure.contains("pointsman-agent setup"),
        "{severity} {cure}"
    );
}

#[tokio::test]
async fn acts_that_nobody_chains_and_a_store_that_is_gone_are_named() {
    let world = with_host().await;
    does(
        &world,
        "UPDATE audit_unchained SET since = now() - interval '1 hour'",
    )
    .await;
    let (severity, cure) = finding(&world, "acts wait for longer than ten minutes to be chained").await;
    assert!(
        severity == "warn" && cure.contains("role schedule"),
        "{severity} {cure}"
    );
    chain_audit::execute(&world.app).await.unwrap();
    let findings = world.admin().get("doctor").await.expect(200);
    assert!(!findings.to_string().contains("to be chained"), "{findings}");
    fs_err::rename(
        world.folder.path().join("store"),
        world.folder.path().join("gone"),
    )
    .unwrap();
    let (severity, _) = finding(&world, "artifact store").await;
    assert_eq!(severity, "fail");
}

#[tokio::test]
async fn a_broker_that_is_well_has_no_alarm() {
    let world = World::with(Settings {
        broker_admin: true,
        ..Settings::default()
    })
    .await;
    world.open_vhost().await;
    let findings = world.admin().get("doctor").await.expect(200).to_string();
    for wrong in ["short of", "does not run", "parted", "management API"] {
        assert!(!findings.contains(wrong), "{wrong}: {findings}");
    }
}

#[tokio::test]
async fn a_host_that_missed_two_beats_is_late_and_not_well() {
    let world = with_host().await;
    does(
        &world,
        "UPDATE host SET last_seen_at = now() - interval '75 seconds'",
    )
    .await;
    let (severity, cure) = finding(&world, "host web-1: late: its agent was last heard at").await;
    assert!(
        severity == "warn" && cure.contains("systemctl status pointsman-agent"),
        "{severity} {cure}"
    );
    finding(&world, "0 of 1 hosts seen and well").await;
    let host = world.admin().get("hosts/web-1").await.expect(200);
    assert!(host["late"] == true && host["seen"] == true, "{host}");
}

#[tokio::test]
async fn one_problem_of_many_hosts_is_told_once() {
    let world = with_host().await;
    Agent::member(&world, "web-2", &[("role", "web")], &[]).await;
    does(&world, "UPDATE host SET free_bytes = 1000000").await;
    let (_, cure) = finding(&world, "hosts web-1, web-2: its disk is nearly full").await;
    assert!(cure.contains("make room on web-1, web-2"), "{cure}");
}

#[tokio::test]
async fn offers_that_nobody_takes_are_named_with_their_reason() {
    let world = with_host().await;
    for host in ["web-3", "web-4"] {
        let agent = Agent::member(&world, host, &[("role", "web")], &[]).await;
        let order = orders::install(&world, host, b"archive").await;
        agent.runs(&world, order).await;
    }
    does(
        &world,
        "UPDATE job SET state = 'offered', lease_until = NULL, instance_id = NULL, worker_id = NULL,
                        created_at = now() - interval '2 minutes', offered_at = now() - interval '5 seconds',
                        offer_expires_at = now() + interval '1 minute', reason = 'waits for a free slot on web-3'",
    )
    .await;
    let (severity, cure) = finding(&world, "jobs #1, #2 wait: waits for a free slot on web-3").await;
    assert!(
        severity == "warn" && cure == "pointsman why --job 1",
        "{severity} {cure}"
    );
    let findings = world.admin().get("doctor").await.expect(200).to_string();
    assert!(!findings.contains("nothing stands still"), "{findings}");
}
