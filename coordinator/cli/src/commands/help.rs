//! `help COMMAND`, `help exit-codes` and `help json`

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

const JSON: &str = "\
-o json prints what the API answers: a list is one array, a single thing one object.

While a deployment, a build or a log is followed, every line is one object with a single key that says what it is:
  {\"deployment\": {...}}   the deployment as it stands; the first and the last line of deploy, rollback, watch
  {\"release\": {...}}      the release as it stands; the first and the last line of build --follow
  {\"event\": {...}}        something that happened, in order; new kinds may come
  {\"line\": {...}}         a line of a log

The last line says how it ended, the exit code says it in short (help exit-codes).";

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
    if topic == ["json"] {
        session.printer.line(JSON)?;
        return Ok(Exit::Ok);
    }
    let mut root = Cli::command();
    // Builds the sub-commands, so that their usage lines are whole and the options of every command are among theirs.
    root.build();
    let command = find(&mut root, topic)?;
    let text = command.render_help().ansi().to_string();
    session.printer.line(text.trim_end())?;
    Ok(Exit::Ok)
}

/// The command of these words, below `root`.
pub fn find<'a>(root: &'a mut clap::Command, topic: &[String]) -> Result<&'a mut clap::Command, CliError> {
    topic.iter().try_fold(root, |command, name| {
        command.find_subcommand_mut(name).ok_or_else(|| {
            CliError::usage(
                format!("there is no command {name:?}"),
                "pointsman --help lists them",
            )
        })
    })
}
