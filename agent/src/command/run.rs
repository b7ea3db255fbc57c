//! `pointsman-agent run`

use std::path::Path;
use std::process::ExitCode;

use pointsman_shared::outcome::JobKind;

use super::CommandError;
use crate::config::Config;
use crate::edge::{self, Ending};
use crate::lifecycle::Signals;

/// Runs until a signal; `kinds` empty = every kind that has slots.
pub async fn run(config: &Path, kinds: &[JobKind]) -> Result<ExitCode, CommandError> {
    let config = Config::load(config).map_err(Box::new)?;
    let signals = Signals::listen()?;
    let kinds: Vec<JobKind> = JobKind::ALL
        .into_iter()
        .filter(|kind| kinds.is_empty() || kinds.contains(kind))
        .filter(|kind| config.agent.slots.of(*kind) > 0)
        .collect();
    match edge::run(&config, &kinds, signals).await.map_err(Box::new)? {
        Ending::Drained => Ok(ExitCode::SUCCESS),
        Ending::Hard => Ok(ExitCode::FAILURE),
    }
}
