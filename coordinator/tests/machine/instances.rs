//! One process speaks for a host.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::clock::SystemIds;
use pointsman_shared::ids::{IdSource as _, InstanceId};
use pointsman_shared::wire::to_agent::{DenialReason, LeaseVerdict};
use pointsman_shared::wire::{FromAgent, ToAgent};

use crate::agent::TestAgent;
use crate::journey::body;
use crate::world::{Times, World};

#[tokio::test]
async fn a_second_agent_with_the_same_name_is_denied_and_reported() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let known = agent.restart();
    let hello = agent.hello_message(Some(InstanceId(SystemIds.next())));
    agent.say(&FromAgent::Hello(hello)).await;
    let reason = agent
        .hear("an unwelcome", |message| match message {
            ToAgent::Unwelcome(unwelcome) => Some(unwelcome.reason),
            _ => None,
        })
        .await;
    assert!(reason.contains("another agent speaks for builder-1"), "{reason}");
    assert_eq!(
        world
            .count("SELECT count(*) FROM audit WHERE action = 'agent.hello' AND result = 'refused'")
            .await,
        1
    );
    let reply = agent.beat(&[]).await;
    assert!(reply.say_hello);
    agent.instance = known;
    assert!(!agent.beat(&[]).await.say_hello);
}

#[tokio::test]
async fn a_successor_frees_what_its_predecessor_held_at_once() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = agent.take(&mut offers).await;
    let previous = agent.restart();
    agent.hello(Some(previous)).await;

    // The lease would have lived for a minute.
    let again = offers.next().await;
    assert_eq!((again.job, again.epoch), (offer.job, grant.epoch));
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Offered);
    let reply = agent.beat(&[(grant.job, grant.epoch)]).await;
    assert_eq!(reply.leases[0].verdict, LeaseVerdict::Lost);
    let mut old = agent.claim_message(&again);
    old.instance = previous;
    assert_eq!(
        agent.claim(&old).await.unwrap_err().reason,
        DenialReason::WrongInstance
    );
    agent.claim(&agent.claim_message(&again)).await.unwrap();
    assert_eq!(
        world
            .count("SELECT count(*) FROM attempt WHERE ending = 'replaced'")
            .await,
        1
    );
}
