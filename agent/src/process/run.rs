//! One child from start to end: gate, output, time limits, lease, TERM, grace, KILL.
//!
//! The leader's exit is only watched, not reaped, until its whole group is gone: as long as it is a zombie its number
//! cannot be given away, so no signal can hit a stranger. Processes that left the group (a second `setsid`) are not
//! chased; they cannot hold us up either, because after the group's end the pipes are given one more second only.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::ids::{Epoch, JobId, PlacementId};
use pointsman_shared::outcome::{ExitReason, ProcessExit};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::output::{LineSink, OutputLimits};
use super::watch::{Pipes, Watch};
use super::{GroupRecord, gate, proc, signal_group, spawner};
use crate::dir::FileError;
use crate::journal::Groups;
use crate::lease::Lease;

/// How long a gate may take to say that its group stands.
const GATE_TIME: Duration = Duration::from_secs(10);

/// What to run. The environment is exactly `env`; standard input is `/dev/null`.
#[derive(Debug, Clone)]
pub struct Command {
    /// Program and arguments; a program without `/` is looked up in `env`'s `PATH`.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub cwd: PathBuf,
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time in all.
    pub total: Duration,
    /// Longest time without a byte of output.
    pub silence: Option<Duration>,
    /// Between TERM and KILL.
    pub grace: Duration,
    /// How long a group that survives KILL (another user's processes) is waited for.
    pub refusal: Duration,
    /// Output.
    pub output: OutputLimits,
}

impl Limits {
    /// `total` and `silence` as given, everything else as protocol.md has it: 10 s between TERM and KILL, 30 s after.
    pub fn new(total: Duration, silence: Option<Duration>) -> Self {
        let (grace, refusal) = (Duration::from_secs(10), Duration::from_secs(30));
        Self {
            total,
            silence,
            grace,
            refusal,
            output: OutputLimits::default(),
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Status, signal and reason.
    pub exit: ProcessExit,
    /// The group that would not end; it stays in the journal and keeps its placement closed.
    pub refused: Option<GroupRecord>,
}

impl Ended {
    /// Whether it ended by itself with status 0.
    pub fn success(&self) -> bool {
        self.exit.reason == ExitReason::Finished && self.exit.status == Some(0)
    }
}

/// A child that could not be started; nothing of its program ran.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The system would not start the gate.
    #[error("start {command:?} in {}", cwd.display())]
    Spawn {
        /// The program alone: its arguments may hold a password.
        command: String,
        /// Its folder.
        cwd: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The gate stood, but could not become the program.
    #[error("start {command:?}: {reason}")]
    Program {
        /// The program alone: its arguments may hold a password.
        command: String,
        /// What the system said.
        reason: String,
    },
    /// The journal could not be written, so nothing may run.
    #[error("record the process before it runs")]
    Journal(#[source] FileError),
}

/// Starts children for one epoch of a job.
#[derive(Debug, Clone)]
pub struct Processes {
    /// The program whose `gate` subcommand every child starts as; `/proc/self/exe` in production.
    pub gate: PathBuf,
    /// Where groups are recorded.
    pub groups: Arc<Groups>,
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
    /// The placement it works on.
    pub placement: Option<PlacementId>,
}

impl Processes {
    /// Runs one command to its end and hands every line to `sink`. Ends it when a limit is passed or the lease ends.
    pub async fn run(
        &self,
        command: &Command,
        limits: &Limits,
        lease: &Lease,
        sink: &mut dyn LineSink,
    ) -> Result<Ended, ProcessError> {
        let (group, mut socket, pipes) = self.start(command).await?;
        if let Some(reason) = release(&mut socket).await {
            let record = group.record.clone();
            drop(group);
            self.forget(&record).await?;
            return Err(ProcessError::Program {
                command: command.argv.first().cloned().unwrap_or_default(),
                reason,
            });
        }
        let mut watch = Watch::new(*limits, pipes);
        let reason = watch.until_gone(&group, lease, sink).await;
        let refused = watch.refused();
        let record = group.record.clone();
        let exit = if refused { None } else { group.reap() };
        if !refused {
            self.forget(&record).await?;
        }
        let exit = ProcessExit {
            status: exit.and_then(|status| status.code()),
            signal: exit.and_then(|status| status.signal()),
            reason,
        };
        Ok(Ended {
            exit,
            refused: refused.then_some(record),
        })
    }

    async fn start(&self, command: &Command) -> Result<(Group, UnixStream, Pipes), ProcessError> {
        let failed = |source| ProcessError::Spawn {
            command: command.argv.first().cloned().unwrap_or_default(),
            cwd: command.cwd.clone(),
            source,
        };
        let (ours, theirs) = StdUnixStream::pair().map_err(failed)?;
        let mut gate = std::process::Command::new(&self.gate);
        gate.arg0("pointsman-agent")
            .args(["gate", "--"])
            .args(&command.argv);
        gate.env_clear()
            .envs(command.env.iter().map(|(name, value)| (name, value)));
        gate.current_dir(&command.cwd);
        gate.stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = spawner::spawn(gate).await.map_err(failed)?;
        let (mut group, pipes) = Group::of(child, self, command).map_err(failed)?;
        let mut socket = async_socket(ours).map_err(failed)?;
        let mut word = [0];
        let ready = tokio::time::timeout(GATE_TIME, socket.read_exact(&mut word)).await;
        if !matches!(ready, Ok(Ok(_))) || word != [gate::READY] {
            return Err(failed(std::io::Error::other("the gate did not come up")));
        }
        group.record.started = proc::stat(group.pid).map_or(0, |stat| stat.started);
        self.remember(&group.record).await?;
        Ok((group, socket, pipes))
    }

    async fn remember(&self, record: &GroupRecord) -> Result<(), ProcessError> {
        let (groups, record) = (Arc::clone(&self.groups), record.clone());
        let written = tokio::task::spawn_blocking(move || groups.add(record)).await;
        flatten(written)
    }

    async fn forget(&self, record: &GroupRecord) -> Result<(), ProcessError> {
        let (groups, record) = (Arc::clone(&self.groups), record.clone());
        let written = tokio::task::spawn_blocking(move || groups.remove(&record)).await;
        flatten(written)
    }
}

fn flatten(written: Result<Result<(), FileError>, tokio::task::JoinError>) -> Result<(), ProcessError> {
    match written {
        Ok(written) => written.map_err(ProcessError::Journal),
        Err(gone) => Err(ProcessError::Journal(FileError::new(
            "write",
            "journal",
            std::io::Error::other(gone.to_string()),
        ))),
    }
}

fn async_socket(socket: StdUnixStream) -> std::io::Result<UnixStream> {
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// Lets the gate become its program; answers with the system's words when that failed.
async fn release(socket: &mut UnixStream) -> Option<String> {
    if let Err(error) = socket.write_all(&[gate::GO]).await {
        return Some(format!("the gate went away: {error}"));
    }
    let mut words = String::new();
    // The socket closes without a word the moment the program starts.
    match socket.read_to_string(&mut words).await {
        Ok(0) => None,
        Ok(_) => Some(words),
        Err(error) => Some(error.to_string()),
    }
}

/// A started child. Dropped before it was reaped, it is killed: nothing outlives the future that ran it.
pub(super) struct Group {
    pub(super) record: GroupRecord,
    pub(super) exited: AsyncFd<OwnedFd>,
    pid: Pid,
    child: Option<Child>,
}

impl Group {
    fn of(mut child: Child, processes: &Processes, command: &Command) -> std::io::Result<(Self, Pipes)> {
        let pid = Pid::from_child(&child);
        let take = |fd: Option<OwnedFd>| {
            fd.ok_or_else(|| std::io::Error::other("the child has no output"))
                .and_then(pipe::Receiver::from_owned_fd)
        };
        let pipes = Pipes {
            out: Some(take(child.stdout.take().map(OwnedFd::from))?),
            err: Some(take(child.stderr.take().map(OwnedFd::from))?),
        };
        #[expect(
            deprecated,
            reason = "its successor is unsafe, and an `OwnedFd` always names the same descriptor"
        )]
        let exited = AsyncFd::new(pidfd_open(pid, PidfdFlags::NONBLOCK)?)?;
        let record = GroupRecord {
            group: pid.as_raw_nonzero().get(),
            started: 0,
            boot_id: proc::boot_id(),
            placement: processes.placement,
            job: processes.job,
            epoch: processes.epoch,
            command: command.argv.join(" "),
        };
        Ok((
            Self {
                record,
                exited,
                pid,
                child: Some(child),
            },
            pipes,
        ))
    }

    /// Takes the exit status of a child that is known to have ended.
    fn reap(mut self) -> Option<std::process::ExitStatus> {
        self.child.take().and_then(|mut child| child.wait().ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        signal_group(&self.record, Signal::KILL);
        // A leader whose program never began has no group of its own yet.
        if let Err(error) = child.kill() {
            tracing::debug!(%error, "a child was gone before it was killed");
        }
        // Waiting may take as long as the kernel needs; nobody should wait for that here.
        std::thread::spawn(move || child.wait());
    }
}
