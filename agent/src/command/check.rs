//! `pointsman-agent config check`

use std::path::Path;
use std::process::ExitCode;

use super::CommandError;
use super::print::line;
use crate::broker::check_certificates;
use crate::config::Config;
use crate::edge::load_policy;
use crate::http::Coordinator;

/// Reads the configuration, the policy and the certificates, and says what holds.
pub fn check(file: &Path) -> Result<ExitCode, CommandError> {
    let config = Config::load(file).map_err(Box::new)?;
    Coordinator::new(&config.coordinator)?;
    if let Some(file) = &config.broker.ca_file {
        check_certificates(file)?;
    }
    load_policy(&config.agent).map_err(Box::new)?;
    let agent = &config.agent;
    line(format!("{}: fine", file.display()))?;
    line(format!(
        "host {}, coordinator {}",
        agent.host, config.coordinator.url
    ))?;
    line(format!(
        "state {}, work {}",
        agent.state_dir.display(),
        agent.work_dir().display()
    ))?;
    let roots: Vec<&str> = agent.roots.iter().map(AsRef::as_ref).collect();
    let policy = if agent.policy_file.exists() {
        "read"
    } else {
        "missing, its narrow default holds"
    };
    line(format!(
        "roots below {}; policy {} ({policy})",
        roots.join(", "),
        agent.policy_file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
