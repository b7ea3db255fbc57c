//! What agents ask over HTTP: joining, bytes and values. Requests are signed (see [`crate::wire::request`]), except
//! for joining, which is proven by a one-time token.
//!
//! `POST /api/v1/agent/join`; `GET /api/v1/agent/objects/{kind}/{digest}` and `PUT` of the same (kind is `manifests`,
//! `archives` or `packings`); `GET /api/v1/agent/variables` and `GET /api/v1/agent/deploy-key` for the job and epoch of the
//! signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{Epoch, JobId};
use crate::name::{HostId, PoolName, VariableName};
use crate::outcome::JobKind;
use crate::wire::request::SignedParts;
use crate::wire::{Envelope, KeySet, PublicKey};

/// Prefix of join tokens: `pmj_<coordinator key id>_<secret>`.
pub const JOIN_TOKEN_PREFIX: &str = "pmj_";

/// Path of [`JoinRequest`].
pub const JOIN_PATH: &str = "/api/v1/agent/join";

/// Path of the variables of the signature's job.
pub const VARIABLES_PATH: &str = "/api/v1/agent/variables";

/// Path of the ssh key of the repository that the signature's build fetches.
pub const DEPLOY_KEY_PATH: &str = "/api/v1/agent/deploy-key";

/// A kind of object in the artifact store; content-addressed, never overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A canonical manifest; its digest is the release digest.
    Manifest,
    /// One packing of a manifest.
    Archive,
    /// The list of an archive's members.
    Packing,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Manifest, Self::Archive, Self::Packing];

    /// The folder of the store and the part of the path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifests",
            Self::Archive => "archives",
            Self::Packing => "packings",
        }
    }

    /// Path of one object.
    pub fn path(self, digest: &Digest) -> String {
        format!("/api/v1/agent/objects/{}/{digest}", self.as_str())
    }
}

/// Body of `POST /api/v1/agent/join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The host that joins; must be the token's.
    pub host: HostId,
    /// The token.
    pub token: String,
    /// The host's new public key.
    pub key: PublicKey,
    /// Proof of the private key: its request signature over [`JoinRequest::proven`].
    pub proof: String,
    /// The agent's clock, part of the proof.
    pub at: i64,
    /// The instance part of the proof.
    pub instance: crate::ids::InstanceId,
}

impl JoinRequest {
    /// What [`Self::proof`] signs: the request itself, in the name of no job, with the token as its body.
    pub fn proven(&self) -> SignedParts<'_> {
        SignedParts {
            method: "POST",
            path: JOIN_PATH,
            body: Digest::of(self.token.as_bytes()),
            host: self.host.as_str(),
            instance: self.instance,
            job: JobId(uuid::Uuid::nil()),
            epoch: Epoch::NONE,
            at: self.at,
        }
    }
}

/// Answer to [`JoinRequest`]: signed bytes, to be verified with the key whose fingerprint the token carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinAnswer {
    /// The coordinators' keys; one must have the fingerprint of the token.
    pub keys: KeySet,
    /// A sealed [`Membership`].
    pub sealed: Envelope,
}

/// What a host is told when it joins; sealed by a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// Name of the installation.
    pub installation: String,
    /// The keys to pin.
    pub keys: KeySet,
    /// AMQP URL with the host's own user and password.
    pub broker_url: String,
    /// Pools it takes jobs from.
    pub pools: Vec<PoolName>,
    /// Kinds it may be offered.
    pub kinds: Vec<JobKind>,
    /// Lines an administrator must run first, when the coordinator has no management access; else empty.
    pub administrator_lines: Vec<String>,
}

/// Answer of `GET /api/v1/agent/variables`: the job's variables, narrower scopes already applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Variables {
    /// Plain values.
    pub plain: BTreeMap<VariableName, String>,
    /// Secret values; masked in every log before it leaves the host.
    pub secret: BTreeMap<VariableName, String>,
}

/// Answer of `GET /api/v1/agent/deploy-key`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryAccess {
    /// The private half of the project's key; none = the builder's own is used.
    pub private_key: Option<String>,
    /// Lines of `known_hosts` beside the builder's own.
    pub known_hosts: String,
}

/// The private half is not shown.
impl std::fmt::Debug for RepositoryAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryAccess")
            .field("private_key", &self.private_key.as_ref().map(|_| "***"))
            .field("known_hosts", &self.known_hosts)
            .finish()
    }
}

/// Answer of a successful `PUT` of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stored {
    /// Whether it was there already.
    pub existed: bool,
}
