//! `key`, `keys` and `membership` in the state folder.

use std::path::{Path, PathBuf};

use pointsman_shared::api::agent::Membership;
use pointsman_shared::name::HostId;
use pointsman_shared::wire::{KeyId, KeySet, SigningKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dir::{Dir, FileError};

const KEY: &str = "key";
/// The key of a join that was begun; it becomes `key` when the coordinator has accepted it.
const JOINING: &str = "key.joining";
const KEYS: &str = "keys";
const MEMBERSHIP: &str = "membership";

/// The content of `membership`: what was told, and to which key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    key: KeyId,
    membership: Membership,
}

/// Files that do not make an identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Nobody joined yet.
    #[error(
        "this host has not joined: {} holds no membership; make a token with `pointsman hosts invite {host}` and run \
         `pointsman-agent join --config FILE --token TOKEN`",
        state_dir.display()
    )]
    NotJoined {
        /// The state folder.
        state_dir: PathBuf,
        /// The host.
        host: HostId,
    },
    /// A join was begun and not seen to end.
    #[error("joining was interrupted in {}; run `pointsman-agent join` again, with the same token first", .0.display())]
    Interrupted(PathBuf),
    /// The folder is another host's.
    #[error(
        "{} belongs to host {found}, the configuration says {wanted}; a host id is never renamed: set agent.host back, \
         or give {wanted} a state_dir of its own",
        state_dir.display()
    )]
    OtherHost {
        /// The state folder.
        state_dir: PathBuf,
        /// Whose it is.
        found: HostId,
        /// Who was configured.
        wanted: HostId,
    },
    /// A file is not what we wrote.
    #[error("{} is damaged: {reason}; restore it, or join again with a new token", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The files of an identity.
#[derive(Debug)]
pub struct IdentityFolder {
    dir: Dir,
}

/// A joined host.
#[derive(Debug)]
pub struct Identity {
    /// The private key.
    pub key: SigningKey,
    /// The pinned keys of the coordinators.
    pub keys: KeySet,
    /// What the host was told when it joined.
    pub membership: Membership,
}

impl IdentityFolder {
    /// Opens the state folder.
    pub fn open(state_dir: &Path) -> Result<Self, FileError> {
        Ok(Self {
            dir: Dir::open(state_dir)?,
        })
    }

    /// The identity of `host`. A join that was begun and never answered does not make an older identity void.
    pub fn load(&self, host: &HostId) -> Result<Identity, IdentityError> {
        let state_dir = || self.dir.path().to_owned();
        let joining = self.dir.read(JOINING)?.is_some();
        let (told, key, keys) = (self.told()?, self.read_key(KEY)?, self.json(KEYS)?);
        let (Some(told), Some(key), Some(keys)) = (told, key, keys) else {
            return Err(if joining {
                IdentityError::Interrupted(state_dir())
            } else {
                IdentityError::NotJoined {
                    state_dir: state_dir(),
                    host: host.clone(),
                }
            });
        };
        if told.key != key.id() {
            return Err(IdentityError::Interrupted(state_dir()));
        }
        if told.membership.host != *host {
            return Err(IdentityError::OtherHost {
                state_dir: state_dir(),
                found: told.membership.host,
                wanted: host.clone(),
            });
        }
        if joining {
            tracing::warn!("an attempt to join again was never answered; the identity before it is used");
        }
        Ok(Identity {
            key,
            keys,
            membership: told.membership,
        })
    }

    /// What an earlier join left, if there was one.
    pub fn membership(&self) -> Result<Option<Membership>, IdentityError> {
        Ok(self.told()?.map(|told| told.membership))
    }

    fn told(&self) -> Result<Option<Told>, IdentityError> {
        self.json(MEMBERSHIP)
    }

    /// The key of a join: the one of an interrupted attempt, else one made from `seed`. Durable when this returns.
    pub fn joining_key(&self, seed: &[u8; 32]) -> Result<SigningKey, IdentityError> {
        if let Some(key) = self.read_key(JOINING)? {
            return Ok(key);
        }
        let key = SigningKey::from_seed(seed);
        self.dir.replace(JOINING, key.to_file().as_bytes())?;
        Ok(key)
    }

    /// Makes a join count. Interrupted anywhere, the next [`Self::load`] says so.
    pub fn joined(&self, key: &SigningKey, membership: &Membership) -> Result<(), IdentityError> {
        let told = Told {
            key: key.id(),
            membership: membership.clone(),
        };
        self.store(MEMBERSHIP, &told)?;
        self.store(KEYS, &membership.keys)?;
        self.dir.replace(KEY, key.to_file().as_bytes())?;
        self.forget_joining()
    }

    /// Forgets a join that the coordinator refused.
    pub fn forget_joining(&self) -> Result<(), IdentityError> {
        self.dir.remove_file(JOINING)?;
        Ok(self.dir.sync()?)
    }

    /// Pins a newer set of keys.
    pub fn pin(&self, keys: &KeySet) -> Result<(), IdentityError> {
        self.store(KEYS, keys)
    }

    fn store(&self, name: &str, value: &impl Serialize) -> Result<(), IdentityError> {
        let bytes = serde_json::to_vec_pretty(value).map_err(|error| self.damaged(name, &error))?;
        Ok(self.dir.replace(name, &bytes)?)
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, IdentityError> {
        let Some(bytes) = self.dir.read(name)? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| self.damaged(name, &error))
    }

    fn read_key(&self, name: &str) -> Result<Option<SigningKey>, IdentityError> {
        let Some(bytes) = self.dir.read(name)?.map(zeroize::Zeroizing::new) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| self.damaged(name, &error))?;
        SigningKey::from_file(text)
            .map(Some)
            .map_err(|error| self.damaged(name, &error))
    }

    fn damaged(&self, name: &str, error: &dyn std::error::Error) -> IdentityError {
        IdentityError::Damaged {
            path: self.dir.path().join(name),
            reason: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::wire::Role;

    fn membership() -> Membership {
        Membership {
            v: 1,
            host: "web-1".parse().unwrap(),
            installation: "acme".to_owned(),
            keys: KeySet::of(Role::Coordinator, SigningKey::from_seed(&[9; 32]).public()),
            broker_url: "amqp://host-web-1:x@127.0.0.1/pointsman".to_owned(),
            pools: Vec::new(),
            kinds: Vec::new(),
            administrator_lines: Vec::new(),
        }
    }

    #[test]
    fn a_joined_host_finds_itself_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = IdentityFolder::open(folder.path()).unwrap();
        let host = "web-1".parse().unwrap();
        assert!(matches!(files.load(&host), Err(IdentityError::NotJoined { .. })));

        let key = files.joining_key(&[1; 32]).unwrap();
        assert!(matches!(files.load(&host), Err(IdentityError::Interrupted(_))));
        assert_eq!(
            files.joining_key(&[2; 32]).unwrap().id(),
            key.id(),
            "a retry keeps its key"
        );

        files.joined(&key, &membership()).unwrap();
        let identity = files.load(&host).unwrap();
        assert_eq!(identity.key.id(), key.id());
        let other = files.load(&"web-2".parse().unwrap());
        assert!(matches!(other, Err(IdentityError::OtherHost { .. })));
    }

    #[test]
    fn an_unanswered_second_join_leaves_the_first_identity_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let files = IdentityFolder::open(folder.path()).unwrap();
        let host = "web-1".parse().unwrap();
        let first = files.joining_key(&[1; 32]).unwrap();
        files.joined(&first, &membership()).unwrap();
        let second = files.joining_key(&[2; 32]).unwrap();
        assert_eq!(files.load(&host).unwrap().key.id(), first.id());
        files.joined(&second, &membership()).unwrap();
        assert_eq!(files.load(&host).unwrap().key.id(), second.id());
        // A crash between the files: the membership is the new key's, the key is not there yet.
        fs_err::write(folder.path().join(KEY), first.to_file().as_bytes()).unwrap();
        assert!(matches!(files.load(&host), Err(IdentityError::Interrupted(_))));
    }

    #[test]
    fn only_the_agents_user_reads_the_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let files = IdentityFolder::open(folder.path()).unwrap();
        let key = files.joining_key(&[1; 32]).unwrap();
        files.joined(&key, &membership()).unwrap();
        for name in [KEY, KEYS, MEMBERSHIP] {
            let mode = fs_err::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
