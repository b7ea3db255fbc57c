//! The user that everything below the sandbox runs as.
//!
//! PostgreSQL refuses root, and build steps of a strange repository must not be root. Started as root, all children
//! become one unprivileged user; started as anybody else, they stay that person. This module refuses to make users.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::error::{Error, Result};

/// Who runs the children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// The user who started the sandbox.
    Oneself,
    /// Another user, because the sandbox was started as root.
    Other(Account),
}

/// A line of the password file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

impl RunAs {
    /// Decides by the effective user id. `nobody` comes first: unlike `postgres` it owns nothing on the machine.
    pub fn choose() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Oneself);
        }
        let passwd = fs_err::read_to_string("/etc/passwd")?;
        ["nobody", "postgres"]
            .iter()
            .find_map(|name| find(&passwd, name))
            .map(Self::Other)
            .ok_or_else(|| Error::Missing {
                program: "an unprivileged user".to_owned(),
                looked: "/etc/passwd: nobody, postgres".to_owned(),
                remedy: "start the sandbox as an ordinary user".to_owned(),
            })
    }

    /// Name for messages.
    pub fn name(&self) -> &str {
        match self {
            Self::Oneself => "the starting user",
            Self::Other(account) => &account.name,
        }
    }

    /// Gives `path` to the user (without following a link).
    pub fn own(&self, path: &Path) -> Result<()> {
        match self {
            Self::Oneself => Ok(()),
            Self::Other(account) => {
                std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid)).map_err(Error::io(
                    format!("giving {} to {}", path.display(), account.name),
                ))
            }
        }
    }

    /// Gives a whole tree to the user.
    pub fn own_tree(&self, path: &Path) -> Result<()> {
        if matches!(self, Self::Oneself) {
            return Ok(());
        }
        self.own(path)?;
        if fs_err::symlink_metadata(path)?.is_dir() {
            for entry in fs_err::read_dir(path)? {
                self.own_tree(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Checks that the user can walk down to `dir`.
    pub fn can_reach(&self, dir: &Path) -> Result<()> {
        let Self::Other(account) = self else { return Ok(()) };
        for ancestor in dir.ancestors().filter(|ancestor| ancestor.is_absolute()) {
            // What does not exist yet is made by us, open enough.
            let Ok(meta) = fs_err::metadata(ancestor) else {
                continue;
            };
            if !may(&meta, account, 0o1) {
                return Err(Error::Unreachable {
                    dir: dir.to_owned(),
                    ancestor: ancestor.to_owned(),
                    user: account.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Whether the user can run the program where it lies.
    pub fn can_run(&self, program: &Path) -> bool {
        let Self::Other(account) = self else { return true };
        let runnable = fs_err::metadata(program).is_ok_and(|meta| may(&meta, account, 0o5));
        runnable && program.parent().is_some_and(|dir| self.can_reach(dir).is_ok())
    }
}

/// Whether the mode bits (as for "other") are granted to the account.
fn may(meta: &std::fs::Metadata, account: &Account, bits: u32) -> bool {
    let mode = meta.permissions().mode();
    let granted = if meta.uid() == account.uid {
        mode >> 6
    } else if meta.gid() == account.gid {
        mode >> 3
    } else {
        mode
    };
    granted & bits == bits
}

fn find(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [login, _, uid, gid, ..] = fields[..] else {
            return None;
        };
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        (login == name).then(|| Account {
            name: name.to_owned(),
            uid,
            gid,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_the_password_file() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:n:/none:/usr/sbin/nologin\n";
        let account = find(passwd, "nobody").unwrap();
        assert_eq!((account.uid, account.gid), (65534, 65533));
        assert_eq!(find(passwd, "postgres"), None);
    }
}
