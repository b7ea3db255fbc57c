//! What is left when a sandbox ends in the worst way.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// `pointsman-sandbox services --dir DIR -- sh -c 'echo ...; sleep'`, started and up.
struct Running {
    process: Child,
    amqp: String,
    database: String,
    /// Process number of the command.
    command: String,
}

impl Running {
    fn start(dir: &Path) -> Self {
        let script = "echo $POINTSMAN_TEST_AMQP_URL; echo $DATABASE_URL; echo $$; exec sleep 600";
        let mut process = Command::new(env!("CARGO_BIN_EXE_pointsman-sandbox"))
            .args([
                "services",
                "--dir",
                dir.to_str().unwrap(),
                "--",
                "sh",
                "-c",
                script,
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().expect("the services came up").unwrap();
        let address = |url: String| {
            url.split_once('@')
                .unwrap()
                .1
                .split('/')
                .next()
                .unwrap()
                .to_owned()
        };
        let (amqp, database, command) = (address(line()), address(line()), line());
        Self {
            process,
            amqp,
            database,
            command,
        }
    }

    fn assert_up(&self) {
        assert!(TcpStream::connect(&self.amqp).is_ok(), "the broker listens");
        assert!(TcpStream::connect(&self.database).is_ok(), "the database listens");
    }

    fn assert_gone(&mut self, dir: &Path) {
        self.process.wait().unwrap();
        until("no process of the sandbox is left", || {
            processes_in(dir).is_empty()
        });
        let command = format!("/proc/{}/cmdline", self.command);
        until("the command is gone too", || {
            fs_err::read(&command).unwrap_or_default().is_empty()
        });
        assert_eq!(shared_memory_of(dir), Vec::<String>::new());
        assert!(
            TcpStream::connect(&self.amqp).is_err(),
            "the broker's port is free"
        );
        assert!(
            TcpStream::connect(&self.database).is_err(),
            "the database's port is free"
        );
    }
}

/// Shared memory segments that processes of the sandbox made.
fn shared_memory_of(dir: &Path) -> Vec<String> {
    let processes = fs_err::read_to_string(dir.join("processes")).unwrap();
    let makers: Vec<&str> = processes
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let segments = fs_err::read_to_string("/proc/sysvipc/shm").unwrap();
    let made_here = |line: &&str| {
        line.split_whitespace()
            .nth(4)
            .is_some_and(|pid| makers.contains(&pid))
    };
    segments.lines().filter(made_here).map(str::to_owned).collect()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Processes that work in `dir` or name it, the sandbox itself excepted.
fn processes_in(dir: &Path) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let command = fs_err::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let works_there = fs_err::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
        if (works_there || command.contains(dir.to_str().unwrap())) && !command.contains(" services --dir ") {
            found.push((pid, command));
        }
    }
    found
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// A folder that the unprivileged user can enter.
pub(crate) fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("pm-test-")
        .permissions(open)
        .tempdir()
        .unwrap()
}

#[test]
fn a_sandbox_killed_with_9_leaves_no_process_and_no_port() {
    let dir = folder();
    let mut running = Running::start(&dir.path().join("s"));
    running.assert_up();
    kill(running.process.id().cast_signed());
    running.assert_gone(&dir.path().join("s"));
}

#[test]
fn not_even_when_its_keeper_is_killed_too() {
    let dir = folder();
    let dir = dir.path().join("s");
    let mut running = Running::start(&dir);
    running.assert_up();
    let keepers: Vec<i32> = processes_in(&dir)
        .into_iter()
        .filter(|(_, command)| command.contains(" keeper --dir "))
        .map(|(pid, _)| pid)
        .collect();
    assert_eq!(keepers.len(), 1);
    kill(running.process.id().cast_signed());
    keepers.into_iter().for_each(kill);
    running.assert_gone(&dir);
}

#[test]
fn a_sandbox_that_is_asked_to_end_ends_everything_first() {
    let dir = folder();
    let dir = dir.path().join("s");
    let mut running = Running::start(&dir);
    running.assert_up();
    kill_process(
        Pid::from_raw(running.process.id().cast_signed()).unwrap(),
        Signal::TERM,
    )
    .unwrap();
    assert_eq!(running.process.wait().unwrap().code(), Some(143));
    assert_eq!(processes_in(&dir), []);
    running.assert_gone(&dir);
}
