//! Seals secret variables, so that the database and its backups hold nothing readable.
//!
//! XChaCha20-Poly1305 with a random nonce for each value; scope and name are bound to it, so that a row moved elsewhere
//! does not open. The key file holds one key a line, the newest first: that one seals, all of them open. This module
//! refuses to print a key or a value, and to fall back to plain text.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use pointsman_shared::digest::Digest;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a nonce.
const NONCE: usize = 24;

/// Why the vault cannot be opened, or a value in it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file cannot be read or written.
    #[error("secrets.key_file cannot be used; `pointsman-coordinator init` makes it")]
    Io(#[from] std::io::Error),
    /// Others may read it.
    #[error("{file} may be read by others (mode {mode:o}); run: chmod 600 {file}")]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A line is no key.
    #[error("{file}, line {line}: it is no key of 64 hex digits")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
    /// There is no key in it.
    #[error("{file} holds no key")]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
    /// The key that sealed a value is not in the file.
    #[error("it was sealed with key {key}, which is not in secrets.key_file")]
    UnknownKey {
        /// The key's id.
        key: String,
    },
    /// The value was changed, or moved from another place.
    #[error("it does not open: it was damaged, or sealed for another place")]
    Broken,
}

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the key: the first 12 hex digits of its digest.
    pub key: String,
    /// Nonce and sealed bytes.
    pub bytes: Vec<u8>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
    /// Keys fingerprints; derived, so that a fingerprint tells nothing of the key that seals.
    mac: Hmac<Sha256>,
}

/// The keys of secret variables.
pub struct Vault {
    newest: Key,
    older: Vec<Key>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("newest", &self.newest.id)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the keys; refuses a file that others may read.
    pub fn open(file: &Path) -> Result<Self, VaultError> {
        let mode = fs_err::metadata(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::Exposed {
                file: file.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(fs_err::read_to_string(file)?);
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if !text.trim().is_empty() {
                let damaged = || VaultError::Damaged {
                    file: file.to_owned(),
                    line,
                };
                keys.push(key(text.trim()).ok_or_else(damaged)?);
            }
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or_else(|| VaultError::Empty {
            file: file.to_owned(),
        })?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }

    /// Reads the keys, or makes the first one when there is no file yet.
    pub fn open_or_make(file: &Path) -> Result<Self, VaultError> {
        if !fs_err::exists(file)? {
            let mut bytes = Zeroizing::new([0_u8; KEY]);
            SysRng
                .try_fill_bytes(bytes.as_mut())
                .map_err(|_| VaultError::Randomness)?;
            if let Some(folder) = file.parent() {
                fs_err::create_dir_all(folder)?;
            }
            let mut options = fs_err::OpenOptions::new();
            options.write(true).create_new(true).options_mut().mode(0o600);
            let mut out = options.open(file)?;
            let line = Zeroizing::new(hex::encode(bytes.as_ref()));
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
            out.sync_all()?;
        }
        Self::open(file)
    }

    /// Whether the key of this id is the one that seals.
    pub fn seals_with(&self, key: &str) -> bool {
        self.newest.id == key
    }

    /// Whether the key of this id is here.
    pub fn knows(&self, key: &str) -> bool {
        self.newest.id == key || self.older.iter().any(|older| older.id == key)
    }

    /// A digest that only whoever has the newest key can compute, to tell whether something is the same as before.
    pub fn fingerprint(&self, bytes: &[u8]) -> Digest {
        let mac = self.newest.mac.clone().chain_update(bytes);
        Digest::from_bytes(mac.finalize().into_bytes().into())
    }

    /// Seals a value for one place.
    pub fn seal(&self, place: &str, value: &str) -> Result<Sealed, VaultError> {
        let mut nonce = [0_u8; NONCE];
        SysRng
            .try_fill_bytes(&mut nonce)
            .map_err(|_| VaultError::Randomness)?;
        let payload = Payload {
            msg: value.as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self.newest.cipher.encrypt(&XNonce::from(nonce), payload);
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.map_err(|_| VaultError::Broken)?);
        Ok(Sealed {
            key: self.newest.id.clone(),
            bytes,
        })
    }

    /// Opens a value of one place.
    pub fn unseal(&self, place: &str, sealed: &Sealed) -> Result<Zeroizing<String>, VaultError> {
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        let key = keys
            .find(|key| key.id == sealed.key)
            .ok_or_else(|| VaultError::UnknownKey {
                key: sealed.key.clone(),
            })?;
        let (nonce, bytes) = sealed
            .bytes
            .split_first_chunk::<NONCE>()
            .ok_or(VaultError::Broken)?;
        let payload = Payload {
            msg: bytes,
            aad: place.as_bytes(),
        };
        let value = key.cipher.decrypt(&XNonce::from(*nonce), payload);
        let value = value.map_err(|_| VaultError::Broken)?;
        String::from_utf8(value)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Broken)
    }
}

fn key(line: &str) -> Option<Key> {
    let mut bytes = Zeroizing::new([0_u8; KEY]);
    hex::decode_to_slice(line, bytes.as_mut()).ok()?;
    let derived = Zeroizing::new([b"pointsman fingerprint ", bytes.as_slice()].concat());
    Some(Key {
        id: Digest::of(bytes.as_ref()).short(),
        cipher: XChaCha20Poly1305::new((&*bytes).into()),
        mac: Hmac::new_from_slice(Digest::of(&derived).as_bytes()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: &Path, text: &str, mode: u32) {
        fs_err::write(file, text).unwrap();
        fs_err::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys/secrets.key");
        let vault = Vault::open_or_make(&file).unwrap();
        let sealed = vault
            .seal("target/shop@production/DATABASE_URL", "postgres://lucy:geheim@db")
            .unwrap();
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"geheim"));
        let again = Vault::open_or_make(&file).unwrap();
        let opened = again
            .unseal("target/shop@production/DATABASE_URL", &sealed)
            .unwrap();
        assert_eq!(opened.as_str(), "postgres://lucy:geheim@db");
        assert!(matches!(
            again.unseal("target/shop@beta/DATABASE_URL", &sealed),
            Err(VaultError::Broken)
        ));
        let mut bent = sealed.clone();
        bent.bytes[30] ^= 1;
        assert!(matches!(
            again.unseal("target/shop@production/DATABASE_URL", &bent),
            Err(VaultError::Broken)
        ));
        bent.bytes.truncate(10);
        assert!(matches!(
            again.unseal("target/shop@production/DATABASE_URL", &bent),
            Err(VaultError::Broken)
        ));
        let twice = vault
            .seal("target/shop@production/DATABASE_URL", "postgres://lucy:geheim@db")
            .unwrap();
        assert_ne!(twice, sealed, "equal values do not look equal");
    }

    #[test]
    fn a_fingerprint_is_the_keys_own() {
        let folder = tempfile::tempdir().unwrap();
        let one = Vault::open_or_make(&folder.path().join("one")).unwrap();
        let other = Vault::open_or_make(&folder.path().join("other")).unwrap();
        assert_eq!(one.fingerprint(b"geheim"), one.fingerprint(b"geheim"));
        assert_ne!(one.fingerprint(b"geheim"), one.fingerprint(b"geheim "));
        assert_ne!(one.fingerprint(b"geheim"), other.fingerprint(b"geheim"));
        assert_ne!(one.fingerprint(b"geheim"), Digest::of(b"geheim"));
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.key");
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        write(&file, &old, 0o600);
        let sealed = Vault::open(&file).unwrap().seal("a", "value").unwrap();
        write(&file, &format!("{new}\n{old}\n"), 0o600);
        let vault = Vault::open(&file).unwrap();
        assert_eq!(vault.unseal("a", &sealed).unwrap().as_str(), "value");
        assert_ne!(vault.seal("a", "value").unwrap().key, sealed.key);
        write(&file, &new, 0o600);
        let refused = Vault::open(&file).unwrap().unseal("a", &sealed);
        assert!(matches!(refused, Err(VaultError::UnknownKey { .. })));
    }

    #[test]
    fn a_file_that_is_wrong_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.key");
        write(&file, &"11".repeat(32), 0o640);
        assert!(matches!(
            Vault::open(&file),
            Err(VaultError::Exposed { mode: 0o640, .. })
        ));
        write(&file, &format!("{}\nnot a key\n", "11".repeat(32)), 0o600);
        assert!(matches!(
            Vault::open(&file),
            Err(VaultError::Damaged { line: 2, .. })
        ));
        write(&file, "\n", 0o600);
        assert!(matches!(Vault::open(&file), Err(VaultError::Empty { .. })));
    }
}
