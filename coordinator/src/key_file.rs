//! The file of the signing key: made once by `init`, readable by its owner only.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use pointsman_shared::wire::SigningKey;
use rand::TryRng as _;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("signing.key_file cannot be used; `pointsman-coordinator init` makes it")]
    Io(#[from] std::io::Error),
    /// Others may read it.
    #[error("{file} may be read by others (mode {mode:o}); run: chmod 600 {file}")]
    Open {
        /// The file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds no key.
    #[error("{file} holds no signing key")]
    Damaged {
        /// The file.
        file: PathBuf,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness for a key")]
    Randomness,
}

/// Reads the key; refuses a file that others may read.
pub fn read(file: &Path) -> Result<SigningKey, KeyFileError> {
    let mode = fs_err::metadata(file)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open {
            file: file.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(fs_err::read_to_string(file)?);
    SigningKey::from_file(&text).map_err(|_| KeyFileError::Damaged {
        file: file.to_owned(),
    })
}

/// Reads the key, or makes one when there is no file yet.
pub fn read_or_make(file: &Path) -> Result<SigningKey, KeyFileError> {
    if fs_err::exists(file)? {
        return read(file);
    }
    let mut seed = Zeroizing::new([0_u8; 32]);
    SysRng
        .try_fill_bytes(seed.as_mut())
        .map_err(|_| KeyFileError::Randomness)?;
    let key = SigningKey::from_seed(&seed);
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true).options_mut().mode(0o600);
    let mut out = options.open(file)?;
    out.write_all(key.to_file().as_bytes())?;
    out.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys/signing.key");
        let made = read_or_make(&file).unwrap();
        assert_eq!(read_or_make(&file).unwrap().id(), made.id());
        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&file), Err(KeyFileError::Open { mode: 0o640, .. })));
    }
}
