//! The conversation of joining: prove the new key, verify the answer, keep it.

use pointsman_shared::api::agent::{JOIN_PATH, JoinAnswer, JoinRequest, Membership};
use pointsman_shared::ids::InstanceId;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::{KeyId, KeySet, Role, SigningKey, UnixMillis, VERSION, VerifyError};

use super::JoinToken;
use crate::http::{Coordinator, RequestError};
use crate::identity::{IdentityError, IdentityFolder};

/// A join that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The state folder is another host's.
    #[error(
        "the state folder already belongs to host {found}; a host id is never renamed: set agent.host back, or give \
         {wanted} a state_dir of its own"
    )]
    OtherHost {
        /// Whose it is.
        found: HostId,
        /// Who wants to join.
        wanted: HostId,
    },
    /// The coordinator said no, or nothing.
    #[error("host {host} could not join")]
    Request {
        /// The host.
        host: HostId,
        /// Why.
        #[source]
        source: RequestError,
    },
    /// The answer is not signed by the key that the token names.
    #[error(
        "the answer is not from the coordinator that made this token (key {expected}): the address may lead to another \
         one; nothing was changed"
    )]
    Stranger {
        /// Key id of the token.
        expected: KeyId,
    },
    /// The answer's signature does not hold.
    #[error("the coordinator's answer is not to be trusted; nothing was changed")]
    Untrusted(#[source] VerifyError),
    /// The answer is for another host or of another version.
    #[error(
        "the coordinator's answer is for host {found}, wire version {version}; {wanted}, version {VERSION} asked"
    )]
    Mismatch {
        /// Whom it is for.
        found: HostId,
        /// Its version.
        version: u16,
        /// Who asked.
        wanted: HostId,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] IdentityError),
}

/// What joining brought.
#[derive(Debug)]
pub struct Joined {
    /// The membership, already kept.
    pub membership: Membership,
    /// Whether this folder had joined before; its old key is of no use any more.
    pub again: bool,
    /// Id of the host's new key.
    pub key: KeyId,
}

/// Joins `host` with a one-time token. `seed` and `instance` are fresh randomness, `at` the wall clock.
pub async fn join(
    coordinator: &Coordinator,
    files: &IdentityFolder,
    host: &HostId,
    token: &JoinToken,
    (seed, instance, at): (&[u8; 32], InstanceId, UnixMillis),
) -> Result<Joined, JoinError> {
    let before = files.membership()?;
    if let Some(found) = before
        .as_ref()
        .map(|known| &known.host)
        .filter(|found| *found != host)
    {
        return Err(JoinError::OtherHost {
            found: found.clone(),
            wanted: host.clone(),
        });
    }
    let key = files.joining_key(seed)?;
    let request = request(host, token, &key, instance, at);
    let answer = match ask(coordinator, &request).await {
        Ok(answer) => answer,
        Err(source) => {
            // Without an answer the coordinator may have taken the key; a retry must bring the same one.
            if is_final(&source) {
                files.forget_joining()?;
            }
            return Err(JoinError::Request {
                host: host.clone(),
                source,
            });
        }
    };
    let membership = verify(&answer, token, host)?;
    files.joined(&key, &membership)?;
    Ok(Joined {
        membership,
        again: before.is_some(),
        key: key.id(),
    })
}

fn request(
    host: &HostId,
    token: &JoinToken,
    key: &SigningKey,
    instance: InstanceId,
    at: UnixMillis,
) -> JoinRequest {
    let mut request = JoinRequest {
        host: host.clone(),
        token: token.as_str().to_owned(),
        key: key.public(),
        proof: String::new(),
        at,
        instance,
    };
    request.proof = key.sign_request(&request.proven());
    request
}

async fn ask(coordinator: &Coordinator, request: &JoinRequest) -> Result<JoinAnswer, RequestError> {
    let url = coordinator.at(JOIN_PATH);
    let response = coordinator
        .send(coordinator.client().post(url).json(request))
        .await?;
    response.json().await.map_err(|error| RequestError::Unreadable {
        reason: error.without_url().to_string(),
    })
}

/// Whether the coordinator looked at the request and turned it down.
fn is_final(error: &RequestError) -> bool {
    match error {
        RequestError::Refused { status, .. } => status.is_client_error(),
        RequestError::Unreachable { .. } | RequestError::Unreadable { .. } => false,
    }
}

fn verify(answer: &JoinAnswer, token: &JoinToken, host: &HostId) -> Result<Membership, JoinError> {
    let expected = token.coordinator_key();
    let trusted = answer
        .keys
        .find(expected, Role::Coordinator)
        .map(|key| KeySet::of(Role::Coordinator, key.clone()))
        .ok_or_else(|| JoinError::Stranger {
            expected: expected.clone(),
        })?;
    let membership: Membership = answer
        .sealed
        .verify(&trusted)
        .map_err(JoinError::Untrusted)?
        .into_inner();
    if membership.host != *host || membership.v != VERSION {
        return Err(JoinError::Mismatch {
            found: membership.host,
            version: membership.v,
            wanted: host.clone(),
        });
    }
    Ok(membership)
}
