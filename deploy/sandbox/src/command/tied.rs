//! Commands that die with this process, even when it is killed.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// `argv` as a command that goes through our own binary, which ties it to us. Start it from the main thread: the tie is
/// to the thread that starts it.
pub(crate) fn tied(argv: &[OsString]) -> Command {
    // The running program, even when a build has put another one in its place.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("pointsman-sandbox");
    command
        .args(["child", "--parent", &std::process::id().to_string(), "--"])
        .args(argv);
    command
}
