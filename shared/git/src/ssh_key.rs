//! An ssh key of one repository, instead of the operator's own: held in anonymous files in memory, which no disk ever
//! sees and which end with this process, however it ends. It refuses to show what it holds.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use crate::error::{Error, Result};

/// A private key, and the servers that are known beside the operator's.
#[derive(Clone)]
pub struct SshKey {
    identity: Arc<File>,
    known_hosts: Arc<File>,
}

/// Nothing of it.
impl std::fmt::Debug for SshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SshKey(***)")
    }
}

impl SshKey {
    /// Takes the private half as OpenSSH writes it, and lines of `known_hosts`.
    pub fn new(private: &str, known_hosts: &str) -> Result<Self> {
        Ok(Self {
            identity: Arc::new(in_memory("pointsman-key", private)?),
            known_hosts: Arc::new(in_memory("pointsman-known-hosts", known_hosts)?),
        })
    }

    /// Where `ssh` finds the key while this value lives.
    pub(crate) fn identity(&self) -> String {
        path(&self.identity)
    }

    /// Where `ssh` finds the servers while this value lives.
    pub(crate) fn known_hosts(&self) -> String {
        path(&self.known_hosts)
    }
}

/// A file that only this user may read: `ssh` looks at its mode.
fn in_memory(name: &str, text: &str) -> Result<File> {
    let failed = || Error::storage("keeping an ssh key in memory");
    let file = memfd_create(name, MemfdFlags::CLOEXEC).map_err(|error| failed()(error.into()))?;
    fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(|error| failed()(error.into()))?;
    let mut file = File::from(file);
    file.write_all(text.as_bytes()).map_err(failed())?;
    Ok(file)
}

/// Of this process: `ssh` is a grandchild of it, and inherits nothing.
fn path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}
