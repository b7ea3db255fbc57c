//! One run of the `git` program: own process group, a deadline, a bounded tail of what it printed.
//!
//! The child's standard input is the lock file of the mirror (empty, so it reads as the end). If this process is
//! killed, an orphaned `git` thereby still holds the lock until it ends, and nobody writes beside it. This module
//! refuses to leave a group behind after a timeout or a stop.

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Error, Result};
use crate::lock::Lock;

/// Bytes kept of each output.
const TAIL: usize = 8 * 1024;
/// Time between TERM (git removes its temporary files) and KILL.
const GRACE: Duration = Duration::from_secs(2);

/// A request to stop, given to every copy.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends running and later work with [`Error::Stopped`].
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once requested.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.is_requested() {
            Err(Error::Stopped)
        } else {
            Ok(())
        }
    }
}

/// What a finished child left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `command` to its end, at most for `timeout`.
pub(crate) fn run(
    mut command: Command,
    lock: Option<&Lock>,
    timeout: Duration,
    stop: &Stop,
) -> Result<Finished> {
    let stdin = match lock {
        Some(lock) => Stdio::from(
            lock.file()
                .try_clone()
                .map_err(Error::storage("handing on the lock"))?,
        ),
        None => Stdio::null(),
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let deadline = Instant::now() + timeout;
    let mut child = command.spawn().map_err(|source| Error::NoGit {
        program: command.get_program().into(),
        source,
    })?;
    let stdout = Tail::follow(child.stdout.take());
    let stderr = Tail::follow(child.stderr.take());
    let status = match wait(&mut child, deadline, stop)? {
        Ended::Itself(status) => status,
        Ended::Stopped => return Err(Error::Stopped),
        Ended::TooLate => {
            let what = format!(
                "`git` ({})",
                stderr.text().lines().last().unwrap_or("it printed nothing")
            );
            return Err(Error::Timeout {
                what,
                seconds: timeout.as_secs(),
            });
        }
    };
    Ok(Finished {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
    })
}

enum Ended {
    Itself(ExitStatus),
    Stopped,
    TooLate,
}

fn wait(child: &mut Child, deadline: Instant, stop: &Stop) -> Result<Ended> {
    let waiting = || Error::storage("waiting for git");
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().map_err(waiting())? {
            return Ok(Ended::Itself(status));
        }
        let stopped = stop.is_requested();
        if stopped || Instant::now() >= deadline {
            end_group(child).map_err(waiting())?;
            return Ok(if stopped { Ended::Stopped } else { Ended::TooLate });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// TERM, grace, KILL for the whole group, then reaps the child.
fn end_group(child: &mut Child) -> std::io::Result<()> {
    let group = Pid::from_child(child);
    signal(group, Signal::TERM);
    let deadline = Instant::now() + GRACE;
    // The child is not reaped meanwhile, so the group's number cannot pass to somebody else.
    while Instant::now() < deadline && !has_exited(group) {
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(group, Signal::KILL);
    child.wait().map(drop)
}

fn signal(group: Pid, signal: Signal) {
    if let Err(error) = kill_process_group(group, signal) {
        tracing::debug!(%error, group = group.as_raw_pid(), "the group had ended");
    }
}

fn has_exited(child: Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(child), options), Ok(None))
}

/// Follows a pipe to its end and keeps the last bytes.
struct Tail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Tail {
    fn follow(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend(&chunk[..count]);
                    let surplus = kept.len().saturating_sub(TAIL);
                    kept.drain(..surplus);
                }
            })
        });
        Self { bytes, reader }
    }

    /// The tail, once the pipe has ended. A stray grandchild that keeps it open is not waited for.
    fn text(&self) -> String {
        let deadline = Instant::now() + GRACE;
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        readable(bytes.make_contiguous())
    }
}

/// Printable text without userinfo in addresses: settings of the operator may put tokens there.
fn readable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                ' '
            } else {
                c
            }
        })
        .collect();
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part
            .find(|c: char| c == '/' || c.is_whitespace())
            .unwrap_or(part.len());
        let shown = part[..authority].rfind('@').map_or(part, |at| &part[at + 1..]);
        clean.push_str("://");
        clean.push_str(shown);
    }
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        command
    }

    /// A zombie whose parent has not looked yet is dead enough.
    fn lives(pid: &str) -> bool {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn tokens_in_addresses_are_not_kept() {
        let text = readable(b"fatal: unable to access 'https://user:s3cret@git.example/x/': 403\x1b[0m\n");
        assert_eq!(text, "fatal: unable to access 'https://git.example/x/': 403 [0m");
    }

    #[test]
    fn output_is_bounded_and_the_end_is_kept() {
        let finished = run(
            shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2"),
            None,
            Duration::from_secs(20),
            &Stop::default(),
        )
        .expect("runs");
        assert!(finished.stderr.len() <= TAIL && finished.stderr.ends_with("end"));
    }

    #[test]
    fn a_timeout_ends_the_whole_group() {
        let folder = tempfile::tempdir().expect("folder");
        let pid_file = folder.path().join("pid");
        let script = format!(
            "trap '' TERM; sleep 300 & echo $! > '{}'; wait; wait",
            pid_file.display()
        );
        let error =
            run(shell(&script), None, Duration::from_millis(300), &Stop::default()).expect_err("too late");
        assert_eq!(error.kind(), "timeout");
        let pid = fs_err::read_to_string(&pid_file).expect("the grandchild started");
        // The signal was sent; the kernel needs a moment to deliver it.
        let deadline = Instant::now() + Duration::from_secs(10);
        while lives(pid.trim()) {
            assert!(Instant::now() < deadline, "the grandchild survived");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_stop_ends_the_child() {
        let stop = Stop::default();
        let other = stop.clone();
        let thread =
            std::thread::spawn(move || run(shell("sleep 300"), None, Duration::from_mins(5), &other));
        stop.request();
        let error = thread.join().expect("no panic").expect_err("stopped");
        assert_eq!(error.kind(), "stopped");
    }
}
