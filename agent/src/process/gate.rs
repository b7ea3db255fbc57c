//! `pointsman-agent gate`: what a child is until the agent lets it become its program.
//!
//! It makes its own session and group, asks to die with its parent, says that it is ready, and waits for one byte. The
//! agent sends that byte only when (group, start time) is durable in its journal, so no program ever runs that a later
//! agent could not find and end. When the agent dies first, the gate reads the end of the socket and goes away.
//!
//! It refuses to do anything else: no environment is read, no file opened but `/dev/null`.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, set_parent_process_death_signal, setsid};

/// What the gate says when its group stands.
pub(super) const READY: u8 = b'r';
/// What the agent says when the program may run.
pub(super) const GO: u8 = b'g';
/// Exit status of a gate that never became its program.
const NOT_STARTED: u8 = 127;

/// Runs the gate over standard input, which is a socket to the agent. Returns only when the program did not start.
pub fn run(argv: &[OsString]) -> ExitCode {
    // A copy with close-on-exec: the program gets `/dev/null` instead, and the agent sees the socket close when it starts.
    let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else {
        return ExitCode::from(NOT_STARTED);
    };
    let mut agent = UnixStream::from(socket);
    match pass(argv, &mut agent) {
        Ok(()) => ExitCode::from(NOT_STARTED),
        Err(error) => {
            // Nobody left to tell when this fails.
            let _told = agent.write_all(error.to_string().as_bytes());
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Waits and becomes the program; returns without error when the agent is gone.
fn pass(argv: &[OsString], agent: &mut UnixStream) -> io::Result<()> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(io::Error::other("there is no program to start"));
    };
    setsid()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    agent.write_all(&[READY])?;
    let mut word = [0];
    if agent.read(&mut word)? == 0 || word != [GO] {
        return Ok(());
    }
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    Err(Command::new(program).args(arguments).exec())
}
