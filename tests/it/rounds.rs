//! Rounds of `kill -9`: somebody dies at some moment of a deployment and comes back. It ends live, and no host ran its
//! hook twice unless its own agent was the one that died.
//!
//! `POINTSMAN_TEST_ROUNDS` says how many rounds; what is drawn is printed, so that a failure can be told.

use std::time::Duration;

use anyhow::{Result, ensure};
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::clock::SystemIds;
use pointsman_shared::ids::IdSource as _;
use pointsman_tests::World;

use crate::faults::slow_world;

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Agent(usize),
    Coordinator(usize),
    Postgres,
    RabbitMq,
}

/// What a round draws: who, and how long after the wish.
fn draw() -> (Victim, Duration) {
    let [.., a, b, c] = *SystemIds.next().as_bytes();
    let victim = match a % 7 {
        0..3 => Victim::Agent(usize::from(a % 3) + 1),
        3..5 => Victim::Coordinator(usize::from(a % 2)),
        5 => Victim::Postgres,
        _ => Victim::RabbitMq,
    };
    (
        victim,
        Duration::from_millis(u64::from(b) * 10 + u64::from(c) % 10),
    )
}

async fn kill(world: &World, victim: Victim) -> Result<()> {
    let services = world.sandbox.services();
    match victim {
        Victim::Agent(number) => {
            let host = world.sandbox.host(&format!("web-{number}"))?;
            host.kill_agent().await?;
            host.start_agent().await?;
        }
        Victim::Coordinator(index) => {
            world.sandbox.coordinator(index).kill().await?;
            world.sandbox.coordinator(index).restart().await?;
        }
        Victim::Postgres => {
            services.postgres().kill().await?;
            services.postgres().restart().await?;
        }
        Victim::RabbitMq => {
            services.rabbitmq().kill().await?;
            services.rabbitmq().restart().await?;
        }
    }
    Ok(())
}

/// How often each host's hook ran for a version.
fn effects(world: &World, version: &str) -> Result<Vec<usize>> {
    let log = fs_err::read_to_string(world.folder("effects")?.join("log"))?;
    let hosts = world.sandbox.web_hosts();
    Ok(hosts
        .map(|host| {
            let wanted = format!("{} {version}", host.id());
            log.lines().filter(|line| **line == wanted).count()
        })
        .collect())
}

fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    let asked = std::env::var("POINTSMAN_TEST_ROUNDS");
    asked.ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_whenever_a_deployment_ends_live_and_nothing_happens_twice() -> Result<()> {
    let world = slow_world(Options {
        coordinators: 2,
        ..Options::for_testing()
    })
    .await?;
    for round in 1..=rounds() {
        let version = if round % 2 == 1 { "1.1.0" } else { "1.0.0" };
        let before = effects(&world, version)?;
        let (victim, after) = draw();
        println!("round {round}: {victim:?} dies {after:?} after the wish for {version}");
        let deployment = world.starts_deploy(version).await?;
        tokio::time::sleep(after).await;
        kill(&world, victim).await?;
        let deployment = world.ended(deployment.number).await?;
        ensure!(
            deployment.state == DeploymentState::Live,
            "round {round}, {victim:?} after {after:?}: {deployment:#?}"
        );
        world.all_serve(version).await?;
        let now = effects(&world, version)?;
        for (index, (now, before)) in now.iter().zip(&before).enumerate() {
            let times = now - before;
            let own_agent_died = victim == Victim::Agent(index + 1);
            ensure!(
                times == 1 || (own_agent_died && times == 2),
                "round {round}, {victim:?} after {after:?}: web-{} ran its hook {times} times",
                index + 1
            );
        }
    }
    Ok(())
}
