//! A cancel always reaches an end.

use pointsman_coordinator::operations::cancel_job;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::to_agent::{DenialReason, LeaseVerdict};
use pointsman_shared::wire::{ToAgent, TraceParent};

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{Times, World};

#[tokio::test]
async fn an_offered_job_is_cancelled_at_once_and_its_claim_denied() {
    let world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let offer = offers.next().await;
    let number = body(&offer).number;
    let state = cancel_job::execute(&world.app, &world.actor, number, None)
        .await
        .unwrap();
    assert_eq!(state, JobState::Cancelled);
    let denied = builder.claim(&builder.claim_message(&offer)).await.unwrap_err();
    assert_eq!(denied.reason, DenialReason::Over);
    assert_eq!(
        world
            .count("SELECT count(*) FROM release WHERE state = 'cancelled'")
            .await,
        1
    );
    let again = cancel_job::execute(&world.app, &world.actor, number, None)
        .await
        .unwrap_err();
    assert!(again.to_string().contains("is over"), "{again}");
}

#[tokio::test]
async fn a_running_job_hears_of_its_cancel_twice_and_may_still_succeed() {
    let mut world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (outcome, expected, given) in [
        (Outcome::Cancelled, JobState::Cancelled, None),
        (built(), JobState::Succeeded, given.parse().ok()),
    ] {
        world.actor.trace.clone_from(&given);
        world.request_build().await;
        let (offer, grant) = builder.take(&mut offers).await;
        let number = body(&offer).number;
        let asked = cancel_job::execute(&world.app, &world.actor, number, Some("wrong tag")).await;
        assert_eq!(asked.unwrap(), JobState::Running);
        let cancel = builder
            .hear("a cancel", |message| match message {
                ToAgent::Cancel(cancel) => Some(cancel),
                _ => None,
            })
            .await;
        assert_eq!(
            (cancel.job, cancel.epoch, cancel.reason.as_str()),
            (grant.job, grant.epoch, "wrong tag")
        );
        let trace = Some(given.unwrap_or_else(|| TraceParent::of_job(grant.job)));
        assert_eq!((&offers.trace, &builder.trace), (&trace, &trace));
        let reply = builder.beat(&[(grant.job, grant.epoch)]).await;
        let cancelled = LeaseVerdict::Cancel {
            reason: "wrong tag".to_owned(),
        };
        assert_eq!(reply.leases[0].verdict, cancelled);
        builder.end(&grant, outcome).await;
        assert_eq!(world.job(number).await.state, expected);
    }
}
