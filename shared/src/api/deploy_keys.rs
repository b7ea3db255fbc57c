//! The ssh key of a project's repository. Its private half goes in and, but for the jobs that need it, never out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/projects/{project}/deploy-key`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeployKey {
    /// The public half, one line, as a git server takes it.
    pub public_key: String,
    /// `SHA256:...`
    pub fingerprint: String,
    /// Lines of `known_hosts` beside those of the machine that fetches.
    pub known_hosts: Vec<String>,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// `PUT /api/v1/projects/{project}/deploy-key`: what is absent stays as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetDeployKey {
    /// The private half, as OpenSSH keeps it in a file, without a passphrase.
    #[serde(default)]
    pub private_key: Option<String>,
    /// Lines of `known_hosts`; an empty text takes them away.
    #[serde(default)]
    pub known_hosts: Option<String>,
}

/// The private half is not shown.
impl std::fmt::Debug for SetDeployKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetDeployKey")
            .field("private_key", &self.private_key.as_ref().map(|_| "***"))
            .field("known_hosts", &self.known_hosts)
            .finish()
    }
}

/// `POST /api/v1/projects/{project}/deploy-key`: the coordinator makes a key, in place of one that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeDeployKey {
    /// Lines of `known_hosts`; what is there stays when absent.
    #[serde(default)]
    pub known_hosts: Option<String>,
}
