//! The command `pointsman-sandbox`: reads its arguments, runs one command, says how it went.

mod command;
mod demo;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do when stderr is closed.
            drop(writeln!(std::io::stderr(), "error: {}", error.chain()));
            ExitCode::FAILURE
        }
    }
}
