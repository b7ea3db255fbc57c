//! The whole way, told by messages: build, install, adopt, switch.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, Generation, StreamId};
use pointsman_shared::name::SlotName;
use pointsman_shared::outcome::{JobKind, Outcome, Product};
use pointsman_shared::wire::from_agent::{
    FenceState, PlacementState, ReportContent, SlotState, StepFinished, StepStarted,
};
use pointsman_shared::wire::job::Order;
use pointsman_shared::wire::logs::{LogChunk, LogContent, LogLine, LogSource};
use pointsman_shared::wire::to_agent::{Offer, Welcome};
use pointsman_shared::wire::{self, FromAgent, JobBody, ToAgent, topology};

use crate::agent::TestAgent;
use crate::world::{Times, World};

pub fn built() -> Outcome {
    Outcome::Succeeded {
        product: Product::Release {
            manifest: Digest::of(b"manifest"),
            archive: Digest::of(b"archive"),
            packing: Digest::of(b"packing"),
            archive_bytes: 10,
            total_bytes: 3,
            entries: 1,
        },
    }
}

pub fn body(offer: &Offer) -> JobBody {
    assert_eq!(Digest::of(offer.body.as_bytes()), offer.digest);
    serde_json::from_str(&offer.body).unwrap()
}

#[tokio::test]
async fn a_build_travels_from_the_wish_to_the_release() {
    let world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    world.request_build().await;

    let (offer, grant) = builder.take(&mut offers).await;
    let number = body(&offer).number;
    assert_eq!(world.job(number).await.state, JobState::Running);
    let job = world.job(number).await;

    let (job_id, epoch) = (grant.job, grant.epoch);
    let started = builder.report(ReportContent::StepStarted(StepStarted {
        job: job_id,
        epoch,
        ordinal: 0,
        step: "checkout".to_owned(),
    }));
    builder.send(&started).await;
    let finished = builder.report(ReportContent::StepFinished(StepFinished {
        job: job_id,
        epoch,
        ordinal: 0,
        step: "checkout".to_owned(),
        duration_ms: 12,
        ok: true,
    }));
    builder.send(&finished).await;
    let chunk = one_line(&builder, job.log_stream, epoch);
    builder.log(&chunk).await;
    builder.log(&chunk).await;
    builder.end(&grant, built()).await;

    assert_eq!(world.job(number).await.state, JobState::Succeeded);
    world.count_until("SELECT count(*) FROM log_chunk", 1).await;
    assert_eq!(
        world
            .count("SELECT count(*) FROM job_step WHERE ok AND duration_ms = 12")
            .await,
        1
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM release WHERE state = 'built'")
            .await,
        1
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM attempt WHERE ending = 'result'")
            .await,
        1
    );
}

fn one_line(agent: &TestAgent, stream: StreamId, epoch: Epoch) -> LogChunk {
    LogChunk {
        v: wire::VERSION,
        host: agent.host.clone(),
        stream,
        epoch,
        seq: 1,
        stage: "checkout".to_owned(),
        first_line: 1,
        offset: 0,
        content: LogContent::Lines(vec![LogLine {
            at: 0,
            source: LogSource::Out,
            text: "hello".to_owned(),
        }]),
    }
}

#[tokio::test]
async fn a_release_is_installed_adopted_and_switched_to() {
    let world = World::start(Times::default()).await;
    let (mut builder, mut web) = tokio::join!(
        TestAgent::builder(&world, "builder-1"),
        TestAgent::join(&world, "web-1", &[], "web"),
    );
    let mut builds = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let (_, grant) = builder.take(&mut builds).await;
    builder.end(&grant, built()).await;

    let (welcome, nonce) = say_hello(&mut web).await;
    let placement = welcome
        .placements
        .first()
        .expect("a placement by its labels")
        .clone();
    let state = missing_fence(&web, &placement.root, placement.placement, nonce);
    web.say(&FromAgent::PlacementState(state)).await;
    let adopt = web
        .hear("an adopt", |message| match message {
            ToAgent::Adopt(adopt) => Some(adopt),
            _ => None,
        })
        .await;
    assert_eq!(
        (adopt.placement, adopt.slots.as_slice()),
        (placement.placement, [SlotName::current()].as_slice())
    );

    let deployment = world.request_deployment("1.0.0").await;
    let mut jobs = web.offers(&topology::host_jobs(&web.host)).await;
    let (install, grant) = web.take(&mut jobs).await;
    assert_eq!(body(&install).order.kind(), JobKind::Install);
    let installed = Product::Installed { reused: false };
    web.end(&grant, Outcome::Succeeded { product: installed }).await;

    let (switch, grant) = web.take(&mut jobs).await;
    let Order::Activate(order) = body(&switch).order else {
        panic!("not an activate");
    };
    assert!(order.generation > adopt.generation);
    let switched = Product::Switched {
        from: None,
        current: order.folder.clone(),
    };
    web.end(&grant, Outcome::Succeeded { product: switched }).await;
    world
        .count_until("SELECT count(*) FROM deployment WHERE outcome = 'live'", 1)
        .await;
    assert_eq!(
        world.count("SELECT max(number) FROM deployment").await,
        deployment
    );
    let confirmed =
        "SELECT count(*) FROM placement WHERE confirmed_release_id IS NOT NULL AND health = 'healthy'";
    assert_eq!(world.count(confirmed).await, 1);
}

async fn say_hello(agent: &mut TestAgent) -> (Welcome, wire::Nonce) {
    let mut hello = agent.hello_message(None);
    hello.placements = 1;
    let nonce = hello.nonce.clone();
    agent.say(&FromAgent::Hello(hello)).await;
    let welcome = agent
        .hear("a welcome", |message| match message {
            ToAgent::Welcome(welcome) => Some(welcome),
            _ => None,
        })
        .await;
    (welcome, nonce)
}

fn missing_fence(
    agent: &TestAgent,
    root: &pointsman_shared::name::RootPath,
    placement: pointsman_shared::ids::PlacementId,
    nonce: wire::Nonce,
) -> PlacementState {
    PlacementState {
        v: wire::VERSION,
        host: agent.host.clone(),
        instance: agent.instance,
        nonce,
        placement,
        root: root.clone(),
        slots: vec![SlotState {
            slot: SlotName::current(),
            fence: FenceState::Missing,
            current: None,
            foreign: None,
        }],
        releases: Vec::new(),
        page: 0,
        pages: 1,
        problem: None,
        free_bytes: 1 << 30,
        at: 0,
    }
}

#[tokio::test]
async fn a_drained_coordinator_loses_nothing_and_another_goes_on() {
    let mut world = World::start(Times::default()).await;
    let mut builder = TestAgent::builder(&world, "builder-1").await;
    let mut offers = builder.offers("pool.default.jobs").await;
    world.request_build().await;
    let (offer, grant) = builder.take(&mut offers).await;
    world.drain().await;

    // What an agent says meanwhile waits in the queue.
    let report = builder.report(ReportContent::Result(
        pointsman_shared::wire::from_agent::JobResult {
            job: grant.job,
            epoch: grant.epoch,
            outcome: built(),
            log: None,
        },
    ));
    builder.say(&FromAgent::Report(report)).await;
    assert_eq!(world.job(body(&offer).number).await.state, JobState::Running);
    world.serve();
    let succeeded = |job: &pointsman_store::jobs::JobRow| job.state == JobState::Succeeded;
    let job = world.job_until(body(&offer).number, "succeeded", succeeded).await;
    assert_eq!((job.epoch, job.generation), (Epoch(1), None::<Generation>));
}
