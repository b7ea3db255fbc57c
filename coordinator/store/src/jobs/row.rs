//! A job's row with typed fields, and the domain's job in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::job::{CancelRequest, FinalState, Job, Purpose, State};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{
    DeploymentId, Epoch, Generation, InstanceId, JobId, PlacementId, ProjectId, ReleaseId, StreamId, TargetId,
};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::{JobKind, Outcome};
use pointsman_shared::wire::from_agent::DeclineReason;
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::{JobBody, TraceParent};
use serde::de::DeserializeOwned;

use crate::{StoreError, StoreResult};

/// A job as it stands.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Its number for people.
    pub number: i64,
    /// Its kind.
    pub kind: JobKind,
    /// Its state.
    pub state: JobState,
    /// Why it exists.
    pub purpose: Purpose,
    /// Its project.
    pub project: ProjectId,
    /// The release it makes or handles.
    pub release: Option<ReleaseId>,
    /// The target it works on.
    pub target: Option<TargetId>,
    /// The placement it works on.
    pub placement: Option<PlacementId>,
    /// The deployment that caused it.
    pub deployment: Option<DeploymentId>,
    /// Who may take it.
    pub audience: Audience,
    /// The decision's number, for switches.
    pub generation: Option<Generation>,
    /// Canonical body as stored.
    pub body: String,
    /// SHA-256 of the body.
    pub body_digest: Digest,
    /// Its log.
    pub log_stream: StreamId,
    /// Number of its newest grant.
    pub epoch: Epoch,
    /// Grants at most.
    pub max_epochs: u32,
    /// Whether an earlier epoch was lost, so that its effect may have happened.
    pub unsettled: bool,
    /// When it was last offered.
    pub offered_at: Option<DateTime<Utc>>,
    /// When that offer is void.
    pub offer_expires_at: Option<DateTime<Utc>>,
    /// Since when nobody who could take it is seen.
    pub waiting_since: Option<DateTime<Utc>>,
    /// End of the running epoch's lease.
    pub lease_until: Option<DateTime<Utc>>,
    /// Process of the running epoch.
    pub instance: Option<InstanceId>,
    /// Host of the running or last epoch.
    pub worker: Option<HostId>,
    /// The wish that it stops.
    pub cancel_requested: Option<CancelRequest>,
    /// Outcome of its final epoch.
    pub outcome: Option<Outcome>,
    /// Why it waits, failed or ended, for people.
    pub reason: Option<String>,
    /// Stable code of a failure.
    pub code: Option<String>,
    /// Whether a result came too late.
    pub late_result: bool,
    /// Hosts that did not take the offers, and why.
    pub declined: BTreeMap<HostId, DeclineReason>,
    /// Offers that came back unread.
    pub dead_offers: u32,
    /// The trace of the request that wished it.
    pub wished_in: Option<TraceParent>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its newest epoch was granted.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl JobRow {
    /// The job as the domain sees it.
    pub fn job(&self) -> StoreResult<Job> {
        let missing = |what: &str| {
            StoreError::inconsistent("job", self.id, format!("{} without {what}", self.state.as_str()))
        };
        let state = match self.state {
            JobState::Queued => State::Queued,
            JobState::Offered => State::Offered {
                until: self.offer_expires_at.ok_or_else(|| missing("offer_expires_at"))?,
            },
            JobState::Running => State::Running {
                worker: self.worker.clone().ok_or_else(|| missing("worker_id"))?,
                instance: self.instance.ok_or_else(|| missing("instance_id"))?,
                lease_until: self.lease_until.ok_or_else(|| missing("lease_until"))?,
                cancel: self.cancel_requested.clone(),
            },
            JobState::Deferred => State::Deferred,
            JobState::Indeterminate => State::Indeterminate,
            JobState::Succeeded => State::Ended(FinalState::Succeeded),
            JobState::Failed => State::Ended(FinalState::Failed),
            JobState::Cancelled => State::Ended(FinalState::Cancelled),
            JobState::Superseded => State::Ended(FinalState::Superseded),
            JobState::Abandoned => State::Ended(FinalState::Abandoned),
        };
        Ok(Job {
            kind: self.kind,
            for_host: matches!(self.audience, Audience::Host(_)),
            epoch: self.epoch,
            max_epochs: self.max_epochs,
            unsettled: self.unsettled,
            state,
        })
    }

    /// The host it is for, when it is for one.
    pub const fn host(&self) -> Option<&HostId> {
        match &self.audience {
            Audience::Host(host) => Some(host),
            Audience::Pool(_) => None,
        }
    }

    /// The trace it belongs to: that of the request that wished it, or one of its own. All its attempts share it.
    pub fn trace(&self) -> TraceParent {
        let own = || TraceParent::of_job(self.id);
        self.wished_in.clone().unwrap_or_else(own)
    }

    /// The body, parsed.
    pub fn parsed_body(&self) -> StoreResult<JobBody> {
        serde_json::from_str(&self.body).map_err(|error| StoreError::inconsistent("job", self.id, error))
    }
}

/// The columns as the database has them.
#[derive(Debug)]
pub(super) struct Columns {
    pub id: uuid::Uuid,
    pub number: i64,
    pub kind: String,
    pub state: String,
    pub purpose: String,
    pub project_id: uuid::Uuid,
    pub release_id: Option<uuid::Uuid>,
    pub target_id: Option<uuid::Uuid>,
    pub placement_id: Option<uuid::Uuid>,
    pub deployment_id: Option<uuid::Uuid>,
    pub host_id: Option<String>,
    pub pool: Option<String>,
    pub generation: Option<i64>,
    pub body: String,
    pub body_digest: Vec<u8>,
    pub log_stream_id: uuid::Uuid,
    pub epoch: i32,
    pub max_epochs: i32,
    pub unsettled: bool,
    pub offered_at: Option<DateTime<Utc>>,
    pub offer_expires_at: Option<DateTime<Utc>>,
    pub waiting_since: Option<DateTime<Utc>>,
    pub lease_until: Option<DateTime<Utc>>,
    pub instance_id: Option<uuid::Uuid>,
    pub worker_id: Option<String>,
    pub cancel_requested: Option<serde_json::Value>,
    pub outcome: Option<serde_json::Value>,
    pub reason: Option<String>,
    pub code: Option<String>,
    pub late_result: bool,
    pub declined: serde_json::Value,
    pub dead_offers: i32,
    pub trace: Option<String>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<Columns> for JobRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let id = row.id;
        let wrong = |what: &dyn ToString| StoreError::inconsistent("job", id, what.to_string());
        let audience = match (&row.host_id, &row.pool) {
            (Some(host), None) => Audience::Host(host.parse().map_err(|e| wrong(&e))?),
            (None, Some(pool)) => Audience::Pool(pool.parse().map_err(|e| wrong(&e))?),
            (Some(_), Some(_)) | (None, None) => {
                return Err(wrong(&"it is for a host and a pool, or for neither"));
            }
        };
        let digest: [u8; 32] = row.body_digest.as_slice().try_into().map_err(|e| wrong(&e))?;
        Ok(Self {
            id: JobId(row.id),
            number: row.number,
            kind: row.kind.parse().map_err(|e| wrong(&e))?,
            state: state_named(&row.state).ok_or_else(|| wrong(&format!("unknown state {}", row.state)))?,
            purpose: Purpose::ALL
                .into_iter()
                .find(|purpose| purpose.as_str() == row.purpose)
                .ok_or_else(|| wrong(&format!("unknown purpose {}", row.purpose)))?,
            project: ProjectId(row.project_id),
            release: row.release_id.map(ReleaseId),
            target: row.target_id.map(TargetId),
            placement: row.placement_id.map(PlacementId),
            deployment: row.deployment_id.map(DeploymentId),
            audience,
            generation: row
                .generation
                .map(|g| Generation(u64::try_from(g).unwrap_or_default())),
            body: row.body,
            body_digest: Digest::from_bytes(digest),
            log_stream: StreamId(row.log_stream_id),
            epoch: Epoch(u32::try_from(row.epoch).map_err(|e| wrong(&e))?),
            max_epochs: u32::try_from(row.max_epochs).map_err(|e| wrong(&e))?,
            unsettled: row.unsettled,
            offered_at: row.offered_at,
            offer_expires_at: row.offer_expires_at,
            waiting_since: row.waiting_since,
            lease_until: row.lease_until,
            instance: row.instance_id.map(InstanceId),
            worker: row
                .worker_id
                .map(|host| host.parse())
                .transpose()
                .map_err(|e| wrong(&e))?,
            cancel_requested: read_json(row.cancel_requested).map_err(|e| wrong(&e))?,
            outcome: read_json(row.outcome).map_err(|e| wrong(&e))?,
            reason: row.reason,
            code: row.code,
            late_result: row.late_result,
            declined: serde_json::from_value(row.declined).map_err(|e| wrong(&e))?,
            dead_offers: u32::try_from(row.dead_offers).unwrap_or_default(),
            wished_in: row.trace.and_then(|trace| trace.parse().ok()),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    }
}

/// The state a text of the database names.
fn state_named(text: &str) -> Option<JobState> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

fn read_json<T: DeserializeOwned>(value: Option<serde_json::Value>) -> Result<Option<T>, serde_json::Error> {
    value.map(serde_json::from_value).transpose()
}
