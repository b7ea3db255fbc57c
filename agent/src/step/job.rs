//! One epoch of one job, with everything its steps may use. The broker edge fills it in; steps only read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_shared::api::agent::RepositoryAccess;
use pointsman_shared::clock::Clock;
use pointsman_shared::ids::Epoch;
use pointsman_shared::name::{HostId, ReleaseFolder};
use pointsman_shared::wire::JobBody;

use super::{Values, Workshop};
use crate::dir::FileError;
use crate::journal::Roots;
use crate::layout::Root;
use crate::lease::Lease;
use crate::policy::Policy;
use crate::process::Processes;

/// What all jobs of this host share.
#[derive(Debug, Clone)]
pub struct Host {
    /// The host.
    pub id: HostId,
    /// Its own word on what may happen.
    pub policy: Arc<Policy>,
    /// Where roots are recorded before they are touched.
    pub roots: Arc<Roots>,
    /// Asks health checks over HTTP; see [`super::probe_client`].
    pub http: reqwest::Client,
    /// Bytes that an install leaves free beyond what it needs;
    pub spare_bytes: u64,
    /// The wall clock, for how long something lies in the trash.
    pub clock: Arc<dyn Clock>,
    /// Where builds are done; none on a host that does not build.
    pub workshop: Option<Arc<Workshop>>,
}

/// One granted epoch.
#[derive(Debug, Clone)]
pub struct Job<D> {
    /// The host.
    pub host: Host,
    /// What is asked.
    pub body: JobBody,
    /// The granted epoch.
    pub epoch: Epoch,
    /// The right to go on.
    pub lease: Lease,
    /// Starts children in this job's name.
    pub processes: Processes,
    /// Plain and secret variables of the job, already merged by precedence.
    pub variables: BTreeMap<String, String>,
    /// The key of the repository that a build fetches; the builder's own where there is none.
    pub access: Arc<RepositoryAccess>,
    /// The edge.
    pub desk: Arc<D>,
}

impl<D> Job<D> {
    /// The name of this epoch's unfinished work.
    pub fn work_name(&self) -> String {
        format!("{}-{}", self.body.job, self.epoch)
    }

    /// What the commands of a host step see: the job's variables, what every host step has, and `more` of this kind's.
    pub(super) fn host_values(
        &self,
        root: &Root,
        release: &ReleaseFolder,
        more: &[(&'static str, String)],
    ) -> Result<Values, FileError> {
        let environment = self.body.environment.as_ref();
        let mut ours = vec![
            ("POINTSMAN_PROJECT", self.body.project.to_string()),
            (
                "POINTSMAN_ENVIRONMENT",
                environment.map(ToString::to_string).unwrap_or_default(),
            ),
            ("POINTSMAN_HOST", self.host.id.to_string()),
            (
                "POINTSMAN_RELEASE_DIR",
                root.release_path(release).display().to_string(),
            ),
            ("POINTSMAN_ROOT", root.path().to_string()),
        ];
        ours.extend_from_slice(more);
        let home = root.home()?;
        Ok(Values::new(
            &home.path().display().to_string(),
            &self.variables,
            &ours,
        ))
    }
}
