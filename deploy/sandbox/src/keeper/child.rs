//! The last step before a program of the sandbox runs: it is tied to the life of its parent, then becomes the program.
//!
//! It refuses to run a program whose parent is gone already.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::error::{Error, Result};

/// Replaces this process by `argv`, which gets `signal` when process `parent` dies; returns only when that fails.
pub fn become_child(parent: i32, signal: i32, argv: &[OsString]) -> Result<std::convert::Infallible> {
    let [program, arguments @ ..] = argv else {
        return Err(Error::Unexpected("no program was named".to_owned()));
    };
    let signal = Signal::from_named_raw(signal)
        .ok_or_else(|| Error::Unexpected(format!("there is no signal {signal}")))?;
    set_parent_process_death_signal(Some(signal))
        .map_err(|errno| Error::io("asking for the death signal")(errno.into()))?;
    // A parent that died before the line above will send nothing any more.
    if getppid()
        .map(rustix::process::Pid::as_raw_nonzero)
        .map(std::num::NonZero::get)
        != Some(parent)
    {
        return Err(Error::Keeper(
            "it died while this process was being started".to_owned(),
        ));
    }
    let source = Command::new(program).args(arguments).exec();
    Err(Error::io(format!("running {}", program.display()))(source))
}
