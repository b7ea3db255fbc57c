//! Configuration: a TOML file, then `POINTSMAN_AGENT__SECTION__KEY`, then `*_file` for secrets. Each section has its
//! defaults and its rules; unknown keys are errors.
//!
//! Labels, pools and kinds are not configured here: the coordinator gives them.

mod sections;
mod workshop;

pub use sections::{
    AgentSection, BrokerSection, CoordinatorSection, GitSection, MetricsSection, PolicyFileOwner, Slots,
};
pub use workshop::WorkshopSection;

use std::path::Path;

use pointsman_telemetry::TracesSection;
use serde::Deserialize;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This host and its folders.
    pub agent: AgentSection,
    /// Where the coordinator is.
    pub coordinator: CoordinatorSection,
    /// What differs from the broker address that joining gave.
    #[serde(default)]
    pub broker: BrokerSection,
    /// Repositories.
    #[serde(default)]
    pub git: GitSection,
    /// What builds leave behind.
    #[serde(default)]
    pub workshop: WorkshopSection,
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
        /// The key, such as `coordinator.url`.
        key: &'static str,
        /// What is wrong and what to do.
        rule: String,
    },
    /// A secret's file cannot be read.
    #[error("{key} cannot be read")]
    Secret {
        /// The key, such as `broker.url_file`.
        key: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Config {
    /// Reads the file and the environment, and checks every section.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::from_sources(file, config::Environment::with_prefix("POINTSMAN_AGENT"))
    }

    fn from_sources(file: &Path, environment: config::Environment) -> Result<Self, ConfigError> {
        let environment = environment
            .prefix_separator("__")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("agent.roots")
            .with_list_parse_key("git.hosts")
            .try_parsing(true);
        let mut config: Self = config::Config::builder()
            .add_source(config::File::from(file).format(config::FileFormat::Toml))
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|source| ConfigError::Unreadable {
                file: file.display().to_string(),
                source,
            })?;
        config.agent.check()?;
        config.coordinator.check()?;
        config.broker.resolve()?;
        config.metrics.check()?;
        match config.traces.objection() {
            Some((key, rule)) => Err(ConfigError::Invalid { key, rule }),
            None => Ok(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        fs_err::write(&file, text).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let source = config::Environment::with_prefix("POINTSMAN_AGENT").source(Some(environment));
        Config::from_sources(&file, source).map_err(|error| crate::describe::describe(&error))
    }

    const LEAST: &str = "[agent]\nhost = 'web-1'\n[coordinator]\nurl = 'http://127.0.0.1:8080'\n";

    #[test]
    fn the_least_file_gets_the_defaults() {
        let config = load(LEAST, &[]).unwrap();
        assert_eq!(config.agent.state_dir, Path::new("/var/lib/pointsman-agent"));
        assert_eq!(
            config.agent.work_dir(),
            Path::new("/var/lib/pointsman-agent/work")
        );
        assert_eq!(config.agent.slots.build, 1);
        assert!(!config.git.allow_file);
    }

    #[test]
    fn the_environment_outranks_the_file() {
        let environment = [
            ("POINTSMAN_AGENT__AGENT__HOST", "web-2"),
            ("POINTSMAN_AGENT__AGENT__ROOTS", "/srv,/opt/apps"),
            ("POINTSMAN_AGENT__AGENT__SLOTS__BUILD", "3"),
        ];
        let config = load(LEAST, &environment).unwrap();
        assert_eq!(config.agent.host.as_str(), "web-2");
        assert_eq!(config.agent.slots.build, 3);
        assert_eq!(config.agent.roots.len(), 2);
    }

    #[test]
    fn unknown_keys_and_broken_rules_name_the_key() {
        let unknown = format!("{LEAST}colour = 'red'\n");
        assert!(load(&unknown, &[]).unwrap_err().contains("colour"));
        let host = LEAST.replace("web-1", "Web.1");
        assert!(load(&host, &[]).unwrap_err().contains("host id"));
        let plain = LEAST.replace("127.0.0.1", "deploy.example.org");
        let error = load(&plain, &[]).unwrap_err();
        assert!(
            error.starts_with("coordinator.url:") && error.contains("insecure"),
            "{error}"
        );
    }
}
