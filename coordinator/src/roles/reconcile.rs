//! The one loop that heals: every bell only makes it look earlier, and it looks by itself all the same.

use std::time::Duration;

use pointsman_store::deployments;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::broker::watch::Consumption;
use crate::error::{OperationError, OperationResult};
use crate::operations::sweep::{self, Reach, Silence, Swept};
use crate::operations::{advance_deployment, converge, lose_hosts, tend_migrations};

/// Reconciles until `stop`.
pub async fn run(app: &App, consumption: &Consumption, stop: &CancellationToken) {
    let pause = Duration::from_millis(app.config.timing.sweep_ms);
    let mut sweeps = tokio::time::interval(pause);
    sweeps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before = Silence::SaysNothing;
    let mut wait = None;
    loop {
        let swept = tokio::select! {
            () = stop.cancelled() => return,
            _ = sweeps.tick() => {
                let silence = silence(app, consumption);
                let begins = before == Silence::SaysNothing && silence == Silence::Counts;
                let reach = if begins { Reach::All } else { Reach::Due };
                before = silence;
                sweep(app, consumption, silence, reach).await
            }
            () = app.bells.reconcile.notified() => true,
            () = due(wait) => true,
        };
        let advanced = note(
            "advancing deployments",
            advance_deployment::advance_all(app).await,
        );
        let converged = note("converging hosts", converge::converge_all(app).await);
        let tended = note("tending migrations", tend_migrations::tend_all(app).await);
        wait = next_due(app, pause).await;
        if !(swept && advanced && converged && tended) {
            // What could not be read could not be judged either; whoever was silent meanwhile gets a new lease of time.
            consumption.interrupt();
        }
    }
}

/// How long until a deployment that waits for its time is due; none when a sweep comes first.
async fn next_due(app: &App, pause: Duration) -> Option<Duration> {
    let now = app.clock.now();
    let due = async { deployments::next_due(&mut *app.store.read().await?, now).await };
    let due = due.await.ok()??;
    // A little later, so that the database's clock agrees.
    let wait = (due - now).to_std().ok()? + Duration::from_millis(50);
    (wait < pause).then_some(wait)
}

async fn due(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Returns whether the database stood behind it.
async fn sweep(app: &App, consumption: &Consumption, silence: Silence, reach: Reach) -> bool {
    let swept = sweep::execute(app, silence, reach).await;
    if matches!(swept, Ok(Swept::Late)) {
        tracing::warn!(
            "the database let a sweep wait; nobody is called silent before everybody could be heard"
        );
        consumption.interrupt();
    }
    if matches!((&swept, silence), (Ok(Swept::Whole), Silence::Counts)) {
        note("noticing lost hosts", lose_hosts::execute(app).await);
    }
    note("sweeping jobs", swept.map(drop))
}

fn silence(app: &App, consumption: &Consumption) -> Silence {
    if consumption.is_settled(Duration::from_millis(app.config.timing.lease_ms)) {
        Silence::Counts
    } else {
        Silence::SaysNothing
    }
}

/// Logs a failure. Returns whether the database stood behind the pass.
fn note(what: &str, outcome: OperationResult<()>) -> bool {
    let Err(error) = outcome else {
        return true;
    };
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "{what} failed; the next pass tries again"
    );
    !matches!(&error, OperationError::Store(store) if store.is_transient())
}
