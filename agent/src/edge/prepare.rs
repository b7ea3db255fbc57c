//! Everything an agent does before it says hello, in the order in which a mistake is told soonest.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use pointsman_git::{Stop, Transport};
use pointsman_shared::clock::Clock;
use pointsman_shared::ids::{IdSource, InstanceId, SpoolId};
use pointsman_shared::outcome::JobKind;

use super::running::RunningSet;
use super::scribe::Scribe;
use super::seen::SeenRoots;
use super::tools::{Tools, load_policy};
use crate::artifact::Signer;
use crate::broker::{BrokerAddress, BrokerError, Caller};
use crate::chance::NoChance;
use crate::config::Config;
use crate::dir::{Dir, FileError};
use crate::http::{ClientError, Coordinator};
use crate::identity::{Identity, IdentityError, IdentityFolder, Instances};
use crate::journal::{StateError, StateFolder};
use crate::metrics::Metrics;
use crate::policy::PolicyError;
use crate::recovery::{Patience, recover};
use crate::spool::{LogSpool, ReportSpool, SpoolError};
use crate::step::{Workshop, probe_client};
use crate::time::CoordinatorClock;

/// An agent that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host has no usable identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The host's policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The coordinator cannot be asked.
    #[error(transparent)]
    Http(#[from] ClientError),
    /// Health checks cannot be asked.
    #[error("the client for health checks cannot be made")]
    Probe(#[source] reqwest::Error),
    /// The broker's address cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// No randomness.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// A folder cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// An agent that may say hello.
pub(super) struct Prepared {
    pub(super) tools: Arc<Tools>,
    pub(super) files: IdentityFolder,
    pub(super) instances: Instances,
    pub(super) broker: BrokerAddress,
}

/// Opens everything, then recovers what the predecessor left.
pub(super) async fn prepare(
    config: &Config,
    kinds: &[JobKind],
    wall: Arc<dyn Clock>,
    ids: &dyn IdSource,
) -> Result<Prepared, PrepareError> {
    let state_dir = config.agent.state_dir.as_path();
    let state = StateFolder::open(state_dir)?;
    let files = IdentityFolder::open(state_dir)?;
    let identity = files.load(&config.agent.host)?;
    load_policy(&config.agent)?;
    let coordinator = Coordinator::new(&config.coordinator)?;
    let broker = broker_address(config, &identity)?;
    let workshop = workshop(config, kinds)?;
    let reports = Arc::new(ReportSpool::open(&Dir::open(state_dir)?, SpoolId(ids.next()))?);
    let logs = Arc::new(LogSpool::open(&Dir::open(state_dir)?)?);
    let recovered = recover(&state, Patience::default()).await;
    let instances = Instances::begin(Dir::open(state_dir)?, InstanceId(ids.next()))?;
    let scribe = Scribe::start(Arc::clone(&reports), instances.me(), Arc::clone(&wall));
    for fault in recovered.faults {
        scribe.fault(fault);
    }
    let key = Arc::new(identity.key);
    let clock = Arc::new(CoordinatorClock::new(Arc::clone(&wall)));
    let signer = Signer {
        key: Arc::clone(&key),
        host: config.agent.host.clone(),
        instance: instances.me(),
        clock: Arc::clone(&clock),
    };
    let tools = Tools {
        host: config.agent.host.clone(),
        instance: instances.me(),
        key,
        keys: RwLock::new(identity.keys),
        wall,
        clock,
        config: config.agent.clone(),
        state,
        coordinator,
        signer: Arc::new(signer),
        probe: probe_client().map_err(PrepareError::Probe)?,
        workshop,
        reports,
        logs,
        scribe,
        running: RunningSet::default(),
        seen: SeenRoots::default(),
        metrics: Metrics::default(),
    };
    Ok(Prepared {
        tools: Arc::new(tools),
        files,
        instances,
        broker,
    })
}

fn broker_address(config: &Config, identity: &Identity) -> Result<BrokerAddress, BrokerError> {
    let url = config
        .broker
        .url
        .as_ref()
        .unwrap_or(&identity.membership.broker_url);
    let caller = format!("pointsman-agent {}", config.agent.host);
    BrokerAddress::new(url, config.broker.ca_file.as_deref(), Caller(&caller))
}

/// The workshop of a host that has slots for builds; whether it may build, its policy says per job.
fn workshop(config: &Config, kinds: &[JobKind]) -> Result<Option<Arc<Workshop>>, FileError> {
    if config.agent.slots.build == 0 || !kinds.contains(&JobKind::Build) {
        return Ok(None);
    }
    let home = config
        .git
        .home
        .clone()
        .unwrap_or_else(|| config.agent.state_dir.join("git"));
    let transport = Transport {
        git: config.git.program.clone(),
        allow_file: config.git.allow_file,
        hosts: config.git.hosts.clone(),
        home,
        key: None,
        timeout: Duration::from_secs(config.git.timeout_s),
        stop: Stop::default(),
    };
    let folder: &Path = &config.agent.work_dir();
    Ok(Some(Arc::new(Workshop::open(
        folder,
        transport,
        config.workshop.clone(),
    )?)))
}
