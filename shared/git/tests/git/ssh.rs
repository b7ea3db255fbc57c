//! A repository behind a real sshd: reached with a key of its own and no other, from a server that is known.
//!
//! The server runs without privileges, so only the user that it runs as can log in: whoever runs the tests, or
//! `postgres` where that is root.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use pointsman_git::{Mirror, SshKey, Transport};
use pointsman_shared::repository::RepositoryUrl;

use crate::kit::{World, gits, reference};

const SSHD: &str = "/usr/sbin/sshd";

/// Listens itself and gives every connection a server of its own: a port that was free a moment ago may be another's by
/// the time that a server takes it.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    user: String,
    ends: Arc<AtomicBool>,
    accepts: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes it up.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        if let Some(accepts) = self.accepts.take() {
            accepts.join().ok();
        }
    }
}

/// Name, uid and gid of who can log in.
fn account() -> (String, u32, u32) {
    let me = rustix::process::geteuid();
    let passwd = fs_err::read_to_string("/etc/passwd").expect("users");
    let mut users = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = users.find(|user| {
        if me.is_root() {
            user[0] == "postgres"
        } else {
            user[2] == me.as_raw().to_string()
        }
    });
    let user = found.expect("a user with a shell");
    let number = |field: usize| user[field].parse().expect("a number");
    (user[0].to_owned(), number(2), number(3))
}

fn own(path: &Path, uid: u32, gid: u32) {
    std::os::unix::fs::lchown(path, Some(uid), Some(gid)).expect("chown");
    if fs_err::symlink_metadata(path).expect("exists").is_dir() {
        for entry in fs_err::read_dir(path).expect("reads") {
            own(&entry.expect("an entry").path(), uid, gid);
        }
    }
}

/// Makes a key; returns its private half.
fn make_key(file: &Path) -> String {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(file)
        .status();
    assert!(
        made.expect("ssh-keygen; deploy/install-packages tests installs it")
            .success()
    );
    fs_err::read_to_string(file).expect("a key")
}

fn serve(listener: &TcpListener, sshd: &mut Command, ends: &AtomicBool) {
    let mut children = Vec::<Child>::new();
    for stream in listener.incoming().map_while(Result::ok) {
        if ends.load(Ordering::SeqCst) {
            break;
        }
        let same = stream.try_clone().expect("one more handle");
        let child = sshd
            .stdin(OwnedFd::from(stream))
            .stdout(OwnedFd::from(same))
            .spawn();
        children.push(child.expect("sshd; deploy/install-packages tests installs it"));
    }
    for mut child in children {
        child.kill().ok();
        child.wait().ok();
    }
}

impl Server {
    /// Serves a copy of a world's repository to whoever has the key; returns that, too.
    fn start(world: &World) -> (Self, String) {
        use std::os::unix::fs::PermissionsExt as _;
        use std::os::unix::process::CommandExt as _;
        let (user, uid, gid) = account();
        let folder = tempfile::Builder::new()
            .prefix("pointsman-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .expect("a folder");
        let at = |name: &str| folder.path().join(name);
        make_key(&at("host_key"));
        let private = make_key(&at("client"));
        fs_err::copy(at("client.pub"), at("authorized_keys")).expect("copies");
        let copy = at("shop.git").display().to_string();
        world.run(&["clone", "--quiet", "--bare", ".", &copy]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAllowUsers {user}\n",
            at("host_key").display(),
            at("authorized_keys").display(),
        );
        fs_err::write(at("sshd_config"), config).expect("writes");
        own(folder.path(), uid, gid);
        let mut sshd = Command::new(SSHD);
        sshd.arg("-i")
            .arg("-f")
            .arg(at("sshd_config"))
            .arg("-E")
            .arg(at("log"));
        sshd.uid(uid).gid(gid).stderr(Stdio::null());
        let ends = Arc::new(AtomicBool::new(false));
        let accepts = Some(std::thread::spawn({
            let ends = Arc::clone(&ends);
            move || serve(&listener, &mut sshd, &ends)
        }));
        let server = Self {
            folder,
            port,
            user,
            ends,
            accepts,
        };
        (server, private)
    }

    fn log(&self) -> String {
        fs_err::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn url(&self) -> RepositoryUrl {
        let path = self.folder.path().join("shop.git");
        let text = format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, path.display());
        text.parse().expect("an address")
    }

    fn known_hosts(&self) -> String {
        let public = fs_err::read_to_string(self.folder.path().join("host_key.pub")).expect("a key");
        format!("[127.0.0.1]:{} {public}", self.port)
    }
}

fn fetch(world: &World, server: &Server, key: Option<SshKey>) -> pointsman_git::Result<Mirror> {
    let transport = Transport {
        hosts: vec!["127.0.0.1".to_owned()],
        key,
        ..world.transport()
    };
    let mirror = Mirror::open(&world.folder.path().join("over-ssh"), &server.url(), &transport)?;
    mirror.fetch().map(|()| mirror)
}

fn refused(world: &World, server: &Server, key: Option<SshKey>) -> String {
    let error = fetch(world, server, key).expect_err("refused");
    assert_eq!(error.kind(), "repository_unreachable");
    format!("{error}; {}", error.remedy())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder)
        .expect("reads")
        .map(|entry| entry.expect("an entry").path());
    let inside = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(inside).collect()
}

#[test]
fn a_repository_is_reached_with_its_own_key_alone() {
    let world = World::new(&gits()[0]);
    let commit = world.simple("one");
    let (server, private) = Server::start(&world);
    let key = |private: &str, hosts: &str| Some(SshKey::new(private, hosts).expect("in memory"));
    let known = server.known_hosts();

    for stranger in [None, key(&private, "")] {
        let told = refused(&world, &server, stranger);
        assert!(
            told.contains("Host key verification failed"),
            "{told}; {}",
            server.log()
        );
    }
    let mirror = fetch(&world, &server, key(&private, &known)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        mirror.resolve(&reference("main")).expect("resolves").commit,
        commit
    );
    let found = files(world.folder.path());
    let has_key = |file: &PathBuf| {
        let bytes = fs_err::read(file).expect("reads");
        String::from_utf8_lossy(&bytes).contains("PRIVATE KEY")
    };
    assert!(
        found.len() > 10 && !found.iter().any(has_key),
        "the key is on no disk: {found:?}"
    );

    // The operator's key would be let in; a project with a key of its own uses that one.
    let home = world.transport().home;
    fs_err::create_dir_all(&home).expect("a folder");
    let operators = home.join("id");
    fs_err::copy(server.folder.path().join("client"), &operators).expect("copies");
    fs_err::write(home.join("known_hosts"), &known).expect("writes");
    fetch(&world, &server, None).expect("the operator's key is let in");
    let stranger = make_key(&world.folder.path().join("stranger"));
    let told = refused(&world, &server, key(&stranger, ""));
    assert!(
        told.contains("Permission denied (publickey") && told.contains("pointsman project key generate"),
        "{told}"
    );
    fs_err::remove_file(&operators).expect("removes");
    fetch(&world, &server, key(&private, "")).expect("the operator's known hosts count, too");
}
