//! The commands of the binary, one file each; here only what they are called and what they take.

mod demo;
mod ending;
mod kept;
mod measure;
mod services;
mod tied;
mod up;
mod web;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pointsman_sandbox::{Error, Result, keeper};

pub(crate) use tied::tied;

/// A whole private Pointsman fleet on one machine.
#[derive(Debug, Parser)]
#[command(name = "pointsman-sandbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a fleet and tell a story with it: build, deploy, fail, roll back.
    Demo(demo::Demo),
    /// Time the dashboard's pages over a large invented fleet with a long invented past.
    Measure(measure::Measure),
    /// Start PostgreSQL and RabbitMQ, run a command with their addresses in its environment, end both.
    Services(services::Services),
    /// Start a whole fleet and keep it until Ctrl-C.
    Up(up::Up),
    /// Serve the live release of a root (started by the sandbox itself).
    #[command(hide = true)]
    Web(web::Web),
    /// Keep the processes of a sandbox (started by the sandbox itself).
    #[command(hide = true)]
    Keeper {
        /// The sandbox's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Remove the folder at the end.
        #[arg(long)]
        remove: bool,
    },
    /// Become a program that dies with the process that started it.
    #[command(hide = true)]
    Child {
        /// Number of that process.
        #[arg(long)]
        parent: i32,
        /// The signal it gets then.
        #[arg(long, default_value_t = rustix::process::Signal::KILL.as_raw())]
        signal: i32,
        /// The program with its arguments.
        #[arg(last = true, required = true)]
        argv: Vec<OsString>,
    },
}

/// Runs what the command line says.
pub(crate) fn run() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Demo(command) => on_runtime(command.run()),
        Command::Measure(command) => on_runtime(command.run()),
        Command::Services(command) => on_runtime(command.run()),
        Command::Up(command) => on_runtime(command.run()),
        Command::Web(command) => on_runtime(command.run()),
        Command::Keeper { dir, remove } => keeper::serve(&dir, remove).map(|()| ExitCode::SUCCESS),
        Command::Child { parent, signal, argv } => {
            keeper::become_child(parent, signal, &argv).map(|never| match never {})
        }
    }
}

fn on_runtime(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("starting the runtime"))?
        .block_on(work)
}
