//! `pointsman-agent join`

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use pointsman_shared::clock::{Clock as _, SystemClock, SystemIds};
use pointsman_shared::ids::{IdSource as _, InstanceId};

use super::CommandError;
use super::print::line;
use crate::broker::{BrokerAddress, Caller};
use crate::chance::key_seed;
use crate::config::Config;
use crate::describe::describe;
use crate::dir::FileError;
use crate::http::Coordinator;
use crate::identity::IdentityFolder;
use crate::join::{JoinToken, Joined};
use crate::journal::StateFolder;

/// Pause between two looks whether the administrator is done.
const AGAIN: Duration = Duration::from_secs(3);

/// Joins with a one-time token, and waits for the administrator where one is needed.
pub async fn join(config: &Path, token: &str) -> Result<ExitCode, CommandError> {
    let config = Config::load(config).map_err(Box::new)?;
    let token: JoinToken = token.parse()?;
    let host = &config.agent.host;
    let state_dir = &config.agent.state_dir;
    make_private(state_dir)?;
    // One agent or one join at a time: a running agent holds this lock.
    let _lock = StateFolder::open(state_dir).map_err(|error| CommandError::State(error.into()))?;
    let files = IdentityFolder::open(state_dir).map_err(|error| CommandError::State(error.into()))?;
    let coordinator = Coordinator::new(&config.coordinator)?;
    let seed = key_seed()?;
    let fresh = (
        &*seed,
        InstanceId(SystemIds.next()),
        SystemClock.now().timestamp_millis(),
    );
    let joined = crate::join::join(&coordinator, &files, host, &token, fresh)
        .await
        .map_err(Box::new)?;
    tell(&config, &joined)?;
    if !joined.membership.administrator_lines.is_empty() {
        wait_for_administrator(&config, &joined).await?;
    }
    line(format!(
        "start it: pointsman-agent run --config FILE ({host} is ready)"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn make_private(folder: &Path) -> Result<(), CommandError> {
    use std::os::unix::fs::DirBuilderExt as _;
    if folder.exists() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| CommandError::State(FileError::new("make folder", folder, error).into()))
}

fn tell(config: &Config, joined: &Joined) -> std::io::Result<()> {
    let membership = &joined.membership;
    let how = if joined.again {
        "joined again; its old key is void"
    } else {
        "joined"
    };
    line(format!(
        "{} {how}: installation {}, key {}",
        config.agent.host, membership.installation, joined.key
    ))?;
    let words = |items: Vec<String>| {
        if items.is_empty() {
            "none".to_owned()
        } else {
            items.join(", ")
        }
    };
    let pools = membership.pools.iter().map(ToString::to_string).collect();
    let kinds = membership.kinds.iter().map(ToString::to_string).collect();
    line(format!("pools: {}; kinds: {}", words(pools), words(kinds)))
}

async fn wait_for_administrator(config: &Config, joined: &Joined) -> Result<(), CommandError> {
    line("the coordinator may not change the broker; an administrator runs there:")?;
    for text in &joined.membership.administrator_lines {
        line(format!("  {text}"))?;
    }
    line("waiting until the broker knows this host (Ctrl-C is harmless, the host has joined)")?;
    let url = config
        .broker
        .url
        .as_ref()
        .unwrap_or(&joined.membership.broker_url);
    let caller = format!("pointsman-agent {}", config.agent.host);
    let broker = BrokerAddress::new(url, config.broker.ca_file.as_deref(), Caller(&caller))?;
    while let Err(error) = broker.knock().await {
        tracing::info!(error = describe(&error), "not yet");
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}
