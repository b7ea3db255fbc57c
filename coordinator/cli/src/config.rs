//! The user's settings: which coordinator, and the tokens, in `~/.config/pointsman/config.toml`.
//!
//! A token is kept under the address it was made for, so that `--url` can never carry it to another server. The file
//! is readable by its owner only and replaced in one step; a file that others can read is reported, not repaired.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::environment::Environment;
use crate::text;

/// A bearer token; prints as dots.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the `Authorization` header and nothing else.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

/// Why the settings could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Reading or writing failed.
    #[error("cannot use the settings file")]
    Io(#[from] std::io::Error),
    /// It is not what we write.
    #[error("{path} is not a settings file of pointsman: {why}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// The settings could not be written down.
    #[error("cannot write the settings")]
    Write(#[from] toml::ser::Error),
    /// Neither `XDG_CONFIG_HOME` nor `HOME` names a folder.
    #[error("there is no folder for settings: neither XDG_CONFIG_HOME nor HOME names one")]
    NoHome,
}

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    /// The coordinator used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<Url>,
    /// Tokens by the address they are for.
    #[serde(default)]
    tokens: BTreeMap<String, Token>,
    /// Files of CA certificates by the address whose certificate they vouch for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ca_files: BTreeMap<String, PathBuf>,
}

/// The settings and where they are kept.
#[derive(Debug, Clone)]
pub struct Config {
    path: Option<PathBuf>,
    contents: Contents,
}

impl Config {
    /// Reads the settings; a missing file is an empty one.
    pub fn load(environment: &Environment) -> Result<Self, ConfigError> {
        let path = environment
            .config_home
            .as_ref()
            .map(|home| home.join("pointsman/config.toml"));
        let text = match path.as_deref().map(fs_err::read_to_string) {
            None => String::new(),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Some(read) => read?,
        };
        let contents = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.clone().unwrap_or_default(),
            why: text::toml_error(&text, &error),
        })?;
        Ok(Self { path, contents })
    }

    /// Where the settings are kept.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The coordinator used when none is named.
    pub fn url(&self) -> Option<&Url> {
        self.contents.url.as_ref()
    }

    /// The token for this coordinator.
    pub fn token(&self, url: &Url) -> Option<&Token> {
        self.contents.tokens.get(text::address(url))
    }

    /// The file of the CA certificates to trust for this coordinator.
    pub fn ca_file(&self, url: &Url) -> Option<&Path> {
        self.contents
            .ca_files
            .get(text::address(url))
            .map(PathBuf::as_path)
    }

    /// Keeps a token, with the CA that was named for it, and makes its coordinator the one that is used when none is
    /// named.
    pub fn log_in(&mut self, url: &Url, token: Token, ca_file: Option<&Path>) -> Result<(), ConfigError> {
        let address = text::address(url).to_owned();
        if let Some(file) = ca_file {
            // The next command may run in another folder.
            self.contents
                .ca_files
                .insert(address.clone(), std::path::absolute(file)?);
        }
        self.contents.tokens.insert(address, token);
        self.contents.url = Some(url.clone());
        self.save()
    }

    /// Forgets the token for this coordinator; says whether there was one.
    pub fn log_out(&mut self, url: &Url) -> Result<bool, ConfigError> {
        let known = self.contents.tokens.remove(text::address(url)).is_some();
        self.contents.ca_files.remove(text::address(url));
        if known {
            self.save()?;
        }
        Ok(known)
    }

    /// Whether the file can be read by others than its owner.
    pub fn exposed(&self) -> bool {
        self.path
            .as_deref()
            .and_then(|path| fs_err::metadata(path).ok())
            .is_some_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }

    fn save(&self) -> Result<(), ConfigError> {
        let path = self.path.as_deref().ok_or(ConfigError::NoHome)?;
        let folder = path.parent().ok_or(ConfigError::NoHome)?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        // A temporary file is made with mode 0600, so the token is never readable by others, not even for a moment.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(toml::to_string(&self.contents)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment {
            token: None,
            dumb_terminal: false,
            config_home: Some(folder.path().to_owned()),
        };
        (folder, environment)
    }

    #[test]
    fn a_token_is_only_given_to_the_server_it_is_for() {
        let (_folder, environment) = home();
        let ours: Url = "https://pointsman.example/".parse().unwrap();
        let mut config = Config::load(&environment).unwrap();
        config
            .log_in(&ours, Token::new("secret".to_owned()), None)
            .unwrap();
        let config = Config::load(&environment).unwrap();
        assert_eq!(config.url(), Some(&ours));
        assert!(
            config
                .token(&"https://pointsman.example".parse().unwrap())
                .is_some()
        );
        assert!(config.token(&"https://evil.example".parse().unwrap()).is_none());
    }

    #[test]
    fn the_file_belongs_to_its_owner_alone() {
        let (folder, environment) = home();
        let mut config = Config::load(&environment).unwrap();
        config
            .log_in(
                &"http://127.0.0.1:1".parse().unwrap(),
                Token::new("secret".to_owned()),
                None,
            )
            .unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("pointsman/config.toml")), 0o600);
        assert_eq!(mode(&folder.path().join("pointsman")), 0o700);
        assert!(!config.exposed());
    }

    #[test]
    fn debug_output_never_shows_a_token() {
        assert!(!format!("{:?}", Token::new("secret".to_owned())).contains("secret"));
    }
}
