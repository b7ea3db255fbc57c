//! Configuration: a TOML file, then `POINTSMAN_COORDINATOR__SECTION__KEY`, then `*_file` for secrets. Each section has
//! its defaults and its rules; unknown keys are errors.

mod notify;
mod oidc;
mod sections;
mod store;

pub use notify::{NotifySection, SmtpSection, SmtpTls};
pub use oidc::{GroupRole, GroupRoles, OidcSection};
pub use sections::{
    Broker, Database, GarbageSection, Git, Http, Installation, MetricsSection, SecretsSection, Signing,
    Timing,
};
pub use store::{S3Section, StorePlace, StoreSection};

use std::path::Path;

use pointsman_telemetry::TracesSection;
use serde::Deserialize;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this installation is.
    pub installation: Installation,
    /// The database.
    pub database: Database,
    /// The broker.
    pub broker: Broker,
    /// The HTTP API.
    pub http: Http,
    /// The artifact store.
    pub store: StoreSection,
    /// Repositories.
    pub git: Git,
    /// The signing key.
    pub signing: Signing,
    /// Secret variables.
    #[serde(default)]
    pub secrets: SecretsSection,
    /// Times of offers, leases and sweeps.
    #[serde(default)]
    pub timing: Timing,
    /// Garbage collection.
    #[serde(default)]
    pub garbage: GarbageSection,
    /// How notifications leave.
    #[serde(default)]
    pub notify: NotifySection,
    /// The OpenID provider that people sign in by; none = by passwords and tokens alone.
    #[serde(default)]
    pub oidc: Option<OidcSection>,
    /// The listener for metrics.
    #[serde(default)]
    pub metrics: MetricsSection,
    /// Where traces go.
    #[serde(default)]
    pub traces: TracesSection,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or a variable cannot be read.
    #[error("configuration {file} cannot be used")]
    Unreadable {
        /// The file.
        file: String,
        /// The cause, which names the key.
        #[source]
        source: config::ConfigError,
    },
    /// A value breaks its rule.
    #[error("{key}: {rule}")]
    Invalid {
        /// The key, such as `http.listen`.
        key: &'static str,
        /// What is wrong and what to do.
        rule: String,
    },
    /// A secret's file cannot be read.
    #[error("{key} cannot be read")]
    Secret {
        /// The key, such as `database.url_file`.
        key: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Config {
    /// Reads the file and the environment, and checks every section.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            file: file.display().to_string(),
            source,
        };
        let mut config: Self = config::Config::builder()
            .add_source(config::File::from(file).format(config::FileFormat::Toml))
            .add_source(
                config::Environment::with_prefix("POINTSMAN_COORDINATOR")
                    .prefix_separator("__")
                    .separator("__")
                    .try_parsing(true),
            )
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(unreadable)?;
        config.database.resolve()?;
        config.broker.resolve()?;
        config.notify.resolve()?;
        if let Some(oidc) = &mut config.oidc {
            oidc.resolve()?;
        }
        config.http.check()?;
        config.timing.check()?;
        config.metrics.check()?;
        match config.traces.objection() {
            Some((key, rule)) => Err(ConfigError::Invalid { key, rule }),
            None => Ok(config),
        }
    }
}
