//! Deployments, their jobs, migrations, locks.

use pointsman_shared::api::deployments::{
    CancelRequest, DecisionRequest, Deployment, HostsRequest, NewDeployment, NewRollback, PauseRequest,
    Promotion,
};
use pointsman_shared::api::jobs::{DeadLetter, Job, LogPage};
use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::api::migrations::{MigrationRequest, MigrationRun, Migrations};
use pointsman_shared::api::plans::{NewPlan, Plan};

use super::super::operation::{Operation, delete, get, post, put};
use super::super::problems::{
    DEAD_RELEASE, DEPLOYMENT, HOST, HOSTS, JOB, LOCKED, PROJECT, REASON, RELEASE, REPOSITORY, TARGET,
    UNDER_WAY, WAY_BACK, WISH,
};
use crate::http::deployments::DeploymentsQuery;
use crate::http::jobs::{JobsQuery, LogQuery};
use crate::http::migrations::MigrationsQuery;
use crate::http::paging::PageQuery;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = deployments();
    all.extend(plans());
    all.extend(decisions());
    all.extend(interventions());
    all.extend(jobs());
    all.extend(migrations());
    all.extend(locks());
    all
}

fn deployments() -> Vec<Operation> {
    vec![
        get("/api/v1/deployments", "Deployments, newest first")
            .query::<DeploymentsQuery>()
            .gives_page::<Deployment>()
            .refuses(PROJECT)
            .refuses(TARGET),
        post("/api/v1/deployments", "Wish a release live")
            .takes::<NewDeployment>()
            .gives::<Deployment>(202)
            .refuses(WISH)
            .refuses(PROJECT)
            .refuses(TARGET)
            .refuses(RELEASE)
            .refuses(DEAD_RELEASE)
            .refuses(REPOSITORY)
            .refuses(LOCKED)
            .refuses(HOSTS)
            .refuses(WAY_BACK),
        get(
            "/api/v1/deployments/{number}",
            "A deployment, with each host's part in it",
        )
        .gives::<Deployment>(200)
        .refuses(DEPLOYMENT),
    ]
}

fn decisions() -> Vec<Operation> {
    vec![
        post("/api/v1/deployments/{number}/cancel", "Stop a deployment")
            .takes::<CancelRequest>()
            .gives::<Deployment>(202)
            .refuses(REASON)
            .refuses(&[(409, "deployment_over")])
            .refuses(DEPLOYMENT),
        post(
            "/api/v1/deployments/{number}/decision",
            "Say how a deployment that holds goes on",
        )
        .takes::<DecisionRequest>()
        .gives::<Deployment>(202)
        .refuses(REASON)
        .refuses(&[
            (409, "not_paused"),
            (409, "is_rollback"),
            (409, "no_previous_good"),
        ])
        .refuses(UNDER_WAY)
        .refuses(DEPLOYMENT)
        .refuses(WAY_BACK)
        .refuses(DEAD_RELEASE),
        post(
            "/api/v1/rollbacks",
            "Go back to an older good release, now or within the open deployment",
        )
        .takes::<NewRollback>()
        .gives::<Deployment>(202)
        .refuses(REASON)
        .refuses(&[
            (409, "no_previous_good"),
            (409, "not_older"),
            (409, "deployment_open"),
            (409, "rolling_back"),
            (409, "cancelling"),
            (409, "is_rollback"),
        ])
        .refuses(PROJECT)
        .refuses(TARGET)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE)
        .refuses(LOCKED)
        .refuses(HOSTS)
        .refuses(WAY_BACK),
    ]
}

fn plans() -> Vec<Operation> {
    vec![
        post(
            "/api/v1/plans",
            "Say what a deployment would do, and keep it under its hash",
        )
        .takes::<NewPlan>()
        .gives::<Plan>(201)
        .refuses(&[(422, "invalid_waves")])
        .refuses(PROJECT)
        .refuses(TARGET)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE)
        .refuses(REPOSITORY),
        get("/api/v1/plans/{hash}", "A plan as it was made")
            .gives::<Plan>(200)
            .refuses(&[(404, "unknown_plan")]),
        post(
            "/api/v1/promotions",
            "Wish what is live in one environment live in a later one, the same bytes",
        )
        .takes::<Promotion>()
        .gives::<Deployment>(202)
        .refuses(&[
            (404, "unknown_environment"),
            (409, "not_ahead"),
            (409, "nothing_live"),
        ])
        .refuses(WISH)
        .refuses(PROJECT)
        .refuses(TARGET)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE)
        .refuses(LOCKED)
        .refuses(HOSTS)
        .refuses(WAY_BACK),
    ]
}

fn interventions() -> Vec<Operation> {
    vec![
        post(
            "/api/v1/deployments/{number}/pause",
            "Have a deployment wait before its next wave",
        )
        .takes::<PauseRequest>()
        .gives::<Deployment>(202)
        .refuses(REASON)
        .refuses(&[(409, "already_paused")])
        .refuses(UNDER_WAY)
        .refuses(DEPLOYMENT),
        post(
            "/api/v1/deployments/{number}/retry",
            "Try hosts of a deployment again that failed",
        )
        .takes::<HostsRequest>()
        .gives::<Deployment>(202)
        .refuses(REASON)
        .refuses(&[(409, "drifted"), (409, "not_failed"), (409, "nothing_failed")])
        .refuses(UNDER_WAY)
        .refuses(HOST)
        .refuses(DEPLOYMENT),
        post(
            "/api/v1/deployments/{number}/skip",
            "Leave hosts out of a deployment",
        )
        .takes::<HostsRequest>()
        .gives::<Deployment>(202)
        .refuses(REASON)
        .refuses(&[
            (409, "already_live"),
            (409, "already_out"),
            (409, "host_at_work"),
            (422, "no_host"),
        ])
        .refuses(UNDER_WAY)
        .refuses(HOST)
        .refuses(DEPLOYMENT),
    ]
}

fn jobs() -> Vec<Operation> {
    vec![
        get("/api/v1/jobs", "Jobs, newest first, without their steps")
            .query::<JobsQuery>()
            .gives_page::<Job>(),
        get("/api/v1/dead-letters", "Messages that were refused, newest first")
            .query::<PageQuery>()
            .gives_page::<DeadLetter>(),
        get(
            "/api/v1/jobs/{number}",
            "A job with the steps of all its attempts",
        )
        .gives::<Job>(200)
        .refuses(JOB),
        get("/api/v1/jobs/{number}/log", "Lines of an attempt's log")
            .query::<LogQuery>()
            .gives::<LogPage>(200)
            .refuses(JOB),
        post("/api/v1/jobs/{number}/cancel", "Stop a job")
            .takes::<CancelRequest>()
            .gives::<Job>(200)
            .refuses(REASON)
            .refuses(&[(409, "job_over")])
            .refuses(JOB),
    ]
}

fn migrations() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/targets/{target}/migrations",
            "Where each migration of a release stands in a target",
        )
        .query::<MigrationsQuery>()
        .gives::<Migrations>(200)
        .refuses(TARGET)
        .refuses(PROJECT)
        .refuses(RELEASE),
        post(
            "/api/v1/targets/{target}/migrations",
            "Work on a target's migrations by hand",
        )
        .takes::<MigrationRequest>()
        .gives::<MigrationRun>(202)
        .refuses(REASON)
        .refuses(&[
            (404, "unknown_migration"),
            (409, "deployment_open"),
            (409, "migration_indeterminate"),
            (409, "migration_needed"),
            (409, "migration_open"),
            (409, "no_migrations"),
            (409, "no_way_back"),
            (409, "nothing_live"),
            (409, "release_not_live"),
            (409, "too_early"),
            (422, "migration_missing"),
        ])
        .refuses(PROJECT)
        .refuses(TARGET)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE)
        .refuses(LOCKED)
        .refuses(HOSTS),
    ]
}

fn locks() -> Vec<Operation> {
    let lock = |operation: Operation| {
        operation.takes::<NewLock>().gives_all::<Lock>(200).refuses(&[
            (422, "invalid_reason"),
            (422, "invalid_expiry"),
            (423, "locked"),
        ])
    };
    let unlock = |operation: Operation| operation.gives_all::<Lock>(200).refuses(&[(409, "not_locked")]);
    vec![
        get("/api/v1/locks", "Locks and the global stop").gives_all::<Lock>(200),
        lock(put(
            "/api/v1/targets/{target}/lock",
            "Refuse new wishes for a target",
        ))
        .refuses(TARGET),
        unlock(delete(
            "/api/v1/targets/{target}/lock",
            "End the lock of a target",
        ))
        .refuses(TARGET),
        lock(put(
            "/api/v1/stop",
            "Refuse new wishes and grants but those of rollbacks",
        )),
        unlock(delete("/api/v1/stop", "End the global stop")),
    ]
}
