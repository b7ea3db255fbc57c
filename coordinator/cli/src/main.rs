//! The operator's command `pointsman`: a stranger to the coordinator's insides that knows only its HTTP API.
//!
//! Parses, runs one command, prints its error if there is one, and ends with the code of [`exit::Exit`]. It keeps no
//! state but the user's tokens.

mod args;
mod client;
mod commands;
mod config;
mod environment;
mod error;
mod exit;
mod follow;
mod keys;
mod printer;
mod prompt;
mod session;
mod table;
mod text;
mod wording;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use pointsman_shared::clock::SystemClock;

use crate::args::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Printer, Talk, Visuals};
use crate::session::Session;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The first and only provider of this process; a second would be the one refused.
    rustls::crypto::ring::default_provider().install_default().ok();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let visuals = Visuals {
                colours: true,
                redraws: false,
            };
            Printer::new(Format::Table, Talk::Normal, visuals, Arc::new(SystemClock)).usage(&error);
            return ExitCode::from(if error.use_stderr() {
                Exit::Usage.code()
            } else {
                Exit::Ok.code()
            });
        }
    };
    let session = Session::new(cli.options);
    let exit = match commands::run(&session, cli.command).await {
        Ok(exit) => exit,
        Err(error @ CliError::OutputClosed) => error.exit(),
        Err(error) => {
            session.printer.error(&error);
            error.exit()
        }
    };
    ExitCode::from(exit.code())
}
