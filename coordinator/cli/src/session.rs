//! What a command works with: options, settings, printer, clock, and a client made when it is first needed.

use std::sync::Arc;

use pointsman_shared::clock::{Clock, SystemClock, SystemIds};
use url::Url;

use crate::args::Options;
use crate::client::Client;
use crate::config::{Config, Token};
use crate::environment::Environment;
use crate::error::CliError;
use crate::printer::{Printer, Visuals};

/// One run of the command.
pub struct Session {
    /// What every command takes.
    pub options: Options,
    /// What the environment says.
    pub environment: Environment,
    /// Where everything is printed.
    pub printer: Printer,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Session {
    /// A session on the system's clock and streams.
    pub fn new(options: Options) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let environment = Environment::read();
        let visuals = Visuals {
            colours: !options.no_color,
            redraws: !environment.dumb_terminal,
        };
        let printer = Printer::new(options.output, options.talk(), visuals, Arc::clone(&clock));
        Self {
            options,
            environment,
            printer,
            clock,
        }
    }

    /// The stored settings; says when others can read them.
    pub fn config(&self) -> Result<Config, CliError> {
        let config = Config::load(&self.environment)?;
        if let Some(path) = config.path().filter(|_| config.exposed()) {
            let path = path.display();
            self.printer.warn(&format!(
                "{path} holds tokens and others can read it; run: chmod 600 {path}"
            ));
        }
        Ok(config)
    }

    /// The coordinator that is meant: `--url`, `POINTSMAN_URL`, else the one last logged in to.
    pub fn coordinator(&self, config: &Config) -> Result<Url, CliError> {
        self.options
            .url
            .clone()
            .or_else(|| config.url().cloned())
            .ok_or(CliError::NoCoordinator)
    }

    /// A client for it, with the token of the environment or the stored one.
    pub fn client(&self) -> Result<Client, CliError> {
        let config = self.config()?;
        let url = self.coordinator(&config)?;
        let token = self
            .environment
            .token
            .clone()
            .or_else(|| config.token(&url).cloned())
            .ok_or_else(|| CliError::NotLoggedIn(url.clone()))?;
        self.client_for(&config, url, token)
    }

    /// A client with this very token, and the CA of the command line or the stored one.
    pub fn client_for(&self, config: &Config, url: Url, token: Token) -> Result<Client, CliError> {
        let ids = Arc::new(SystemIds);
        let ca_file = self.options.ca_file.as_deref().or_else(|| config.ca_file(&url));
        let (timeout, printer) = (self.options.timeout, self.printer.clone());
        Client::new(url, token, ca_file, timeout, ids, printer)
    }

    /// The reason of what is refused without one; `how` is the command that gives it.
    pub fn needed_reason(&self, what: &str, how: String) -> Result<String, CliError> {
        let reason = self.options.reason.clone();
        reason.ok_or_else(|| {
            let what = format!("{what} needs a reason: whoever asks why nothing happens there reads it");
            CliError::usage(what, how)
        })
    }

    /// Says that `--reason` has no place in this change, rather than dropping it in silence.
    pub fn reason_is_not_kept(&self) {
        if self.options.reason.is_some() {
            self.printer.warn("--reason is not kept for this kind of change");
        }
    }
}
