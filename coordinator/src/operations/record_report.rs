//! Takes a numbered report: applied once, in one transaction with its number, and always acknowledged.
//!
//! The acknowledgement names the highest number up to which everything is stored, read under the host's row lock.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire;
use pointsman_shared::wire::from_agent::{Fault, Report, ReportContent};
use pointsman_shared::wire::to_agent::Acknowledge;
use pointsman_store::events::NewEvent;
use pointsman_store::inbox::{self, Arrival};
use pointsman_store::{StoreError, Transaction, attempts, events, hosts, steps};

use super::{act, record_ledger, record_result};
use crate::app::App;
use crate::error::OperationResult;
use crate::reply::Reply;

/// Takes a verified report: new, duplicate, late or of an unknown job.
pub async fn execute(app: &App, report: &Report) -> OperationResult<Vec<Reply>> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    hosts::lock(&mut tx, &report.host)
        .await?
        .ok_or_else(|| StoreError::inconsistent("host", &report.host, "it signed and does not exist"))?;
    let arrival = inbox::note(&mut tx, &report.host, report.spool, report.seq, now).await?;
    if arrival == Arrival::New {
        apply(app, &mut tx, report, now).await?;
    }
    let upto = inbox::advance(&mut tx, &report.host, report.spool).await?;
    act::commit(tx).await?;
    app.bells.ring();
    if matches!(report.content, ReportContent::Result(_)) {
        crate::crash_point!(C17);
    }
    let acknowledge = Acknowledge {
        v: wire::VERSION,
        host: report.host.clone(),
        spool: report.spool,
        upto,
    };
    Ok(vec![Reply {
        host: report.host.clone(),
        envelope: app.signatory.sign_acknowledge(acknowledge),
    }])
}

async fn apply(app: &App, tx: &mut Transaction, report: &Report, now: DateTime<Utc>) -> OperationResult<()> {
    match &report.content {
        ReportContent::StepStarted(step) => {
            if is_its_epoch(tx, &report.host, step.job, step.epoch).await? {
                steps::started(tx, step, now).await?;
            }
        }
        ReportContent::StepFinished(step) => {
            if is_its_epoch(tx, &report.host, step.job, step.epoch).await? {
                steps::finished(tx, step, now).await?;
            }
        }
        ReportContent::Result(result) => record_result::apply(app, tx, &report.host, result, now).await?,
        ReportContent::Ledger(page) => record_ledger::apply(app, tx, &report.host, page, now).await?,
        ReportContent::Fault(fault) if fault.code == Fault::STOPPING => note_goodbye(tx, report, now).await?,
        ReportContent::Fault(fault) => note_fault(tx, &report.host, fault, now).await?,
    }
    Ok(())
}

/// Whether this epoch was ever granted to this host; an agent speaks for its own work only.
pub async fn is_its_epoch(
    tx: &mut Transaction,
    host: &HostId,
    job: JobId,
    epoch: Epoch,
) -> OperationResult<bool> {
    let attempt = attempts::get(tx, job, epoch).await?;
    Ok(attempt.is_some_and(|attempt| attempt.host == *host))
}

/// A process that was followed by another one has nothing to say about its host any more.
async fn note_goodbye(tx: &mut Transaction, report: &Report, now: DateTime<Utc>) -> OperationResult<()> {
    let host = &report.host;
    if !hosts::note_stopped(tx, host, report.instance, now).await? {
        return Ok(());
    }
    let event = NewEvent {
        kind: "host.stopped",
        host: Some(host.as_str()),
        message: format!("the agent of {host} was stopped"),
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    Ok(())
}

async fn note_fault(
    tx: &mut Transaction,
    host: &HostId,
    fault: &Fault,
    now: DateTime<Utc>,
) -> OperationResult<()> {
    let event = NewEvent {
        kind: "host.fault",
        host: Some(host.as_str()),
        message: format!("{host}: {} ({})", fault.message, fault.code),
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    Ok(())
}
