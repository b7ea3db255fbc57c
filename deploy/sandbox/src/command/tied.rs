//! Commands that die with this process, even when it is killed.

use std::ffi::OsString;
use std::process::Command;

use pointsman_sandbox::{Error, Result};

/// `argv` as a command that goes through our own binary, which ties it to us. Start it from the main thread: the tie is
/// to the thread that starts it.
pub(crate) fn tied(argv: &[OsString]) -> Result<Command> {
    let itself = std::env::current_exe().map_err(Error::io("finding the running program"))?;
    let mut command = Command::new(itself);
    command
        .args(["child", "--parent", &std::process::id().to_string(), "--"])
        .args(argv);
    Ok(command)
}
