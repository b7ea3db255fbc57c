//! What becomes of offers that are not taken.

use std::time::Duration;

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::Epoch;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{DeclineReason, SlotFree};
use pointsman_shared::wire::{self, FromAgent};
use pointsman_store::jobs::JobRow;

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{PATIENCE, Times, World};

#[tokio::test]
async fn a_busy_host_is_asked_again_when_a_slot_is_free() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let offer = offers.next().await;
    agent.decline(&offer, DeclineReason::Busy).await;
    let waits = |job: &JobRow| job.reason.as_deref() == Some("waits for a free slot on builder-1");
    world
        .job_until(body(&offer).number, "waiting for a slot", waits)
        .await;
    agent
        .say(&FromAgent::SlotFree(SlotFree {
            v: wire::VERSION,
            host: agent.host.clone(),
            instance: agent.instance,
            kind: JobKind::Build,
        }))
        .await;
    let (again, _) = agent.take(&mut offers).await;
    assert_eq!((again.job, again.epoch), (offer.job, Epoch::NONE));
}

#[tokio::test]
async fn what_a_busy_builder_declines_goes_to_a_free_one() {
    let world = World::start(Times::default()).await;
    let (mut busy, mut free) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::builder(&world, "builder-2"),
    );
    let mut offers = busy.offers("pool.default.jobs").await;
    world.request_build().await;
    let offer = offers.next().await;
    busy.decline(&offer, DeclineReason::Busy).await;
    let again = offers.next().await;
    assert_eq!(again.job, offer.job);
    free.claim(&free.claim_message(&again)).await.unwrap();
}

#[tokio::test]
async fn a_job_nobody_can_start_fails_and_says_why() {
    let world = World::start(Times {
        idle_beat: 60_000,
        lease: 1_000,
        offer: 120_000,
        start_deadline: 1_500,
    })
    .await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let offer = offers.next().await;
    let message = "this host builds nothing of shop".to_owned();
    agent.decline(&offer, DeclineReason::Policy { message }).await;
    let failed = |job: &JobRow| job.state == JobState::Failed;
    let job = world.job_until(body(&offer).number, "failed", failed).await;
    assert_eq!(job.code.as_deref(), Some("no_agent"));
    let reason = job.reason.unwrap_or_default();
    assert!(
        reason.contains("builder-1: this host builds nothing of shop"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_offer_that_comes_back_unread_is_offered_again_but_not_forever() {
    let world = World::start(Times::default()).await;
    let agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    for _ in 0..3 {
        offers.reject().await;
    }
    world
        .count_until(
            "SELECT count(*) FROM job WHERE state = 'failed' AND code = 'offer_unreadable'",
            1,
        )
        .await;
}

#[tokio::test]
async fn an_offer_that_ran_out_is_made_again() {
    let world = World::start(Times {
        offer: 1_000,
        ..Times::default()
    })
    .await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let first = offers.next().await;
    let second = offers.next().await;
    assert_eq!((second.job, second.epoch), (first.job, first.epoch));
    assert!(second.expires_at > first.expires_at);
    agent.claim(&agent.claim_message(&second)).await.unwrap();
}

#[tokio::test]
async fn a_silent_hosts_job_is_deferred_and_offered_when_it_says_hello() {
    let world = World::start(Times {
        idle_beat: 700,
        lease: 1_000,
        ..Times::default()
    })
    .await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let (mut one, mut two) = tokio::join!(
        TestAgent::join(&world, "web-1", &[], "web"),
        TestAgent::join(&world, "web-2", &[], "web"),
    );
    let mut builds = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let (_, grant) = builder.take(&mut builds).await;
    builder.end(&grant, built()).await;
    one.hello(None).await;
    two.hello(None).await;
    world.request_deployment("1.0.0").await;

    // web-2 goes on beating, so the deployment stays open; web-1 is silent.
    let deferred =
        "SELECT count(*) FROM job WHERE kind = 'install' AND host_id = 'web-1' AND state = 'deferred'";
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while world.count(deferred).await == 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the job was never deferred"
        );
        two.beat(&[]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let why =
        "SELECT count(*) FROM event WHERE kind = 'job.deferred' AND message LIKE '%host web-1 is absent%'";
    assert_eq!(world.count(why).await, 1);
    two.beat(&[]).await;
    let previous = one.restart();
    one.hello(Some(previous)).await;
    let mut jobs = one.offers("host.web-1.jobs").await;
    let (install, _) = one.take(&mut jobs).await;
    assert_eq!(body(&install).order.kind(), JobKind::Install);
}
