//! `pointsman-agent`: the executor on a host. It only reads its arguments; the deeds are in the library.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pointsman_agent::process::gate;

/// The executor: takes signed orders, builds, installs, switches, reports.
#[derive(Debug, Parser)]
#[command(name = "pointsman-agent", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Waits for the agent's word and becomes another program; the agent starts every child through it.
    #[command(hide = true)]
    Gate {
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        argv: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Gate { argv } => gate::run(&argv),
    }
}
