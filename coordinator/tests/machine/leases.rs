//! Who falls silent loses its work, and only after its silence was listened to.

use pointsman_coordinator::operations::sweep::{self, Reach, Silence, Swept};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::Epoch;
use pointsman_shared::wire::from_agent::NotBegun;
use pointsman_shared::wire::to_agent::{Grant, LeaseVerdict};
use pointsman_shared::wire::{self, FromAgent};

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::queue::Offers;
use crate::world::{Times, World};

const QUICK: Times = Times {
    idle_beat: 60_000,
    lease: 2_000,
    offer: 120_000,
    start_deadline: 900_000,
};

/// One builder that was granted a build, and the job's number.
async fn building() -> (World, TestAgent, Offers, Grant, i64) {
    let world = World::start(QUICK).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = agent.take(&mut offers).await;
    let number = body(&offer).number;
    (world, agent, offers, grant, number)
}

#[tokio::test]
async fn a_silent_agents_job_goes_to_another_and_its_late_result_changes_nothing() {
    let world = World::start(QUICK).await;
    let (mut silent, mut other) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::builder(&world, "builder-2"),
    );
    let mut offers = silent.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, first) = silent.take(&mut offers).await;
    let number = body(&offer).number;

    let again = offers.next().await;
    assert_eq!(again.epoch, Epoch(1));
    let lost = world.job(number).await;
    assert!(
        lost.reason
            .as_deref()
            .unwrap_or_default()
            .contains("builder-1 was lost"),
        "{lost:?}"
    );
    let second = other.claim(&other.claim_message(&again)).await.unwrap();
    assert_eq!(second.epoch, Epoch(2));

    silent.end(&first, built()).await;
    let running = world.job(number).await;
    assert_eq!(
        (running.state, running.epoch, running.late_result),
        (JobState::Running, Epoch(2), true)
    );
    assert_eq!(
        silent.beat(&[(first.job, first.epoch)]).await.leases[0].verdict,
        LeaseVerdict::Lost
    );
    other.end(&second, built()).await;
    assert_eq!(world.job(number).await.state, JobState::Succeeded);
}

/// A database that is back after a while finds every lease run out: nobody could renew it.
#[tokio::test]
async fn a_sweep_that_had_to_wait_for_the_database_calls_nobody_lost() {
    let (mut world, _agent, _offers, _grant, number) = building().await;
    world.drain().await;
    let app = world.with_one_connection().await;
    let held = app.store.begin().await.unwrap();
    let sweeping = tokio::spawn({
        let app = app.clone();
        async move { sweep::execute(&app, Silence::Counts, Reach::Due).await.unwrap() }
    });
    tokio::time::sleep(std::time::Duration::from_millis(QUICK.lease + 300)).await;
    drop(held);
    assert_eq!(sweeping.await.unwrap(), Swept::Late);
    assert_eq!(world.job(number).await.state, JobState::Running);
    let swept = sweep::execute(&app, Silence::Counts, Reach::Due).await.unwrap();
    assert_eq!(swept, Swept::Whole);
    assert_eq!(world.job(number).await.state, JobState::Offered);
}

#[tokio::test]
async fn a_beating_agent_keeps_its_epoch_and_a_job_that_is_always_lost_is_exhausted() {
    let (world, mut agent, mut offers, grant, number) = building().await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(6);
    while tokio::time::Instant::now() < until {
        let reply = agent.beat(&[(grant.job, grant.epoch)]).await;
        assert_eq!(reply.leases[0].verdict, LeaseVerdict::Renewed);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    for epoch in 1..3 {
        let (again, _) = agent.take(&mut offers).await;
        assert_eq!(again.epoch, Epoch(epoch));
    }
    let job = world
        .job_until(number, "failed", |job| job.state == JobState::Failed)
        .await;
    assert_eq!(job.code.as_deref(), Some("exhausted"));
    assert_eq!(
        world
            .count("SELECT count(*) FROM attempt WHERE ending = 'lost'")
            .await,
        3
    );
}

#[tokio::test]
async fn a_beat_that_is_said_again_is_answered_and_renews_nothing() {
    let (world, mut agent, _offers, grant, number) = building().await;
    agent.beat(&[(grant.job, grant.epoch)]).await;
    let seen = "SELECT (extract(epoch FROM last_seen_at) * 1000)::bigint FROM host";
    let last_seen = world.count(seen).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while world.job(number).await.state == JobState::Running {
        assert!(
            tokio::time::Instant::now() < deadline,
            "a replayed beat kept the lease"
        );
        agent.beat -= 1;
        agent.beat(&[(grant.job, grant.epoch)]).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(
        world
            .count("SELECT count(*) FROM attempt WHERE ending = 'lost'")
            .await,
        1
    );
    assert_eq!(world.count(seen).await, last_seen, "nor was its host seen");
}

#[tokio::test]
async fn an_epoch_that_was_not_begun_is_offered_again() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let mut offers = agent.offers("pool.default.jobs").await;
    world.request_build().await;
    let (_, grant) = agent.take(&mut offers).await;
    let not_begun = FromAgent::NotBegun(NotBegun {
        v: wire::VERSION,
        host: agent.host.clone(),
        instance: agent.instance,
        job: grant.job,
        epoch: grant.epoch,
        reason: "the grant came after 40 s".to_owned(),
    });
    agent.say(&not_begun).await;
    agent.say(&not_begun).await;
    let (again, second) = agent.take(&mut offers).await;
    assert_eq!((again.job, second.epoch), (grant.job, Epoch(2)));
    assert_eq!(
        world
            .count("SELECT count(*) FROM attempt WHERE ending = 'not_begun'")
            .await,
        1
    );
}

#[tokio::test]
async fn nobody_is_called_lost_by_a_coordinator_that_has_not_listened() {
    let (mut world, mut agent, _offers, grant, number) = building().await;
    world.drain().await;
    // The lease runs out while no coordinator is there; the next one hears the agent before it judges.
    let over = |job: &pointsman_store::jobs::JobRow| {
        job.lease_until.is_some_and(|until| {
            until < pointsman_shared::clock::Clock::now(&pointsman_shared::clock::SystemClock)
        })
    };
    world.job_until(number, "over its lease", over).await;
    world.serve();
    assert_eq!(
        agent.beat(&[(grant.job, grant.epoch)]).await.leases[0].verdict,
        LeaseVerdict::Renewed
    );
    let job = world.job(number).await;
    assert_eq!((job.state, job.epoch), (JobState::Running, Epoch(1)));
}
