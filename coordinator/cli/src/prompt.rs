//! Questions to the person at the terminal. Without a terminal nothing is ever asked: the command fails and names the
//! flag to pass, so that a script never hangs.

use std::io::{IsTerminal as _, Read as _};

use pointsman_shared::name::ProjectName;
use rustix::termios::{self, LocalModes, OptionalActions};

use crate::config::Token;
use crate::error::CliError;
use crate::session::Session;

/// A token is one short line; more is a mistake.
const LONGEST_TOKEN: u64 = 4_096;

/// One byte more than the coordinator takes, so that a longer one is refused and not cut.
const LONGEST_SECRET: u64 = 32 * 1024 + 1;

/// Asks whether to go on; `--yes` answers.
pub fn confirm(session: &Session, question: &str) -> Result<(), CliError> {
    if session.options.yes {
        return Ok(());
    }
    if session.options.no_input || !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            format!("there is no terminal to ask on: {question}"),
            "pass --yes if it is what you want",
        ));
    }
    session.printer.ask(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(unreadable)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CliError::usage("not confirmed", "nothing was changed")),
    }
}

/// Reads a token from stdin; on a terminal asks for it and does not show it.
pub fn token(session: &Session) -> Result<Token, CliError> {
    let how = "pointsman login URL --with-token < token-file";
    let text = hidden(session, "Token", LONGEST_TOKEN, how)?;
    let text = text.trim();
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(CliError::usage(
            "stdin holds no token",
            "give the token alone in one line: pointsman login URL --with-token < token-file",
        ));
    }
    Ok(Token::new(text.to_owned()))
}

/// Reads the value of a secret from stdin, without the line's end; on a terminal asks for it and does not show it.
/// `how` is the command that passes it.
pub fn secret(session: &Session, name: &str, how: &str) -> Result<String, CliError> {
    let mut text = hidden(session, name, LONGEST_SECRET, how)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(CliError::usage("stdin holds no value", how));
    }
    Ok(text)
}

/// Reads a private key from stdin; nobody types one.
pub fn private_key(project: &ProjectName) -> Result<String, CliError> {
    let how = format!("pointsman project key set {project} < id_ed25519");
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(CliError::usage("a private key comes from a file", how));
    }
    let mut text = String::new();
    let read = stdin.lock().take(LONGEST_SECRET).read_to_string(&mut text);
    read.map_err(unreadable)?;
    if text.trim().is_empty() {
        return Err(CliError::usage("stdin holds no key", how));
    }
    Ok(text)
}

fn hidden(session: &Session, what: &str, longest: u64, how: &str) -> Result<String, CliError> {
    let stdin = std::io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        if session.options.no_input {
            return Err(CliError::usage(format!("{what} is not on stdin"), how));
        }
        // Before it is asked for: what is pasted at once would be shown, and lost.
        let hidden = Hidden::new(&stdin)?;
        session.printer.ask(&format!("{what} (not shown):"));
        stdin.read_line(&mut text).map_err(unreadable)?;
        drop(hidden);
        session.printer.ask("\n");
    } else {
        stdin
            .lock()
            .take(longest)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    }
    Ok(text)
}

/// A terminal that does not show what is typed, until dropped.
struct Hidden<'a> {
    terminal: &'a std::io::Stdin,
    before: termios::Termios,
}

impl<'a> Hidden<'a> {
    fn new(terminal: &'a std::io::Stdin) -> Result<Self, CliError> {
        let before = termios::tcgetattr(terminal).map_err(|error| unreadable(error.into()))?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(terminal, OptionalActions::Flush, &quiet)
            .map_err(|error| unreadable(error.into()))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // A terminal that went away needs no restoring.
        termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}

fn unreadable(source: std::io::Error) -> CliError {
    CliError::Io {
        what: "read from stdin",
        source,
    }
}
