//! What the sentences of these tests speak about: a machine with a state folder and roots, and children on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_agent::journal::StateFolder;
use pointsman_agent::lease::{BootInstant, Lease, LeaseKeeper, lease};
use pointsman_agent::process::{Command, Ended, Limits, Line, ProcessError, Processes};
use pointsman_shared::ids::{Epoch, JobId, PlacementId};
use uuid::Uuid;

/// The binary whose `gate` subcommand children start through.
pub fn gate() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_pointsman-agent"))
}

pub fn job() -> JobId {
    JobId(Uuid::from_u128(1))
}

pub fn placement() -> PlacementId {
    PlacementId(Uuid::from_u128(2))
}

/// A lease that outlives every test.
pub fn long_lease() -> (LeaseKeeper, Lease) {
    lease(BootInstant::now().plus(Duration::from_mins(10)))
}

/// Starts children that are recorded in `state`.
pub fn processes(state: &StateFolder) -> Processes {
    Processes {
        gate: gate(),
        groups: Arc::clone(&state.groups),
        job: job(),
        epoch: Epoch(1),
        placement: Some(placement()),
    }
}

/// A machine that starts children.
pub struct World {
    pub folder: tempfile::TempDir,
    pub state: StateFolder,
    pub lines: Vec<Line>,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("state")).unwrap();
        let state = StateFolder::open(&folder.path().join("state")).unwrap();
        Self {
            folder,
            state,
            lines: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A shell script with nothing in its environment but `PATH`.
    pub fn script(&self, script: &str) -> Command {
        Command {
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            cwd: self.folder.path().to_owned(),
        }
    }

    pub async fn run(&mut self, command: &Command, limits: &Limits) -> Result<Ended, ProcessError> {
        let (_keeper, lease) = long_lease();
        self.run_under(command, limits, &lease).await
    }

    pub async fn run_under(
        &mut self,
        command: &Command,
        limits: &Limits,
        lease: &Lease,
    ) -> Result<Ended, ProcessError> {
        let lines = &mut self.lines;
        processes(&self.state)
            .run(command, limits, lease, &mut |line| lines.push(line))
            .await
    }

    /// The printed lines without their sources.
    pub fn texts(&self) -> Vec<&str> {
        let text = |line: &'_ Line| match line {
            Line::Text { text, .. } => text.len(),
            Line::Gap { .. } => 0,
        };
        self.lines
            .iter()
            .filter(|line| text(line) > 0)
            .map(|line| match line {
                Line::Text { text, .. } => text.as_str(),
                Line::Gap { .. } => "",
            })
            .collect()
    }
}

/// Limits that are never reached, with a short grace.
pub fn patient() -> Limits {
    let mut limits = Limits::new(Duration::from_mins(1), None);
    limits.grace = Duration::from_millis(300);
    limits.refusal = Duration::from_secs(5);
    limits
}

/// Polls until `condition` holds; fails after 20 s.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The process id that a script wrote to `file`, once it has.
pub fn pid_in(file: &Path) -> u32 {
    let mut pid = None;
    eventually(&format!("a process id in {}", file.display()), || {
        pid = fs_err::read_to_string(file)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// Whether a process lives; a zombie does not.
pub fn lives(pid: u32) -> bool {
    fs_err::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    })
}
