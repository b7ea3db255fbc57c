//! Believes a signed HTTP request of an agent: the key is the host's, the time is now, and the epoch it names is
//! granted to this very process and current. The database decides, not the message.

use pointsman_domain::{Refusal, RefusalKind};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::JobBody;
use pointsman_shared::wire::request::{SignedParts, TOLERANCE_MS};
use pointsman_store::{StoreError, hosts, jobs};

use crate::app::App;
use crate::error::OperationResult;

/// An epoch that is running now, on whose behalf its agent asks.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The host.
    pub host: HostId,
    /// The agent's process.
    pub instance: InstanceId,
    /// The job.
    pub job: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// What the job asks for.
    pub body: JobBody,
}

/// Checks a request: signature first, then the epoch.
pub async fn execute(app: &App, request: &SignedParts<'_>, signature: &str) -> OperationResult<Trusted> {
    let now = app.clock.now().timestamp_millis();
    if now.abs_diff(request.at) > TOLERANCE_MS.unsigned_abs() {
        let off = now.saturating_sub(request.at) / 1000;
        let what = format!(
            "the request was signed {off} s ago by the agent's clock; more than 60 s is not believed"
        );
        return Err(forbidden("stale_request", what)
            .hint("set the host's clock")
            .into());
    }
    let host: HostId = request
        .host
        .parse()
        .map_err(|_| forbidden("unknown_key", "the request names no host"))?;
    let mut conn = app.store.read().await?;
    let row = hosts::get(&mut conn, &host).await?;
    let key = row.and_then(|row| row.key).ok_or_else(|| {
        forbidden(
            "unknown_key",
            format!("host {host} has no key here; it must join"),
        )
    })?;
    if !request.is_signed_by(&key, signature) {
        let what = format!("the request is not signed with the key of {host}");
        return Err(forbidden("forged_request", what).into());
    }
    let job = jobs::get(&mut conn, request.job)
        .await?
        .filter(|job| job.state == JobState::Running)
        .filter(|job| job.epoch == request.epoch && job.instance == Some(request.instance))
        .filter(|job| job.worker.as_ref() == Some(&host))
        .ok_or_else(|| not_current(request.job, request.epoch))?;
    let body = serde_json::from_str(&job.body).map_err(|error| {
        StoreError::inconsistent("job", job.id, format!("its body cannot be read: {error}"))
    })?;
    Ok(Trusted {
        host,
        instance: request.instance,
        job: request.job,
        epoch: request.epoch,
        body,
    })
}

/// Checks once more, after a long transfer, that the epoch is still the current one.
pub async fn still(app: &App, trusted: &Trusted) -> OperationResult<()> {
    let mut conn = app.store.read().await?;
    let current = jobs::get(&mut conn, trusted.job)
        .await?
        .is_some_and(|job| job.state == JobState::Running && job.epoch == trusted.epoch);
    if current {
        return Ok(());
    }
    Err(not_current(trusted.job, trusted.epoch).into())
}

fn not_current(job: JobId, epoch: Epoch) -> Refusal {
    let what = format!("attempt {epoch} of job {job} is not running on this agent any more");
    forbidden("epoch_not_current", what)
}

pub(super) fn forbidden(code: &'static str, what: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Forbidden, code, what)
}
