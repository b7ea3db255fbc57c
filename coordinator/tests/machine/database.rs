//! The database goes away and comes back.

use std::time::Duration;

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::wire::FromAgent;
use pointsman_shared::wire::from_agent::{JobResult, ReportContent};
use pointsman_shared::wire::to_agent::LeaseVerdict;

use crate::agent::TestAgent;
use crate::journey::{body, built};
use crate::world::{Times, World};

#[tokio::test]
async fn what_agents_say_while_the_database_is_away_is_kept_and_nobody_is_lost() {
    let world = World::start(Times {
        lease: 3_000,
        ..Times::default()
    })
    .await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = builder.take(&mut offers).await;
    let report = builder.report(ReportContent::Result(JobResult {
        job: grant.job,
        epoch: grant.epoch,
        outcome: built(),
        log: None,
    }));

    world.let_database(false).await;
    // Longer than the lease, and longer than the tries that a delivery of its own fault would get.
    tokio::time::sleep(Duration::from_secs(6)).await;
    world.let_database(true).await;

    // Who judges first after the return must have heard the agent before it judges.
    let reply = builder.beat(&[(grant.job, grant.epoch)]).await;
    assert_eq!(reply.leases[0].verdict, LeaseVerdict::Renewed);
    world.let_database(false).await;
    builder.say(&FromAgent::Report(report)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.let_database(true).await;
    let succeeded = |job: &pointsman_store::jobs::JobRow| job.state == JobState::Succeeded;
    let job = world.job_until(body(&offer).number, "succeeded", succeeded).await;
    assert_eq!((job.epoch, job.late_result), (grant.epoch, false));
    assert_eq!(world.count("SELECT count(*) FROM refused_message").await, 0);
}
