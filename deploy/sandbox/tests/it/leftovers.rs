//! What is left when a sandbox ends in the worst way.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A sandbox that is up, as a process of its own.
struct Running {
    process: Child,
    dir: PathBuf,
    /// Where its services listen.
    addresses: Vec<String>,
    /// Process number of the command that it runs.
    command: Option<i32>,
}

impl Running {
    /// PostgreSQL and RabbitMQ around a command that sleeps.
    fn services(dir: &Path) -> Self {
        let script = "echo $POINTSMAN_TEST_AMQP_URL; echo $DATABASE_URL; echo $$; exec sleep 600";
        let (process, said) = start(dir, &["services"], &["--", "sh", "-c", script], 3);
        let command = said[2].parse().ok();
        Self {
            process,
            dir: dir.to_owned(),
            addresses: said[..2].iter().map(|url| address(url)).collect(),
            command,
        }
    }

    /// A whole fleet.
    fn fleet(dir: &Path) -> Self {
        let (process, _) = start(dir, &["up", "--hosts", "1"], &[], 4);
        let env = fs_err::read_to_string(dir.join("env")).unwrap();
        let urls = env.lines().filter(|line| line.contains("_URL="));
        let addresses = urls
            .map(|line| address(line.split_once('=').unwrap().1.trim_matches('\'')))
            .collect();
        Self {
            process,
            dir: dir.to_owned(),
            addresses,
            command: None,
        }
    }

    fn pid(&self) -> i32 {
        self.process.id().cast_signed()
    }

    fn assert_up(&self) {
        for address in &self.addresses {
            assert!(TcpStream::connect(address).is_ok(), "{address} listens");
        }
    }

    fn assert_gone(&mut self) {
        self.process.wait().unwrap();
        until("no process of the sandbox is left", || {
            processes_in(&self.dir).is_empty()
        });
        if let Some(command) = self.command {
            let command = format!("/proc/{command}/cmdline");
            until("the command is gone too", || {
                fs_err::read(&command).unwrap_or_default().is_empty()
            });
        }
        assert_eq!(shared_memory_of(&self.dir), Vec::<String>::new());
        for address in &self.addresses {
            assert!(TcpStream::connect(address).is_err(), "{address} is free");
        }
    }
}

/// Starts the binary and waits until it has said so many lines.
fn start(dir: &Path, command: &[&str], rest: &[&str], lines: usize) -> (Child, Vec<String>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_pointsman-sandbox"))
        .args(command)
        .args(["--dir", dir.to_str().unwrap()])
        .args(rest)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(process.stdout.take().unwrap()).lines().take(lines);
    let said: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(said.len(), lines, "the sandbox came up: {said:?}");
    (process, said)
}

/// Host and port of a URL.
fn address(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap().to_owned()
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
pub(crate) fn processes_in(dir: &Path) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let command = fs_err::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let works_there = fs_err::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
        let is_sandbox = [" services ", " up "].iter().any(|word| command.contains(word));
        if (works_there || command.contains(dir.to_str().unwrap())) && !is_sandbox {
            found.push((pid, command));
        }
    }
    found
}

fn pids_of(dir: &Path, words: &str) -> Vec<i32> {
    let named = processes_in(dir)
        .into_iter()
        .filter(|(_, command)| command.contains(words));
    named.map(|(pid, _)| pid).collect()
}

fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// A folder that the unprivileged user can enter.
pub(crate) fn folder() -> tempfile::TempDir {
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("pm-test-")
        .permissions(open)
        .tempdir()
        .unwrap()
}

#[test]
fn a_fleet_killed_with_9_leaves_nothing_not_even_a_frozen_agent() {
    let dir = folder();
    let mut running = Running::fleet(&dir.path().join("s"));
    running.assert_up();
    let agents = pids_of(&running.dir, "pointsman-agent run");
    assert_eq!(agents.len(), 2, "a host and a builder");
    send(agents[0], Signal::STOP);
    send(running.pid(), Signal::KILL);
    running.assert_gone();
}

#[test]
fn services_end_even_when_their_keeper_is_killed_too() {
    let dir = folder();
    let mut running = Running::services(&dir.path().join("s"));
    running.assert_up();
    let keepers = pids_of(&running.dir, " keeper --dir ");
    assert_eq!(keepers.len(), 1);
    send(running.pid(), Signal::KILL);
    send(keepers[0], Signal::KILL);
    running.assert_gone();
}

#[test]
fn a_sandbox_that_is_asked_to_end_ends_everything_first() {
    let dir = folder();
    let mut running = Running::services(&dir.path().join("s"));
    running.assert_up();
    send(running.pid(), Signal::TERM);
    assert_eq!(running.process.wait().unwrap().code(), Some(143));
    assert_eq!(processes_in(&running.dir), []);
    running.assert_gone();
}
