//! How notifications leave: which servers may be reached, and the mail server.

use std::path::PathBuf;

use lettre::message::Mailbox;
use serde::Deserialize;
use url::Url;

use super::ConfigError;
use super::sections::read_secret;

/// Notifications.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySection {
    /// Servers that may be reached over HTTP; empty = all but inner addresses.
    pub hosts: Vec<String>,
    /// Whether receivers without TLS are allowed.
    pub allow_http: bool,
    /// The API that bots post to, when it is not Slack's own: `https://slack.com/api/`.
    pub slack_api: Option<Url>,
    /// How e-mail is sent; none = channels of e-mail are refused.
    pub smtp: Option<SmtpSection>,
}

/// A mail server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSection {
    /// Its name.
    pub host: String,
    /// Its port; 587, 465 with `tls = "implicit"`, 25 with `tls = "none"`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Who logs in; none = nobody.
    #[serde(default)]
    pub user: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: String,
    /// A file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Certificates of CAs to trust as well as the system's, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The sender, such as `Pointsman <pointsman@example.org>`.
    pub from: String,
}

/// Without the password.
impl std::fmt::Debug for SmtpSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSection")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// It must turn to TLS before anything is said.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all; for a mail server on this machine.
    None,
}

impl NotifySection {
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        let Some(smtp) = &mut self.smtp else {
            return Ok(());
        };
        if let Err(error) = smtp.from.parse::<Mailbox>() {
            return Err(ConfigError::Invalid {
                key: "notify.smtp.from",
                rule: format!("{:?} is no sender: {error}", smtp.from),
            });
        }
        let file = smtp.password_file.as_ref();
        read_secret("notify.smtp.password_file", file, &mut smtp.password)?;
        if smtp.user.is_some() && smtp.tls == SmtpTls::None {
            return Err(ConfigError::Invalid {
                key: "notify.smtp.tls",
                rule:
                    "a password would travel in plain text; use starttls or implicit, or leave out the user"
                        .to_owned(),
            });
        }
        Ok(())
    }
}
