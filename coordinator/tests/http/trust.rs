//! Signed requests are believed for their key, their time and their running epoch, and for nothing else.

use pointsman_shared::api::agent::{ObjectKind, VARIABLES_PATH};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId};
use pointsman_shared::wire::SigningKey;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::agents::{Agent, Running};
use crate::orders::build;
use crate::people::read;
use crate::world::World;

/// A builder at work, who asks for its variables.
struct AtWork {
    world: World,
    builder: Agent,
    building: Running,
}

impl AtWork {
    async fn new() -> Self {
        let world = World::new().await;
        world.set_up_shop().await;
        let builder = Agent::member(&world, "builder", &[], &["default"]).await;
        let building = builder.runs(&world, build(&world).await).await;
        Self {
            world,
            builder,
            building,
        }
    }

    fn asks(&self, agent: &Agent, running: Running) -> RequestBuilder {
        agent.signed(
            &self.world,
            running,
            &Method::GET,
            VARIABLES_PATH,
            Digest::of(b""),
        )
    }

    async fn refusal(&self, agent: &Agent, running: Running) -> String {
        read(self.asks(agent, running)).await.refused(403).to_owned()
    }
}

#[tokio::test]
async fn another_key_another_host_and_another_process_are_refused() {
    let work = AtWork::new().await;
    let (world, builder) = (&work.world, &work.builder);
    assert_eq!(read(work.asks(builder, work.building)).await.status, 200);
    let impostor = Agent {
        host: builder.host.clone(),
        key: Agent::new(world, "x").key,
        instance: builder.instance,
    };
    assert_eq!(work.refusal(&impostor, work.building).await, "forged_request");
    let stranger = Agent::new(world, "stranger");
    assert_eq!(work.refusal(&stranger, work.building).await, "unknown_key");
    let other_process = Agent {
        host: builder.host.clone(),
        key: SigningKey::from_file(&builder.key.to_file()).unwrap(),
        instance: InstanceId(world.app.ids.next()),
    };
    assert_eq!(
        work.refusal(&other_process, work.building).await,
        "epoch_not_current"
    );
    // A web host's own signature is good, and the build is not its job.
    let web = Agent::member(world, "web-1", &[("role", "web")], &[]).await;
    assert_eq!(work.refusal(&web, work.building).await, "epoch_not_current");
}

#[tokio::test]
async fn stale_moved_and_unsigned_requests_are_refused() {
    let work = AtWork::new().await;
    let (world, builder) = (&work.world, &work.builder);
    let none = Digest::of(b"");
    let now = world.app.clock.now().timestamp_millis();
    for at in [now - 61_000, now + 61_000, i64::MIN, i64::MAX] {
        let stale = builder.signed_at(world, work.building, &Method::GET, VARIABLES_PATH, none, at);
        assert_eq!(read(stale).await.refused(403), "stale_request", "{at}");
    }
    let signed = work.asks(builder, work.building).build().unwrap();
    let mut moved = world
        .anonymous()
        .at(Method::GET, &ObjectKind::Archive.path(&none)[1..]);
    for (name, value) in signed.headers() {
        moved = moved.header(name, value);
    }
    assert_eq!(read(moved).await.refused(403), "forged_request");
    let unsigned = world.anonymous().at(Method::GET, &VARIABLES_PATH[1..]);
    assert_eq!(read(unsigned).await.refused(401), "not_signed");
}

#[tokio::test]
async fn an_epoch_that_is_over_or_never_was_is_refused() {
    let work = AtWork::new().await;
    let next = Running {
        epoch: Epoch(2),
        ..work.building
    };
    assert_eq!(work.refusal(&work.builder, next).await, "epoch_not_current");
    sqlx::query("UPDATE job SET state = 'failed', ended_at = now(), lease_until = NULL")
        .execute(work.world.pool())
        .await
        .unwrap();
    assert_eq!(
        work.refusal(&work.builder, work.building).await,
        "epoch_not_current"
    );
    work.world
        .admin()
        .post("hosts/builder/revoke", &json!({}))
        .await
        .expect(204);
    assert_eq!(work.refusal(&work.builder, work.building).await, "unknown_key");
}
