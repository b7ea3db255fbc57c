//! `help COMMAND` and `help exit-codes`

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

/// Explains.
pub fn help(session: &Session, topic: &[String]) -> Result<Exit, CliError> {
    if topic == ["exit-codes"] {
        for exit in Exit::ALL {
            session
                .printer
                .line(&format!("{:>3}  {}", exit.code(), exit.meaning()))?;
        }
        return Ok(Exit::Ok);
    }
    let mut root = Cli::command();
    // Builds the sub-commands, so that their usage lines are whole and the options of every command are among theirs.
    root.build();
    let mut command = &mut root;
    for name in topic {
        command = command.find_subcommand_mut(name).ok_or_else(|| {
            CliError::usage(
                format!("there is no command {name:?}"),
                "pointsman --help lists them",
            )
        })?;
    }
    let text = command.render_help().ansi().to_string();
    session.printer.line(text.trim_end())?;
    Ok(Exit::Ok)
}
