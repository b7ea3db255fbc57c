//! The keeper's own process: starts, signals, reaps, and ends everything when its pipe closes.
//!
//! It runs on one thread, because the parent-death signal of its children follows the thread that made them. It
//! decides nothing: which processes there should be is the sandbox's matter.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::Instant;

use super::order::{Exit, Order, Report, Sign, Spec};
use crate::error::{Error, Result};
use crate::place::{LOCK, try_lock};

/// How long processes may take to end when asked, and to be gone when killed.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the sandbox at the other end of stdin and stdout until it is gone, then ends everything and returns.
pub fn serve(dir: &Path, remove: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("starting the keeper's runtime"))?;
    let result = runtime.block_on(run(dir, remove));
    // A read of stdin may still be waiting; it must not hold us.
    runtime.shutdown_background();
    result
}

async fn run(dir: &Path, remove: bool) -> Result<()> {
    let mut keeper = match Served::start(dir) {
        Ok(keeper) => keeper,
        Err(error) => {
            say(&Report::Refused(error.chain()));
            return Err(error);
        }
    };
    say(&Report::Ready);
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let mut asked_to_end = signal(SignalKind::terminate()).map_err(Error::io("listening for TERM"))?;
    let served = loop {
        tokio::select! {
            line = orders.next_line() => match line {
                Ok(Some(line)) => if let Err(error) = keeper.obey(&line) { break Err(error) },
                Ok(None) | Err(_) => break Ok(()),
            },
            _ = keeper.child_ended.recv() => keeper.reap(),
            _ = asked_to_end.recv() => break Ok(()),
        }
    };
    keeper.end().await;
    if remove {
        // What a privileged caller put there stays for the caller to remove.
        drop(fs_err::remove_dir_all(dir));
    }
    served
}

struct Served {
    children: BTreeMap<u64, Child>,
    child_ended: Signals,
    record: File,
    _lock: File,
}

struct Child {
    pid: Pid,
    last: Sign,
}

impl Served {
    fn start(dir: &Path) -> Result<Self> {
        let lock = File::options()
            .write(true)
            .open(dir.join(LOCK))
            .map_err(Error::io("opening the lock"))?;
        if !try_lock(&lock) {
            let why = "another sandbox lives in it; end that one first".to_owned();
            return Err(Error::Taken {
                dir: dir.to_owned(),
                why,
            });
        }
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|errno| Error::io("becoming the parent of orphans")(errno.into()))?;
        Ok(Self {
            children: BTreeMap::new(),
            child_ended: signal(SignalKind::child()).map_err(Error::io("listening for ended children"))?,
            record: File::create(dir.join("processes")).map_err(Error::io("making the list of processes"))?,
            _lock: lock,
        })
    }

    fn obey(&mut self, line: &str) -> Result<()> {
        let order = serde_json::from_str(line).map_err(|error| {
            Error::Unexpected(format!("the keeper cannot read the order {line:?}: {error}"))
        })?;
        match order {
            Order::Spawn { id, spec } => match self.spawn(id, &spec) {
                Ok(pid) => say(&Report::Spawned {
                    id,
                    pid: pid.as_raw_nonzero().get(),
                }),
                Err(error) => say(&Report::NotSpawned {
                    id,
                    why: error.chain(),
                }),
            },
            Order::Signal { id, sign } => {
                // Gone already: its exit is on its way to the sandbox.
                if let Some(child) = self.children.get(&id) {
                    child.signal(sign);
                }
            }
        }
        Ok(())
    }

    fn spawn(&mut self, id: u64, spec: &Spec) -> Result<Pid> {
        let log = File::options()
            .append(true)
            .create(true)
            .open(&spec.log)
            .map_err(Error::io(format!("opening {}", spec.log.display())))?;
        let copy = || log.try_clone().map_err(Error::io("sharing a log file"));
        let stdout = match &spec.stdout {
            None => copy()?,
            Some(path) => File::create(path).map_err(Error::io(format!("making {}", path.display())))?,
        };
        // The running program, even when a build has put another one in its place.
        let child = Command::new("/proc/self/exe")
            .arg0("pointsman-sandbox")
            .arg("child")
            .arg("--parent")
            .arg(std::process::id().to_string())
            .arg("--signal")
            .arg(spec.last.number().as_raw().to_string())
            .arg("--")
            .args(&spec.argv)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&spec.cwd)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(copy()?)
            .spawn()
            .map_err(Error::io(format!("starting {}", spec.name)))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::Unexpected("a process without a number".to_owned()))?;
        self.children.insert(id, Child { pid, last: spec.last });
        let started = start_time(pid).unwrap_or_default();
        writeln!(self.record, "{} {started} {}", child.id(), spec.name)
            .and_then(|()| self.record.sync_data())
            .map_err(Error::io("recording a process"))?;
        Ok(pid)
    }

    /// Takes note of every child that ended, adopted ones included.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let exit = match (status.exit_status(), status.terminating_signal()) {
                (Some(status), _) => Exit::Status(status),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => continue,
            };
            let id = self
                .children
                .iter()
                .find(|(_, child)| child.pid == pid)
                .map(|(id, _)| *id);
            if let Some(id) = id {
                self.children.remove(&id);
                say(&Report::Exited { id, exit });
            }
        }
    }

    async fn end(&mut self) {
        for child in self.children.values() {
            child.signal(child.last);
            // A frozen process hears nothing before it is thawed.
            child.signal(Sign::Cont);
        }
        let deadline = Instant::now() + GRACE;
        while !self.children.is_empty() && Instant::now() < deadline {
            self.wait_a_little().await;
        }
        for child in self.children.values() {
            child.signal(Sign::Kill);
        }
        // What is left was started by those that ended just now, and is ours by adoption.
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            let orphans = children_of(rustix::process::getpid());
            if orphans.is_empty() {
                break;
            }
            for orphan in orphans {
                // It may have ended since it was listed.
                rustix::process::kill_process(orphan, rustix::process::Signal::KILL).ok();
            }
            self.wait_a_little().await;
        }
    }

    async fn wait_a_little(&mut self) {
        // Either a child ended or it is time to look again.
        drop(tokio::time::timeout(Duration::from_millis(20), self.child_ended.recv()).await);
        self.reap();
    }
}

impl Child {
    fn signal(&self, sign: Sign) {
        // The number is ours until we reap it, so it never means another process; an ended one needs no signal.
        rustix::process::kill_process(self.pid, sign.number()).ok();
    }
}

/// Tells the sandbox; a sandbox that is gone needs no telling.
fn say(report: &Report) {
    let Ok(mut line) = serde_json::to_vec(report) else {
        return;
    };
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    drop(out.write_all(&line).and_then(|()| out.flush()));
}

/// The fields of `/proc/<pid>/stat` after the program's name, which may contain anything.
fn stat_fields(pid: Pid) -> Option<Vec<String>> {
    let text = fs_err::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

fn start_time(pid: Pid) -> Option<String> {
    stat_fields(pid)?.into_iter().nth(19)
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().to_string();
    let Ok(entries) = fs_err::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .parse()
                .ok()
                .and_then(Pid::from_raw)
        })
        .filter(|pid| stat_fields(*pid).is_some_and(|fields| fields.get(1) == Some(&parent)))
        .collect()
}
