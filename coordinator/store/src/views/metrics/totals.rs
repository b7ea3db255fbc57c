//! What counts up, over all time: deployments, jobs, attempts and their durations, by when they ended.
//!
//! The rows it counts are never deleted, and what it counts of them is written once, so every coordinator tells the same
//! number and none falls, restarts included. A reader counts everything once up to a moment that no open transaction can
//! reach back to, and with every later look only what came after it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Place;
use super::spread::{DEPLOY, LEAD, SWITCH, Spread, WAIT};
use crate::StoreResult;

/// From when (without it) to when (with it); none = from the beginning, or to the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// After this moment.
    pub after: Option<DateTime<Utc>>,
    /// Up to this moment.
    pub upto: Option<DateTime<Utc>>,
}

/// A time that is measured for each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// From its start until it is live.
    Deploy,
    /// From the decision to go back until every host is back.
    Rollback,
    /// Between the first and the last switch of one deployment.
    MixedVersion,
    /// From the commit until it is live in the target for the first time.
    LeadTime,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 4] = [Self::Deploy, Self::Rollback, Self::MixedVersion, Self::LeadTime];

    /// The bounds of its buckets, in seconds.
    pub const fn bounds(self) -> &'static [f64] {
        match self {
            Self::Deploy => &DEPLOY,
            Self::Rollback | Self::MixedVersion => &SWITCH,
            Self::LeadTime => &LEAD,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::MixedVersion => "mixed_version",
            Self::LeadTime => "lead_time",
        }
    }
}

/// Everything counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Deployments that ended, by place, kind and outcome.
    pub deployments: BTreeMap<(Place, String, String), u64>,
    /// Their times.
    pub measures: BTreeMap<(Place, Measure), Spread>,
    /// Jobs that ended, by kind and state.
    pub jobs: BTreeMap<(String, String), u64>,
    /// How long jobs that succeeded took, from their last grant, by place and kind.
    pub stages: BTreeMap<(Place, String), Spread>,
    /// Bytes that collections deleted for good on hosts, by project.
    pub removed_bytes: BTreeMap<String, u64>,
    /// Grants, by kind.
    pub attempts: BTreeMap<String, u64>,
    /// How long jobs waited for their first grant, by kind.
    pub waits: BTreeMap<String, Spread>,
    /// Attempts whose lease ran out, by kind.
    pub expired: BTreeMap<String, u64>,
}

fn add<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *into.entry(key.clone()).or_default() += count;
    }
}

fn spread<K: Ord + Clone>(into: &mut BTreeMap<K, Spread>, more: &BTreeMap<K, Spread>) {
    for (key, spread) in more {
        into.entry(key.clone())
            .and_modify(|known| known.merge(spread))
            .or_insert_with(|| spread.clone());
    }
}

impl Totals {
    /// Counts what ended in a span.
    pub async fn read(conn: &mut PgConnection, span: Span) -> StoreResult<Self> {
        let mut totals = Self::default();
        totals.count_deployments(conn, span).await?;
        totals.measure_deployments(conn, span).await?;
        totals.count_jobs(conn, span).await?;
        totals.count_attempts(conn, span).await?;
        totals.count_expired(conn, span).await?;
        Ok(totals)
    }

    /// Adds what another span has.
    pub fn merge(&mut self, more: &Self) {
        add(&mut self.deployments, &more.deployments);
        spread(&mut self.measures, &more.measures);
        add(&mut self.jobs, &more.jobs);
        spread(&mut self.stages, &more.stages);
        add(&mut self.removed_bytes, &more.removed_bytes);
        add(&mut self.attempts, &more.attempts);
        spread(&mut self.waits, &more.waits);
        add(&mut self.expired, &more.expired);
    }

    async fn count_deployments(&mut self, conn: &mut PgConnection, span: Span) -> StoreResult<()> {
        let rows = sqlx::query!(
            r#"SELECT project.name AS project, environment.name AS environment, deployment.kind,
                      deployment.outcome AS "outcome!", count(*) AS "count!"
               FROM deployment JOIN target ON target.id = deployment.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
               WHERE ended_at > COALESCE($1, '-infinity'::timestamptz)
                 AND ended_at <= COALESCE($2, 'infinity'::timestamptz)
               GROUP BY project.name, environment.name, deployment.kind, deployment.outcome"#,
            span.after,
            span.upto,
        )
        .fetch_all(conn)
        .await?;
        for row in rows {
            let place = Place {
                project: row.project,
                environment: row.environment,
            };
            self.deployments
                .insert((place, row.kind, row.outcome), row.count.unsigned_abs());
        }
        Ok(())
    }

    async fn measure_deployments(&mut self, conn: &mut PgConnection, span: Span) -> StoreResult<()> {
        for row in measured(conn, span).await? {
            let named = Measure::ALL
                .into_iter()
                .find(|measure| measure.as_str() == row.measure);
            let Some(measure) = named else { continue };
            let place = Place {
                project: row.project,
                environment: row.environment,
            };
            let spread = self
                .measures
                .entry((place, measure))
                .or_insert_with(|| Spread::over(measure.bounds()));
            spread.add(index(row.bucket), row.count.unsigned_abs(), row.sum);
        }
        Ok(())
    }

    async fn count_jobs(&mut self, conn: &mut PgConnection, span: Span) -> StoreResult<()> {
        let rows = sqlx::query!(
            r#"SELECT job.kind, job.state, project.name AS project, COALESCE(environment.name, '') AS "environment!",
                      CASE WHEN job.state = 'succeeded' AND job.started_at IS NOT NULL
                           THEN width_bucket(extract(epoch FROM job.ended_at - job.started_at)::float8, $3::float8[])
                      END AS bucket,
                      count(*) AS "count!",
                      COALESCE(sum(extract(epoch FROM job.ended_at - job.started_at)), 0)::float8 AS "sum!",
                      COALESCE(sum((job.outcome->'product'->>'purged_bytes')::numeric), 0)::bigint AS "removed!"
               FROM job JOIN project ON project.id = job.project_id
                    LEFT JOIN target ON target.id = job.target_id
                    LEFT JOIN environment ON environment.id = target.environment_id
               WHERE job.ended_at > COALESCE($1, '-infinity'::timestamptz)
                 AND job.ended_at <= COALESCE($2, 'infinity'::timestamptz)
               GROUP BY 1, 2, 3, 4, 5"#,
            span.after,
            span.upto,
            &DEPLOY,
        )
        .fetch_all(conn)
        .await?;
        for row in rows {
            let count = row.count.unsigned_abs();
            *self.jobs.entry((row.kind.clone(), row.state)).or_default() += count;
            if row.removed > 0 {
                *self.removed_bytes.entry(row.project.clone()).or_default() += row.removed.unsigned_abs();
            }
            if let Some(bucket) = row.bucket {
                let place = Place {
                    project: row.project,
                    environment: row.environment,
                };
                let stage = self.stages.entry((place, row.kind));
                let spread = stage.or_insert_with(|| Spread::over(&DEPLOY));
                spread.add(index(bucket), count, row.sum);
            }
        }
        Ok(())
    }

    async fn count_attempts(&mut self, conn: &mut PgConnection, span: Span) -> StoreResult<()> {
        let rows = sqlx::query!(
            r#"SELECT job.kind,
                      CASE WHEN attempt.epoch = 1
                           THEN width_bucket(extract(epoch FROM granted_at - job.created_at)::float8, $3::float8[])
                      END AS bucket,
                      count(*) AS "count!",
                      COALESCE(sum(extract(epoch FROM granted_at - job.created_at)), 0)::float8 AS "sum!"
               FROM attempt JOIN job ON job.id = attempt.job_id
               WHERE granted_at > COALESCE($1, '-infinity'::timestamptz)
                 AND granted_at <= COALESCE($2, 'infinity'::timestamptz)
               GROUP BY 1, 2"#,
            span.after,
            span.upto,
            &WAIT,
        )
        .fetch_all(conn)
        .await?;
        for row in rows {
            let count = row.count.unsigned_abs();
            *self.attempts.entry(row.kind.clone()).or_default() += count;
            if let Some(bucket) = row.bucket {
                let wait = self.waits.entry(row.kind);
                let spread = wait.or_insert_with(|| Spread::over(&WAIT));
                spread.add(index(bucket), count, row.sum);
            }
        }
        Ok(())
    }

    async fn count_expired(&mut self, conn: &mut PgConnection, span: Span) -> StoreResult<()> {
        let rows = sqlx::query!(
            r#"SELECT job.kind, count(*) AS "count!" FROM attempt JOIN job ON job.id = attempt.job_id
               WHERE lost_at > COALESCE($1, '-infinity'::timestamptz)
                 AND lost_at <= COALESCE($2, 'infinity'::timestamptz)
               GROUP BY job.kind"#,
            span.after,
            span.upto,
        )
        .fetch_all(conn)
        .await?;
        self.expired
            .extend(rows.into_iter().map(|row| (row.kind, row.count.unsigned_abs())));
        Ok(())
    }
}

/// A time before the first bound has bucket 0; so has one below zero, which only a clock that was set back makes.
fn index(bucket: i32) -> usize {
    usize::try_from(bucket).unwrap_or_default()
}

struct Measured {
    project: String,
    environment: String,
    measure: String,
    bucket: i32,
    count: i64,
    sum: f64,
}

/// The times of deployments that ended, by place, measure and bucket.
async fn measured(conn: &mut PgConnection, span: Span) -> StoreResult<Vec<Measured>> {
    let rows = sqlx::query_as!(
        Measured,
        r#"WITH ended AS (
               SELECT deployment.*, project.name AS project, environment.name AS environment
               FROM deployment JOIN target ON target.id = deployment.target_id
                    JOIN project ON project.id = target.project_id
                    JOIN environment ON environment.id = target.environment_id
               WHERE started_at IS NOT NULL AND ended_at > COALESCE($1, '-infinity'::timestamptz)
                 AND ended_at <= COALESCE($2, 'infinity'::timestamptz)),
           measured AS (
               SELECT project, environment, CASE kind WHEN 'deploy' THEN 'deploy' ELSE 'rollback' END AS measure,
                      extract(epoch FROM ended_at - started_at)::float8 AS seconds
               FROM ended WHERE outcome = 'live'
               UNION ALL
               SELECT project, environment, 'rollback',
                      extract(epoch FROM ended_at - (rollback->>'at')::timestamptz)::float8
               FROM ended WHERE outcome = 'rolled_back' AND rollback IS NOT NULL
               UNION ALL
               SELECT project, environment, 'lead_time',
                      extract(epoch FROM ended_at - release.committed_at)::float8
               FROM ended JOIN release ON release.id = ended.release_id
               WHERE ended.kind = 'deploy' AND ended.outcome = 'live' AND release.committed_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM deployment AS earlier
                                 WHERE earlier.target_id = ended.target_id AND earlier.outcome = 'live'
                                   AND earlier.release_id = ended.release_id AND earlier.ended_at < ended.ended_at)
               UNION ALL
               SELECT project, environment, 'mixed_version',
                      extract(epoch FROM max(job.ended_at) - min(job.ended_at))::float8
               FROM ended JOIN job ON job.deployment_id = ended.id
               WHERE job.kind IN ('activate', 'rollback') AND job.state = 'succeeded'
               GROUP BY ended.id, project, environment HAVING count(DISTINCT job.placement_id) > 1)
           SELECT project AS "project!", environment AS "environment!", measure AS "measure!",
                  CASE measure WHEN 'deploy' THEN width_bucket(seconds, $3::float8[])
                               WHEN 'lead_time' THEN width_bucket(seconds, $5::float8[])
                               ELSE width_bucket(seconds, $4::float8[]) END AS "bucket!",
                  count(*) AS "count!", sum(GREATEST(seconds, 0)) AS "sum!"
           FROM measured GROUP BY 1, 2, 3, 4"#,
        span.after,
        span.upto,
        &DEPLOY,
        &SWITCH,
        &LEAD,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
