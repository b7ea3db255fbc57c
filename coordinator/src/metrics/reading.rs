//! Reads what the database knows: everything over all time once, then with every look only what came since.
//!
//! A row is counted by the time in it, and its transaction may commit later than that. So what is counted for good ends
//! an hour before the look: no transaction of ours lives that long.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_store::StoreResult;
use pointsman_store::views::metrics::Totals;
use pointsman_store::views::metrics::fleet::{self, HostFacts, TargetFacts};
use pointsman_store::views::metrics::totals::Span;
use pointsman_store::views::metrics::work::{self, Channels, DeadJobs, OpenJobs, Outbox};
use tokio::time::Instant;

use crate::app::App;

/// What is older is counted for good.
const SETTLED: TimeDelta = TimeDelta::hours(1);
/// How often what has settled is added to what was counted.
const STEP: TimeDelta = TimeDelta::hours(1);
/// Longest wait for the database; Prometheus itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer is good for, so that nobody can wear the database out by asking.
const FRESH: Duration = Duration::from_secs(1);

/// What the database knew at one moment.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) totals: Totals,
    pub(super) hosts: Vec<HostFacts>,
    pub(super) targets: Vec<TargetFacts>,
    pub(super) open_jobs: Vec<OpenJobs>,
    pub(super) dead_jobs: DeadJobs,
    pub(super) outbox: Outbox,
    pub(super) channels: Channels,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    settled: Totals,
    upto: Option<DateTime<Utc>>,
    newest: Option<(Instant, Arc<Facts>)>,
}

impl Reading {
    /// What the database knows now; none = it does not answer.
    pub(super) async fn facts(&mut self, app: &App) -> Option<Arc<Facts>> {
        if let Some((at, facts)) = &self.newest
            && at.elapsed() < FRESH
        {
            return Some(Arc::clone(facts));
        }
        let read = tokio::time::timeout(PATIENCE, self.read(app)).await;
        match read {
            Ok(Ok(facts)) => {
                let facts = Arc::new(facts);
                self.newest = Some((Instant::now(), Arc::clone(&facts)));
                Some(facts)
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "metrics of the database could not be read");
                None
            }
            Err(_) => {
                tracing::warn!("metrics of the database were not read within {PATIENCE:?}");
                None
            }
        }
    }

    async fn read(&mut self, app: &App) -> StoreResult<Facts> {
        let mut conn = app.store.read().await?;
        let settled = pointsman_store::now(&mut conn).await? - SETTLED;
        if self.upto.is_none_or(|upto| settled - upto >= STEP) {
            let span = Span {
                after: self.upto,
                upto: Some(settled),
            };
            let more = Totals::read(&mut conn, span).await?;
            self.settled.merge(&more);
            self.upto = Some(settled);
        }
        let since = Span {
            after: self.upto,
            upto: None,
        };
        let mut totals = self.settled.clone();
        totals.merge(&Totals::read(&mut conn, since).await?);
        Ok(Facts {
            totals,
            hosts: fleet::hosts(&mut conn, &app.config.timing.rhythm()).await?,
            targets: fleet::targets(&mut conn).await?,
            open_jobs: work::open_jobs(&mut conn).await?,
            dead_jobs: work::dead_jobs(&mut conn).await?,
            outbox: work::outbox(&mut conn).await?,
            channels: work::channels(&mut conn).await?,
        })
    }
}
