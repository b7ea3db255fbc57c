//! The client of one epoch, and how its requests are signed.

use std::sync::Arc;

use pointsman_shared::api::agent::{DEPLOY_KEY_PATH, RepositoryAccess, VARIABLES_PATH, Variables};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::request::{self, SignedParts};
use pointsman_shared::wire::{SigningKey, TRACE_HEADER, TraceParent};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::retry::{ArtifactError, Tries};
use crate::http::{Coordinator, RequestError};
use crate::lease::Lease;
use crate::time::CoordinatorClock;

/// Most bytes of an answer with variables.
const VARIABLES_BYTES: usize = 1024 * 1024;

/// In whose name requests are signed.
#[derive(Debug)]
pub struct Signer {
    /// The host's key.
    pub key: Arc<SigningKey>,
    /// The host.
    pub host: HostId,
    /// This instance.
    pub instance: InstanceId,
    /// The coordinator's time, which the requests carry.
    pub clock: Arc<CoordinatorClock>,
}

/// Asks for one epoch of one job.
#[derive(Debug, Clone)]
pub struct Artifacts {
    pub(super) coordinator: Coordinator,
    pub(super) lease: Lease,
    signer: Arc<Signer>,
    job: JobId,
    epoch: Epoch,
    trace: Option<TraceParent>,
}

impl Artifacts {
    /// A client for an epoch; it gives up when `lease` ends.
    pub fn new(
        coordinator: Coordinator,
        signer: Arc<Signer>,
        job: JobId,
        epoch: Epoch,
        lease: Lease,
    ) -> Self {
        Self {
            coordinator,
            lease,
            signer,
            job,
            epoch,
            trace: None,
        }
    }

    /// The same client, whose requests belong to a trace.
    #[must_use]
    pub fn in_trace(mut self, trace: Option<TraceParent>) -> Self {
        self.trace = trace;
        self
    }

    /// The job's variables, narrower scopes already applied.
    pub async fn variables(&self) -> Result<Variables, ArtifactError> {
        let mut tries = Tries::new(&self.lease);
        loop {
            match tries.run(self.ask_variables()).await {
                Ok(variables) => return Ok(variables),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// The key of the repository that this epoch's build fetches.
    pub async fn repository_access(&self) -> Result<RepositoryAccess, ArtifactError> {
        let mut tries = Tries::new(&self.lease);
        loop {
            match tries.run(self.ask_access()).await {
                Ok(access) => return Ok(access),
                // A coordinator that knows no such keys, as agents are upgraded first.
                Err(ArtifactError::Request(RequestError::Refused { status, .. }))
                    if status == StatusCode::NOT_FOUND =>
                {
                    return Ok(RepositoryAccess::default());
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }

    async fn ask_access(&self) -> Result<RepositoryAccess, ArtifactError> {
        let request = self.signed(Method::GET, DEPLOY_KEY_PATH, Digest::of(b""));
        let bytes = self.read(request, VARIABLES_BYTES).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // The cause would show what it could not read.
            let reason = format!("deploy key: {:?} error", error.classify());
            ArtifactError::from(RequestError::Unreadable { reason })
        })
    }

    async fn ask_variables(&self) -> Result<Variables, ArtifactError> {
        let request = self.signed(Method::GET, VARIABLES_PATH, Digest::of(b""));
        let bytes = self.read(request, VARIABLES_BYTES).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            ArtifactError::from(RequestError::Unreadable {
                reason: format!("variables: {error}"),
            })
        })
    }

    /// A request of this epoch over `path`, whose body has the digest `body`.
    pub(super) fn signed(&self, method: Method, path: &str, body: Digest) -> RequestBuilder {
        let signer = &self.signer;
        let at = signer.clock.now_millis();
        let signature = signer.key.sign_request(&SignedParts {
            method: method.as_str(),
            path,
            body,
            host: signer.host.as_str(),
            instance: signer.instance,
            job: self.job,
            epoch: self.epoch,
            at,
        });
        let request = self
            .coordinator
            .client()
            .request(method, self.coordinator.at(path));
        let request = match &self.trace {
            // Not signed: it is only ever copied into a log.
            Some(trace) => request.header(TRACE_HEADER, trace.as_str()),
            None => request,
        };
        request
            .header(request::HOST, signer.host.as_str())
            .header(request::INSTANCE, signer.instance.to_string())
            .header(request::JOB, self.job.to_string())
            .header(request::EPOCH, self.epoch.to_string())
            .header(request::TIME, at.to_string())
            .header(request::BODY_DIGEST, body.to_string())
            .header(request::SIGNATURE, signature)
    }

    /// Reads an answer of at most `cap` bytes into memory.
    pub(super) async fn read(&self, request: RequestBuilder, cap: usize) -> Result<Vec<u8>, ArtifactError> {
        let mut response = self.coordinator.send(request).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.coordinator.unreachable(error))?
        {
            if bytes.len() + piece.len() > cap {
                return Err(ArtifactError::TooLarge {
                    what: "an answer".to_owned(),
                    cap: cap as u64,
                });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
