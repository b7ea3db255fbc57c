//! Migrations, garbage and locks: what is asked for is remembered, what is answered is always the same.

use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use pointsman_shared::api::garbage::{
    BuilderGarbage, Garbage, GarbageItem, GarbageRequest, GarbageSchedule, LeftAlone, PinRequest,
    PrunedRelease, UndoRequest, Undone, WorkshopCollection,
};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::api::migrations::{Migration, MigrationRequest, MigrationRun, Migrations};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::name::TargetName;
use pointsman_shared::outcome::{GoneFolder, JobKind, WorkshopFolder};
use serde_json::json;

use super::Shared;
use super::world::{JUST_NOW, ago, name};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/targets/{target}/migrations", get(migrations).post(migrate))
        .route("/garbage", post(collect))
        .route("/garbage/undo", post(undo))
        .route("/garbage/schedules", get(schedules).put(set_schedule))
        .route("/projects/{project}/releases/{release}/pin", put(pin))
        .route("/locks", get(locks))
        .route("/targets/{target}/lock", put(lock).delete(unlock))
        .route("/stop", put(stop).delete(go_on))
}

async fn migrations(State(shared): State<Shared>, Path(target): Path<String>) -> Json<Migrations> {
    let item = |phase, text: &str, state, own, reversible| Migration {
        phase,
        name: name(text),
        state,
        own,
        reversible,
        job: state.map(|_| 8119),
        seen_at: state.map(|_| ago(JUST_NOW)),
    };
    let (pre, post) = (MigrationPhase::Pre, MigrationPhase::Post);
    Json(Migrations {
        target: name(&target),
        release: Some(name("1.9.0")),
        post_from: Some("2026-12-20T03:00:00Z".parse().unwrap()),
        post_auto: false,
        open_job: None,
        unknown_job: (!shared.world().settled).then_some(8118),
        items: vec![
            item(pre, "0001_orders", Some(MigrationState::Applied), true, true),
            item(
                pre,
                "0002_index",
                Some(MigrationState::Indeterminate),
                true,
                false,
            ),
            item(post, "0001_drop_price", Some(MigrationState::Pending), true, true),
            item(post, "0002_new", None, true, false),
            item(post, "0009_other", Some(MigrationState::Applied), false, false),
        ],
    })
}

async fn migrate(State(shared): State<Shared>, Json(wish): Json<MigrationRequest>) -> Json<MigrationRun> {
    let mut world = shared.world();
    let broken = wish.migration.is_some_and(|name| name.as_str() == "0003_broken");
    let number = if broken { 8122 } else { 8120 };
    let job = world.add_job(number, JobKind::Migrate, "web-1", None);
    job.state = JobState::Succeeded;
    if broken {
        job.state = JobState::Failed;
        job.reason =
            Some("0003_broken.sql, line 2: relation \"oders\" does not exist (SQLSTATE 42P01)".to_owned());
    }
    Json(MigrationRun { job: number })
}

async fn collect(Json(wish): Json<GarbageRequest>) -> Json<Garbage> {
    let item = |host: &str, folder: &str, release: Option<&str>, bytes, stays: Option<&str>| GarbageItem {
        target: name("shop@production"),
        host: name(host),
        folder: name(folder),
        release: release.map(name),
        bytes,
        stays: stays.map(str::to_owned),
    };
    let foreign = "not made by this coordinator, so it is never touched";
    Json(Garbage {
        dry_run: wish.dry_run,
        items: vec![
            item("web-1", "000001-aaaaaaaaaaaa", Some("1.7.0"), 41_200_000, None),
            item(
                "web-1",
                "000002-bbbbbbbbbbbb",
                Some("1.8.0"),
                41_300_000,
                Some("previous good: a rollback goes there"),
            ),
            item(
                "web-1",
                "000003-cccccccccccc",
                Some("1.9.0"),
                41_400_000,
                Some("live"),
            ),
            item("web-1", "000099-dddddddddddd", None, 0, Some(foreign)),
        ],
        left: vec![LeftAlone {
            target: name("shop@production"),
            host: name("web-2"),
            reason: "its host has not told its state yet".to_owned(),
        }],
        jobs: vec![8121],
        pruned: vec![PrunedRelease {
            project: name("shop"),
            release: name("1.6.0"),
            bytes: 12_000_000,
        }],
        builders: if wish.project.is_none() && wish.target.is_none() {
            builders(wish.dry_run)
        } else {
            Vec::new()
        },
    })
}

fn builders(dry_run: bool) -> Vec<BuilderGarbage> {
    let gone = GoneFolder {
        kind: WorkshopFolder::Cache,
        name: "5feceb66ffc86f38d952".to_owned(),
        bytes: 812_437_504,
        reason: "unused for 15 d".to_owned(),
    };
    vec![
        BuilderGarbage {
            host: name("builder-1"),
            job: (!dry_run).then_some(8122),
            left: None,
            last: Some(WorkshopCollection {
                job: 8090,
                at: "2026-12-19T03:12:00Z".parse().unwrap(),
                bytes: gone.bytes,
                gone: vec![gone],
                more: 0,
            }),
        },
        BuilderGarbage {
            host: name("builder-2"),
            job: None,
            left: (!dry_run).then(|| "it takes no collections".to_owned()),
            last: None,
        },
    ]
}

async fn undo(Json(_wish): Json<UndoRequest>) -> Json<Undone> {
    Json(Undone {
        hosts: vec![name("web-1"), name("web-2")],
    })
}

async fn schedules() -> Json<Vec<GarbageSchedule>> {
    Json(vec![GarbageSchedule {
        project: name("shop"),
        cron: Some("12 3 * * *".to_owned()),
        next: Some("2026-12-20T03:12:00Z".parse().unwrap()),
        last: None,
    }])
}

async fn set_schedule(Json(wish): Json<GarbageSchedule>) -> Json<GarbageSchedule> {
    Json(wish)
}

async fn pin(Json(wish): Json<PinRequest>) -> Json<PinRequest> {
    Json(wish)
}

/// A lock of Lucy's.
pub fn held(target: Option<&str>, reason: &str) -> Lock {
    Lock {
        target: target.map(name),
        reason: reason.to_owned(),
        owner: "lucy".to_owned(),
        since: ago(JUST_NOW),
        expires_at: None,
    }
}

async fn locks(State(shared): State<Shared>) -> Json<Vec<Lock>> {
    Json(shared.world().locks.clone())
}

async fn lock(
    State(shared): State<Shared>,
    Path(target): Path<String>,
    Json(wish): Json<NewLock>,
) -> Json<Vec<Lock>> {
    let mut world = shared.world();
    world.note("target.lock", &target, json!({ "reason": wish.reason }));
    world.locks.push(held(Some(&target), &wish.reason));
    Json(world.locks.clone())
}

async fn unlock(State(shared): State<Shared>, Path(target): Path<String>) -> Json<Vec<Lock>> {
    let mut world = shared.world();
    let target: TargetName = name(&target);
    let (held, left) = world
        .locks
        .drain(..)
        .partition::<Vec<_>, _>(|lock| lock.target.as_ref() == Some(&target));
    world.locks = left;
    let detail = json!({ "owner": "lucy", "reason": held[0].reason });
    world.note("target.unlock", &target.to_string(), detail);
    Json(world.locks.clone())
}

async fn stop(State(shared): State<Shared>, Json(wish): Json<NewLock>) -> Json<Vec<Lock>> {
    let mut world = shared.world();
    world.note("stop.set", "everything", json!({ "reason": wish.reason }));
    world.locks.insert(0, held(None, &wish.reason));
    Json(world.locks.clone())
}

async fn go_on(State(shared): State<Shared>) -> Json<Vec<Lock>> {
    let mut world = shared.world();
    let (held, left) = world
        .locks
        .drain(..)
        .partition::<Vec<_>, _>(|lock| lock.target.is_none());
    world.locks = left;
    let reason = held.first().map(|lock| lock.reason.clone());
    world.note(
        "stop.lift",
        "everything",
        json!({ "owner": "lucy", "reason": reason }),
    );
    Json(world.locks.clone())
}
