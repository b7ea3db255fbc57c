//! An sshd of a test's own: own port, own host key, one key that may log in, and the distribution's git behind it.
//!
//! It runs without privileges, so only the user that it runs as can log in: whoever runs the tests, or `postgres` where
//! that is root, because it needs a user with a shell that is neither root nor the fleet's.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of the repositories in its folder; it ends when dropped.
#[derive(Debug)]
pub struct SshServer {
    folder: TempDir,
    account: Account,
    port: u16,
    child: Child,
}

#[derive(Debug)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl SshServer {
    /// Starts it.
    pub fn start() -> Result<Self> {
        let account = Account::choose()?;
        let folder = tempfile::Builder::new()
            .prefix("pointsman-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")?;
        let at = |name: &str| folder.path().join(name);
        make_key(&at("host_key"))?;
        fs_err::write(at("authorized_keys"), "")?;
        // Free now; whoever takes it in the next moment makes the test fail, and loudly.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {host_key}\nAuthorizedKeysFile {keys}\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n\
             AllowUsers {name}\nAcceptEnv GIT_PROTOCOL\n",
            host_key = at("host_key").display(),
            keys = at("authorized_keys").display(),
            name = account.name,
        );
        fs_err::write(at("sshd_config"), config)?;
        account.own(folder.path())?;
        let log = fs_err::File::create(at("log"))?.into_parts().0;
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .uid(account.uid)
            .gid(account.gid)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{SSHD} is missing; deploy/install-packages tests installs it"))?;
        let server = Self {
            folder,
            account,
            port,
            child,
        };
        server.until_it_listens()?;
        Ok(server)
    }

    fn until_it_listens(&self) -> Result<()> {
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = fs_err::read_to_string(self.folder.path().join("log"))?;
            ensure!(begin.elapsed() < PATIENCE, "sshd does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Takes a copy of a repository under this name.
    pub fn holds(&self, repository: &Path, name: &str) -> Result<()> {
        let copy = self.folder.path().join(name);
        let cloned = Command::new("git")
            .args(["-c", "safe.directory=*", "clone", "--quiet", "--bare"])
            .arg(repository)
            .arg(&copy)
            .status()?;
        ensure!(cloned.success(), "git clone: {cloned}");
        self.account.own(&copy)
    }

    /// Makes a key that may log in, instead of the one before; returns the private half.
    pub fn lets_in_a_new_key(&self) -> Result<String> {
        let key = self.folder.path().join("client_key");
        // ssh-keygen would ask whether it may write over the one that was let in before.
        if key.exists() {
            fs_err::remove_file(&key)?;
        }
        make_key(&key)?;
        let public = fs_err::read_to_string(key.with_extension("pub"))?;
        fs_err::write(self.folder.path().join("authorized_keys"), public)?;
        Ok(fs_err::read_to_string(key)?)
    }

    /// The address of the repository with this name.
    pub fn url(&self, repository: &str) -> String {
        let (user, port) = (&self.account.name, self.port);
        let path = self.folder.path().join(repository);
        format!("ssh://{user}@127.0.0.1:{port}{}", path.display())
    }

    /// The line of `known_hosts` that says who it is.
    pub fn known_hosts_line(&self) -> Result<String> {
        let public = fs_err::read_to_string(self.folder.path().join("host_key.pub"))?;
        Ok(format!("[127.0.0.1]:{} {public}", self.port))
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        // Its sessions end with the connections of those who fetch.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Account {
    fn choose() -> Result<Self> {
        let passwd = fs_err::read_to_string("/etc/passwd")?;
        let uid = rustix::process::geteuid();
        let is_it = |fields: &[&str]| {
            if uid.is_root() {
                fields[0] == "postgres"
            } else {
                fields[2] == uid.as_raw().to_string()
            }
        };
        passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() > 6 && is_it(fields))
            .map(|fields| {
                anyhow::Ok(Self {
                    name: fields[0].to_owned(),
                    uid: fields[2].parse()?,
                    gid: fields[3].parse()?,
                })
            })
            .context("there is no user with a shell to log in as")?
    }

    fn own(&self, path: &Path) -> Result<()> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))?;
        if fs_err::symlink_metadata(path)?.is_dir() {
            for entry in fs_err::read_dir(path)? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }
}

fn make_key(file: &PathBuf) -> Result<()> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(file)
        .status()
        .context("ssh-keygen is missing; deploy/install-packages tests installs it")?;
    ensure!(made.success(), "ssh-keygen: {made}");
    Ok(())
}
