//! Jobs, their leases, and the messages around them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::job::{Claimant, JobEvent, Purpose};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, Generation, InstanceId, JobId, SpoolId, StreamId};
use pointsman_shared::name::{HostId, SlotName};
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::from_agent::{FenceState, PlacementState, SlotState, WorkingOn};
use pointsman_shared::wire::job::{Audience, JobBody, Order, SwitchOrder};
use pointsman_shared::wire::{Nonce, VERSION};
use pointsman_store::inbox::{self, Arrival};
use pointsman_store::jobs::{self, JobRow, NewJob, Remark};
use pointsman_store::outbox::{self, Message};
use pointsman_store::{PgConnection, leases, now, placement_pages};
use uuid::Uuid;

use crate::database::with_database;
use crate::rows::{self, PLACEMENT, PROJECT, TARGET};

fn host() -> HostId {
    "web-1".parse().expect("a name")
}

const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(77));

/// A switch of the one placement, queued.
async fn switch(conn: &mut PgConnection, generation: u64) -> JobRow {
    let release = rows::built(conn, &format!("1.0.{generation}"))
        .await
        .expect("a release");
    let digest = Digest::of(b"x");
    let id = 5000 + u128::from(generation);
    let order = SwitchOrder {
        placement: PLACEMENT,
        root: "/srv/shop".parse().expect("a root"),
        slot: SlotName::current(),
        generation: Generation(generation),
        release,
        folder: pointsman_shared::name::ReleaseFolder::of(1, &digest),
        label: "1.0".parse().expect("a label"),
        commit: "a".repeat(40).parse().expect("a commit"),
        manifest: digest,
        hooks: pointsman_shared::recipe::Hooks::default(),
        health: None,
        log_stream: StreamId(Uuid::from_u128(id + 1000)),
    };
    let body = JobBody {
        v: VERSION,
        job: JobId(Uuid::from_u128(id)),
        number: jobs::reserve_number(conn).await.expect("a number"),
        installation: "test".to_owned(),
        audience: Audience::Host(host()),
        project: "shop".parse().expect("a name"),
        project_id: PROJECT,
        environment: Some("production".parse().expect("a name")),
        target_id: Some(TARGET),
        deployment: None,
        inputs: Vec::new(),
        order: Order::Activate(Box::new(order)),
    };
    let new = NewJob {
        body: &body,
        purpose: Purpose::Deploy,
        max_epochs: 3,
        trace: None,
        at: now(conn).await.expect("the time"),
    };
    let job = jobs::insert(conn, &new).await.expect("a job");
    assert_eq!(Digest::of(job.body.as_bytes()), job.body_digest);
    assert_eq!(job.parsed_body().expect("a body"), body);
    job
}

/// Applies an event as the coordinator does, effects aside.
async fn apply(conn: &mut PgConnection, job: &JobRow, event: JobEvent) -> JobRow {
    let at = now(conn).await.expect("the time");
    let step = job.job().expect("a job").apply(event).expect("it applies");
    jobs::save(conn, job, &step.job, &Remark::default(), at)
        .await
        .expect("saved");
    jobs::get(conn, job.id).await.expect("read").expect("there")
}

fn soon(at: DateTime<Utc>) -> DateTime<Utc> {
    at + TimeDelta::seconds(45)
}

async fn running(conn: &mut PgConnection, generation: u64) -> JobRow {
    let queued = switch(conn, generation).await;
    let at = now(conn).await.expect("the time");
    let offered = apply(conn, &queued, JobEvent::Offer { until: soon(at) }).await;
    let claim = JobEvent::Claim {
        epoch: Epoch::NONE,
        by: Claimant {
            host: host(),
            instance: INSTANCE,
        },
        lease_until: soon(at),
    };
    apply(conn, &offered, claim).await
}

#[tokio::test]
async fn a_job_is_written_only_from_the_state_it_was_read_in() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let queued = switch(&mut conn, 1).await;
        let at = now(&mut conn).await.expect("the time");
        let offer = JobEvent::Offer { until: soon(at) };
        let offered = apply(&mut conn, &queued, offer.clone()).await;
        assert_eq!((offered.state, offered.epoch), (JobState::Offered, Epoch::NONE));
        // A writer that forgot the lock holds the row as it was.
        let step = queued.job().expect("a job").apply(offer).expect("it applies");
        let stale = jobs::save(&mut conn, &queued, &step.job, &Remark::default(), at).await;
        assert!(stale.is_err(), "{stale:?}");
    })
    .await;
}

/// The constraint that refuses another switch like `job`, with this generation.
async fn refused(conn: &mut PgConnection, job: &JobRow, generation: u64) -> Option<String> {
    let mut body = job.parsed_body().expect("a body");
    let id = 9000 + u128::from(generation);
    body.job = JobId(Uuid::from_u128(id));
    body.number = jobs::reserve_number(conn).await.expect("a number");
    let Order::Activate(order) = &mut body.order else {
        panic!("not a switch");
    };
    order.generation = Generation(generation);
    order.log_stream = StreamId(Uuid::from_u128(id + 1000));
    let new = NewJob {
        body: &body,
        purpose: Purpose::Deploy,
        max_epochs: 3,
        trace: None,
        at: now(conn).await.expect("the time"),
    };
    let refused = jobs::insert(conn, &new).await.expect_err("refused");
    refused.constraint().map(str::to_owned)
}

#[tokio::test]
async fn a_placement_has_one_open_switch_and_no_generation_twice() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let first = running(&mut conn, 1).await;
        assert_eq!(
            refused(&mut conn, &first, 2).await.as_deref(),
            Some("job_one_open_switch")
        );
        let until = soon(now(&mut conn).await.expect("the time"));
        let done = JobEvent::Result {
            epoch: Epoch(1),
            outcome: Outcome::Cancelled,
            until,
        };
        let offered = apply(&mut conn, &first, done).await;
        let reason = "a newer one".to_owned();
        apply(&mut conn, &offered, JobEvent::Supersede { reason }).await;
        assert_eq!(
            refused(&mut conn, &first, 1).await.as_deref(),
            Some("job_generation")
        );
    })
    .await;
}

#[tokio::test]
async fn a_beat_renews_only_what_its_process_owns_and_never_shortens() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let job = running(&mut conn, 1).await;
        let at = now(&mut conn).await.expect("the time");
        let mine = [WorkingOn {
            job: job.id,
            epoch: Epoch(1),
        }];
        let later = at + TimeDelta::seconds(90);
        let renewed = leases::renew(&mut conn, &host(), INSTANCE, &mine, later)
            .await
            .expect("renewed");
        assert_eq!(renewed.len(), 1);
        let earlier = at + TimeDelta::seconds(10);
        leases::renew(&mut conn, &host(), INSTANCE, &mine, earlier)
            .await
            .expect("renewed");
        let kept = jobs::get(&mut conn, job.id).await.expect("read").expect("there");
        assert_eq!(kept.lease_until, Some(later));
        let old = [WorkingOn {
            job: job.id,
            epoch: Epoch(2),
        }];
        let stranger = InstanceId(Uuid::from_u128(78));
        for (instance, working) in [(INSTANCE, &old), (stranger, &mine)] {
            let none = leases::renew(&mut conn, &host(), instance, working, later)
                .await
                .expect("asked");
            assert!(none.is_empty(), "{none:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_outbox_row_is_claimed_once_and_an_outdated_offer_is_not_sent() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let queued = switch(&mut conn, 1).await;
        let at = now(&mut conn).await.expect("the time");
        let put = outbox::put_offer(&mut conn, &queued, Epoch::NONE, "host.web-1.jobs", at, soon(at));
        put.await.expect("put");
        let (mut one, mut other) = (store.begin().await.expect("tx"), store.begin().await.expect("tx"));
        let first = outbox::claim(&mut one, 10, 30.0, &[]).await.expect("claimed");
        let second = outbox::claim(&mut other, 10, 30.0, &[]).await.expect("claimed");
        assert_eq!((first.len(), second.len()), (1, 0));
        assert!(
            matches!(first[0].message, Message::Outdated),
            "the job is not offered: {first:?}"
        );
        one.commit().await.expect("commit");
        other.commit().await.expect("commit");

        outbox::release(&mut conn, &[first[0].id], 0.0)
            .await
            .expect("given back");
        apply(&mut conn, &queued, JobEvent::Offer { until: soon(at) }).await;
        let busy = ["host.web-1.jobs".to_owned()];
        assert!(
            outbox::claim(&mut conn, 10, 30.0, &busy)
                .await
                .expect("claimed")
                .is_empty()
        );
        let due = outbox::claim(&mut conn, 10, 30.0, &[]).await.expect("claimed");
        let Message::Offer { body, digest, .. } = &due[0].message else {
            panic!("{due:?}");
        };
        assert_eq!(
            (Digest::of(body.as_bytes()), *digest),
            (queued.body_digest, queued.body_digest)
        );
        assert_eq!(
            outbox::mark_missed(&mut conn, due[0].id).await.expect("missed"),
            1
        );
        assert_eq!(
            outbox::claim(&mut conn, 10, 30.0, &[])
                .await
                .expect("claimed")
                .len(),
            1
        );
        outbox::mark_sent(&mut conn, due[0].id).await.expect("sent");
        assert!(
            outbox::claim(&mut conn, 10, 30.0, &[])
                .await
                .expect("claimed")
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn a_spool_is_acknowledged_up_to_its_first_gap() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let spool = SpoolId(Uuid::from_u128(6));
        let at = now(&mut conn).await.expect("the time");
        let mut upto = Vec::new();
        for seq in [3, 1, 1, 2, 5, 4, 2] {
            inbox::note(&mut conn, &host(), spool, seq, at)
                .await
                .expect("noted");
            upto.push(inbox::advance(&mut conn, &host(), spool).await.expect("advanced"));
        }
        assert_eq!(upto, [0, 1, 1, 3, 3, 5, 5]);
        let other = SpoolId(Uuid::from_u128(7));
        assert_eq!(
            inbox::note(&mut conn, &host(), other, 1, at)
                .await
                .expect("noted"),
            Arrival::New
        );
        assert_eq!(
            inbox::note(&mut conn, &host(), spool, 4, at)
                .await
                .expect("noted"),
            Arrival::Duplicate
        );
    })
    .await;
}

#[tokio::test]
async fn a_state_is_whole_when_its_last_page_is_there() {
    with_database(async |store| {
        let mut conn = store.read().await.expect("a connection");
        rows::target(&mut conn).await.expect("rows");
        let nonce = Nonce("n".to_owned());
        let folder = |n: u32| pointsman_shared::name::ReleaseFolder::of(n, &Digest::of(b"x"));
        let page = |page: u32| PlacementState {
            v: VERSION,
            host: host(),
            instance: INSTANCE,
            nonce: nonce.clone(),
            placement: PLACEMENT,
            root: "/srv/shop".parse().expect("a root"),
            slots: vec![SlotState {
                slot: SlotName::current(),
                fence: FenceState::Missing,
                current: None,
                foreign: None,
            }],
            releases: vec![folder(page)],
            page,
            pages: 3,
            problem: None,
            free_bytes: 1,
            at: 0,
        };
        for (number, wholes) in [(2, 0), (0, 0), (0, 0), (1, 1)] {
            placement_pages::add(&mut conn, &page(number))
                .await
                .expect("added");
            let whole = placement_pages::whole(&mut conn, &host(), &nonce)
                .await
                .expect("read");
            assert_eq!(whole.len(), wholes);
        }
        let whole = placement_pages::whole(&mut conn, &host(), &nonce)
            .await
            .expect("read");
        let found: BTreeSet<_> = whole[0].releases.iter().cloned().collect();
        assert_eq!(found, (0..3).map(folder).collect());
    })
    .await;
}
