//! Everything may come twice, late, or in another order.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::outcome::{Effect, Outcome, Phase};
use pointsman_shared::wire::FromAgent;
use pointsman_shared::wire::from_agent::{Fault, JobResult, ReportContent};
use pointsman_shared::wire::to_agent::DenialReason;

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{Times, World};

fn fault(code: &str) -> ReportContent {
    ReportContent::Fault(Fault {
        placement: None,
        code: code.to_owned(),
        message: "something".to_owned(),
    })
}

#[tokio::test]
async fn a_repeated_claim_gets_the_same_grant_and_another_one_nothing() {
    let world = World::start(Times::default()).await;
    let (mut one, mut other) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::builder(&world, "builder-2"),
    );
    let mut offers = one.offers("pool.default.jobs").await;
    world.request_build().await;
    let offer = offers.next().await;
    let claim = one.claim_message(&offer);
    let first = one.claim(&claim).await.unwrap();
    assert_eq!(one.claim(&claim).await.unwrap(), first);

    let denied = other.claim(&other.claim_message(&offer)).await.unwrap_err();
    assert_eq!(denied.reason, DenialReason::Taken);
    let mut edited = other.claim_message(&offer);
    edited.digest = pointsman_shared::digest::Digest::of(b"another body");
    edited.epoch = first.epoch;
    assert_eq!(
        other.claim(&edited).await.unwrap_err().reason,
        DenialReason::Unknown
    );

    one.end(&first, built()).await;
    assert_eq!(
        one.claim(&claim).await.unwrap_err().reason,
        DenialReason::LeaseOver
    );
    assert_eq!(world.count("SELECT count(*) FROM attempt").await, 1);
}

#[tokio::test]
async fn reports_count_once_and_are_acknowledged_without_gaps() {
    let world = World::start(Times::default()).await;
    let mut agent = TestAgent::builder(&world, "builder-1").await;
    let first = agent.report(fault("first"));
    let second = agent.report(fault("second"));
    let third = agent.report(fault("third"));
    assert_eq!(agent.send(&third).await, 0);
    assert_eq!(agent.send(&first).await, 1);
    assert_eq!(agent.send(&first).await, 1);
    assert_eq!(agent.send(&second).await, 3);
    assert_eq!(
        world
            .count("SELECT count(*) FROM event WHERE kind = 'host.fault'")
            .await,
        3
    );
}

#[tokio::test]
async fn a_second_result_changes_nothing() {
    let world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = builder.take(&mut offers).await;
    builder.end(&grant, built()).await;
    let failed = Outcome::Failed {
        phase: Phase::Build,
        code: "step_failed".to_owned(),
        message: "later".to_owned(),
        exit: None,
        effect: Effect::None,
    };
    builder.end(&grant, failed).await;
    let job = world.job(body(&offer).number).await;
    assert_eq!((job.state, job.late_result), (JobState::Succeeded, true));
    assert_eq!(
        world
            .count("SELECT count(*) FROM event WHERE kind = 'job.late_result'")
            .await,
        1
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM release WHERE state = 'built'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_result_of_foreign_work_is_acknowledged_and_changes_nothing() {
    let world = World::start(Times::default()).await;
    let (mut one, mut other) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::builder(&world, "builder-2"),
    );
    let mut offers = one.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = one.take(&mut offers).await;
    let stolen = other.report(ReportContent::Result(JobResult {
        job: grant.job,
        epoch: grant.epoch,
        outcome: built(),
        log: None,
    }));
    assert_eq!(other.send(&stolen).await, 1);
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Running);
    assert_eq!(
        world
            .count("SELECT count(*) FROM event WHERE kind = 'host.stray_result'")
            .await,
        1
    );
    one.say(&FromAgent::Claim(one.claim_message(&offer))).await;
}
