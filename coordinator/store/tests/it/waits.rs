//! When deployments waited for a person: told apart from work, and kept when it is over.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_domain::deployment::{CancelDecision, DeploymentOutcome, PauseReason, Paused};
use pointsman_domain::forecast::waits::{self, Wait};
use pointsman_shared::ids::DeploymentId;
use pointsman_store::deployments::{self, Start};
use pointsman_store::{PgConnection, StoreResult, now};

use super::database::with_database;
use super::rows::{self, PLACEMENT, TARGET};

/// A deployment that began two hundred seconds before now.
async fn begun(conn: &mut PgConnection) -> StoreResult<(DeploymentId, DateTime<Utc>)> {
    rows::target(conn).await?;
    let release = rows::built(conn, "1.0").await?;
    let at = now(conn).await?;
    let id = rows::wish(conn, 1, release).await?;
    let start = Start {
        id,
        from: None,
        hosts: &[(PLACEMENT, 1)],
        at: at - TimeDelta::seconds(200),
    };
    deployments::start(conn, &start).await?;
    Ok((id, at))
}

fn paused(at: DateTime<Utc>) -> Paused {
    Paused {
        why: PauseReason::Failure,
        message: "web-1 failed".to_owned(),
        at,
        by: None,
    }
}

#[tokio::test]
async fn a_wait_for_a_person_is_kept_and_taken_from_what_a_deployment_took() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        let (id, at) = begun(&mut conn).await.unwrap();
        deployments::pause(&mut conn, id, &paused(at - TimeDelta::seconds(100)))
            .await
            .unwrap();
        let open = deployments::waits(&mut conn, &[1]).await.unwrap();
        let going_on = Wait {
            from: at - TimeDelta::seconds(100),
            to: None,
        };
        assert_eq!(open.get(&1), Some(&vec![going_on]));
        deployments::resume(&mut conn, id).await.unwrap();
        // One that waits when it is cancelled waited until then, however late it ends.
        deployments::pause(&mut conn, id, &paused(at)).await.unwrap();
        let cancel = CancelDecision {
            by: "ann".to_owned(),
            at,
            reason: None,
        };
        deployments::cancel(&mut conn, id, &cancel).await.unwrap();
        let end = at + TimeDelta::seconds(100);
        assert!(
            deployments::end(&mut conn, id, DeploymentOutcome::Live, "live", end)
                .await
                .unwrap()
        );
        let kept = deployments::waits(&mut conn, &[1, 2]).await.unwrap();
        let kept = kept.get(&1).unwrap();
        let waited = waits::within(kept, at - TimeDelta::seconds(200), end);
        assert_eq!(kept.len(), 2, "{kept:?}");
        let first = kept[0].to.unwrap() - kept[0].from;
        assert!(waited >= 100_000 && first >= TimeDelta::seconds(100), "{kept:?}");
        let took = deployments::durations(&mut conn, TARGET, 20).await.unwrap();
        assert!(
            took.len() == 1 && took[0].abs_diff(300_000 - waited) <= 1,
            "{took:?}"
        );
    })
    .await;
}

/// A job of the deployment that began and ended so many seconds ago; one that has not ended runs still.
async fn works(conn: &mut PgConnection, began: i32, ended: Option<i32>) {
    let inserted = sqlx::query(
        "WITH stream AS (INSERT INTO log_stream (id, kind, host_id, created_at)
                         VALUES (gen_random_uuid(), 'job', 'web-1', now())
                         RETURNING id)
         INSERT INTO job (id, kind, state, purpose, project_id, target_id, placement_id, deployment_id, release_id, host_id,
                          body, body_digest, log_stream_id, epoch, created_at, started_at, ended_at, lease_until,
                          instance_id, worker_id)
         SELECT gen_random_uuid(), 'install', CASE WHEN $2::int IS NULL THEN 'running' ELSE 'succeeded' END, 'deploy',
                target.project_id, target.id, placement.id, deployment.id, deployment.release_id, 'web-1', '{}',
                sha256('{}'), stream.id, 1, now(), now() - make_interval(secs => $1), now() - make_interval(secs => $2),
                CASE WHEN $2 IS NULL THEN now() END, CASE WHEN $2 IS NULL THEN gen_random_uuid() END, 'web-1'
         FROM stream, deployment JOIN target ON target.id = deployment.target_id
              JOIN placement ON placement.target_id = target.id",
    )
    .bind(began)
    .bind(ended)
    .execute(conn)
    .await;
    assert!(inserted.is_ok(), "{inserted:?}");
}

#[tokio::test]
async fn work_that_goes_on_during_a_pause_is_no_wait() {
    with_database(|store| async move {
        let mut conn = store.read().await.unwrap();
        let (id, at) = begun(&mut conn).await.unwrap();
        deployments::pause(&mut conn, id, &paused(at - TimeDelta::seconds(100)))
            .await
            .unwrap();
        works(&mut conn, 120, None).await;
        let waits = deployments::waits(&mut conn, &[1]).await.unwrap();
        assert_eq!(waits.get(&1), None, "something of it runs still");
        sqlx::query("DELETE FROM job").execute(&mut *conn).await.unwrap();
        works(&mut conn, 120, Some(40)).await;
        let waits = deployments::waits(&mut conn, &[1]).await.unwrap();
        let waited = at - waits.get(&1).unwrap()[0].from;
        assert!(waited <= TimeDelta::seconds(40), "{waits:?}");
        deployments::resume(&mut conn, id).await.unwrap();
        let kept = deployments::waits(&mut conn, &[1]).await.unwrap();
        assert_eq!(kept.get(&1).unwrap()[0].from, waits.get(&1).unwrap()[0].from);
    })
    .await;
}
