//! What the command reads from its environment, in one place.
//!
//! `POINTSMAN_URL` and `POINTSMAN_CA_FILE` are read by the argument parser, because they stand for options; colours (`NO_COLOR`, `CLICOLOR_FORCE`,
//! `TERM`) are decided by the printer's streams. Nothing else of the environment has a meaning here.

use std::env;
use std::path::PathBuf;

use crate::config::Token;

/// The environment's part of the settings.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `POINTSMAN_TOKEN`: stands above the stored tokens.
    pub token: Option<Token>,
    /// `TERM=dumb`: a terminal that nothing can be redrawn on.
    pub dumb_terminal: bool,
    /// Folder of the user's settings: `XDG_CONFIG_HOME`, else `~/.config`.
    pub config_home: Option<PathBuf>,
}

impl Environment {
    /// Reads it.
    pub fn read() -> Self {
        let folder = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        Self {
            token: env::var_os("POINTSMAN_TOKEN")
                .and_then(|text| text.into_string().ok())
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .map(Token::new),
            dumb_terminal: env::var_os("TERM").is_some_and(|term| term == "dumb"),
            config_home: folder("XDG_CONFIG_HOME")
                .or_else(|| folder("HOME").map(|home| home.join(".config"))),
        }
    }
}
