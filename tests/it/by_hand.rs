//! Queues emptied and deleted by hand while they hold what the fleet waits for: work is late, nothing is lost or done
//! twice, and the queues stand again.

use anyhow::{Result, ensure};
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::wire::topology::COORDINATOR_REPORTS;
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, shared, until};

use crate::faults::{forget_effects, ran_once, slow_world};

/// An administrator of the broker, who means well.
struct Hands(Connection);

impl Hands {
    async fn on(world: &World) -> Result<Self> {
        let url = world
            .sandbox
            .services()
            .rabbitmq()
            .admin_amqp_url_of(world.sandbox.vhost());
        let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
        Ok(Self(connection))
    }

    /// Waits until a message lies in the queue, with nobody to read it.
    async fn find_something_in(&self, queue: &str) -> Result<()> {
        until(&format!("{queue} holds something"), || async {
            let channel = self.0.create_channel().await?;
            let options = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let found = channel
                .queue_declare(queue.into(), options, FieldTable::default())
                .await?;
            Ok((found.message_count() > 0).then_some(()))
        })
        .await
    }

    async fn purge(&self, queue: &str) -> Result<()> {
        self.find_something_in(queue).await?;
        let channel = self.0.create_channel().await?;
        let purged = channel
            .queue_purge(queue.into(), QueuePurgeOptions::default())
            .await?;
        ensure!(purged > 0, "{queue} was empty");
        Ok(())
    }

    async fn delete(&self, queue: &str) -> Result<()> {
        self.find_something_in(queue).await?;
        let channel = self.0.create_channel().await?;
        let deleted = channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .await?;
        ensure!(deleted > 0, "{queue} was empty");
        Ok(())
    }
}

/// The deployment goes live, and every host did it once.
async fn goes_live(world: &World, number: i64, release: &str) -> Result<()> {
    let deployment = world.ended(number).await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    // A host that was called absent meanwhile comes after by itself.
    until(&format!("all serve {release}"), || async {
        Ok(world.all_serve(release).await.is_ok().then_some(()))
    })
    .await?;
    ran_once(world, release)
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_lose_their_messages_or_themselves_only_delay() -> Result<()> {
    let world = slow_world(shared().await?).await?;
    let hands = Hands::on(&world).await?;
    world.has_recipe(&RECIPE.replace("mkdir", "sleep 2 && mkdir"))?;
    world.has_version("2.0.0", "ok")?.has_version("2.1.0", "ok")?;

    // The builder is busy with the first build, so the offer of the second lies in the pool's queue.
    let builds = [
        world.starts_build("2.0.0").await?,
        world.starts_build("2.1.0").await?,
    ];
    hands.delete("pool.default.jobs").await?;
    // Agents that are away for a moment find an empty queue, and none.
    forget_effects(&world)?;
    for host in ["web-1", "web-2"] {
        world.sandbox.host(host)?.kill_agent().await?;
    }
    let deployment = world.starts_deploy("1.1.0").await?;
    hands.purge("host.web-1.jobs").await?;
    hands.delete("host.web-2.jobs").await?;
    for host in ["web-1", "web-2"] {
        world.sandbox.host(host)?.start_agent().await?;
    }
    goes_live(&world, deployment.number, "1.1.0").await?;
    for build in builds {
        let release = world.built(build.number).await?;
        ensure!(release.state == ReleaseState::Built, "{release:#?}");
    }

    let coordinator = world.sandbox.coordinator(0);
    for (release, deletes) in [("1.0.0", false), ("1.1.0", true)] {
        forget_effects(&world)?;
        let deployment = world.starts_deploy(release).await?;
        world
            .reaches(deployment.number, DeploymentState::Switching)
            .await?;
        coordinator.kill().await?;
        if deletes {
            hands.delete(COORDINATOR_REPORTS).await?;
        } else {
            hands.purge(COORDINATOR_REPORTS).await?;
        }
        coordinator.restart().await?;
        goes_live(&world, deployment.number, release).await?;
    }
    Ok(())
}
