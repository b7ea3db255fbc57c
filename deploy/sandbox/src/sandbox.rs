//! A whole fleet, started and ready: the value that tests and the demo stand on.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use pointsman_shared::api::Page;
use pointsman_shared::api::fleet::{Host as HostInfo, JoinToken};
use serde_json::json;

use crate::api::Api;
use crate::authority::Tls;
use crate::error::{Error, Result};
use crate::fleet::{Addresses, Coordinator, CoordinatorSetup, Ground, Host, HostSetup};
use crate::keeper::Keeper;
use crate::options::Options;
use crate::place::Place;
use crate::programs::{Binaries, on_path};
use crate::services::Services;
use crate::tenancy::Tenancy;

/// How long agents may take from their start until they are seen.
const SEEN: Duration = Duration::from_mins(1);

/// A step of the start, told while it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// PostgreSQL and RabbitMQ answer.
    Services,
    /// Every coordinator is ready; the first is here.
    Coordinators(String),
    /// Every agent is joined and seen.
    Agents,
}

/// A running fleet. It ends when it is dropped, and with [`Sandbox::end`].
#[derive(Debug)]
pub struct Sandbox {
    options: Options,
    coordinators: Vec<Coordinator>,
    hosts: BTreeMap<String, Host>,
    token: String,
    invitation: String,
    ground: Ground,
    tenancy: Tenancy,
}

impl Sandbox {
    /// Starts the fleet and waits until every agent is seen.
    pub async fn start(options: Options) -> Result<Self> {
        Self::start_telling(options, |_| {}).await
    }

    /// The same, telling each step when it is done.
    pub async fn start_telling(options: Options, mut tell: impl FnMut(Progress)) -> Result<Self> {
        let place = match &options.dir {
            Some(dir) => Place::at(dir)?,
            None => Place::temporary()?,
        };
        let binaries = Binaries::find(&place)?;
        let git = match &options.git {
            Some(git) => git.clone(),
            None => on_path("git", "install it with `apt-get install -y git`")?,
        };
        let keeper = Keeper::start(&place, &binaries)?;
        let tenancy = tenancy(&options, &place, &keeper).await?;
        place.folder("git")?;
        let ground = Ground {
            keeper,
            place,
            binaries,
            git,
            git_hosts: options.git_hosts.clone(),
            tls: tenancy.services().tls().cloned(),
            pace: options.pace,
        };
        tell(Progress::Services);

        let addresses = Addresses {
            database: &tenancy.database_url(),
            broker: &tenancy.broker_url(),
            broker_admin: &tenancy.services().rabbitmq().admin_url(),
        };
        let setup = CoordinatorSetup::new(&ground, &addresses, &options.roles)?;
        let initialised = setup.init().await?;
        let coordinators = try_join_all((0..options.coordinators).map(|index| setup.serve(index))).await?;
        if options.roles.is_empty() {
            // Queues stand once a coordinator with all its roles has made them.
            try_join_all(coordinators.iter().map(Coordinator::until_ready)).await?;
        }
        let url = coordinators.first().map(Coordinator::url).unwrap_or_default();
        tell(Progress::Coordinators(url.clone()));
        let setup = HostSetup::new(&ground, url, &options)?;
        let mut hosts = BTreeMap::new();
        for index in 1..=options.hosts {
            let id = format!("web-{index}");
            hosts.insert(id.clone(), setup.prepare(&id, false)?);
        }
        for index in 1..=options.builders {
            let id = format!("builder-{index}");
            hosts.insert(id.clone(), setup.prepare(&id, true)?);
        }
        let sandbox = Self {
            options,
            coordinators,
            hosts,
            token: initialised.token,
            invitation: initialised.invitation,
            ground,
            tenancy,
        };
        sandbox.write_env()?;
        sandbox.bring_up_hosts().await?;
        tell(Progress::Agents);
        Ok(sandbox)
    }

    async fn bring_up_hosts(&self) -> Result<()> {
        try_join_all(self.hosts.values().map(|host| self.bring_up(host))).await?;
        let ids: Vec<&str> = self.hosts.keys().map(String::as_str).collect();
        self.until_seen(&ids).await
    }

    async fn bring_up(&self, host: &Host) -> Result<()> {
        let is_builder = host.id().starts_with("builder-");
        let (role, pools) = if is_builder {
            ("builder", vec!["default"])
        } else {
            ("web", Vec::new())
        };
        let kinds = if is_builder { vec!["build"] } else { Vec::new() };
        let body = json!({
            "host": host.id(),
            "labels": { "role": role },
            "pools": pools,
            "kinds": kinds,
            "ttl_seconds": 900,
        });
        let token: JoinToken = self.api().post("/api/v1/join-tokens", &body).await?;
        host.join(&token.token).await?;
        host.start_agent().await?;
        if is_builder {
            return Ok(());
        }
        host.make_root(&self.options.project)?;
        let site = host.serve(&self.options.project).await?;
        // Health checks of recipes find the host's web server by this.
        let variable =
            json!({ "scope": { "host": host.id() }, "name": "PORT", "value": site.port().to_string() });
        self.api().put("/api/v1/variables", &variable).await
    }

    /// Waits until the coordinator says that these hosts are seen.
    pub async fn until_seen(&self, ids: &[&str]) -> Result<()> {
        let begin = Instant::now();
        loop {
            let hosts: Page<HostInfo> = self.api().get("/api/v1/hosts?limit=200").await?;
            let is_seen = |id: &&str| {
                hosts
                    .items
                    .iter()
                    .any(|host| host.id.as_str() == *id && host.seen)
            };
            let missing: Vec<&str> = ids.iter().filter(|id| !is_seen(id)).copied().collect();
            if missing.is_empty() {
                return Ok(());
            }
            for host in self.hosts.values() {
                if let Some(agent) = host.agent().current()
                    && agent.exit().is_some()
                {
                    return Err(agent.ended_error());
                }
            }
            if begin.elapsed() > SEEN {
                return Err(Error::InVain {
                    until: "every agent is seen".to_owned(),
                    waited: SEEN,
                    seen: format!(
                        "not seen: {}; their logs are in {}",
                        missing.join(", "),
                        self.dir().display()
                    ),
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn write_env(&self) -> Result<()> {
        let mut text = Vec::new();
        for (name, value) in self.env() {
            writeln!(text, "{name}='{value}'")?;
        }
        self.place().write("env", &text, 0o600)?;
        let mut text = Vec::new();
        for (name, value) in self.services().env() {
            writeln!(text, "{name}='{value}'")?;
        }
        self.place().write("services.env", &text, 0o600).map(drop)
    }

    /// What `DIR/env` holds: addresses and the administrator's token, for the CLI. Nothing in it reaches past the API.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = vec![
            ("POINTSMAN_URL".to_owned(), self.url()),
            ("POINTSMAN_TOKEN".to_owned(), self.token.clone()),
        ];
        let more = self.coordinators.iter().enumerate().skip(1);
        env.extend(more.map(|(index, other)| (format!("POINTSMAN_URL_{}", index + 1), other.url())));
        env.extend(self.tls().map(|tls| {
            let file = tls.ca_file.to_string_lossy().into_owned();
            ("POINTSMAN_CA_FILE".to_owned(), file)
        }));
        env
    }

    /// The API of the first coordinator, with the administrator's token.
    pub fn api(&self) -> Api {
        Api::new(self.url(), self.token.clone(), self.tls())
    }

    /// The API of any coordinator.
    pub fn api_of(&self, coordinator: usize) -> Api {
        Api::new(
            self.coordinator(coordinator).url(),
            self.token.clone(),
            self.tls(),
        )
    }

    /// Where the first coordinator's API is.
    pub fn url(&self) -> String {
        self.coordinators
            .first()
            .map(Coordinator::url)
            .unwrap_or_default()
    }

    /// Where the first admin makes an account for the dashboard, once.
    pub fn invitation(&self) -> &str {
        &self.invitation
    }

    /// The administrator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Coordinator number `index`, from 0.
    ///
    /// # Panics
    /// When the sandbox has no such coordinator.
    pub fn coordinator(&self, index: usize) -> &Coordinator {
        &self.coordinators[index]
    }

    /// The host `web-1`, `builder-1`, ...
    pub fn host(&self, id: &str) -> Result<&Host> {
        self.hosts
            .get(id)
            .ok_or_else(|| Error::Unexpected(format!("the sandbox has no host {id}")))
    }

    /// The hosts that carry projects, in order.
    pub fn web_hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().filter(|host| host.id().starts_with("web-"))
    }

    /// The root of a project on a host.
    pub fn root(&self, host: &str, project: &str) -> Result<PathBuf> {
        self.host(host).map(|host| host.root(project))
    }

    /// The root as a target names it for all hosts: they share this machine's file system.
    pub fn target_root(&self, project: &str) -> String {
        self.dir()
            .join("hosts/${HOST}/srv")
            .join(project)
            .display()
            .to_string()
    }

    /// PostgreSQL and RabbitMQ; other fleets may use them, too.
    pub fn services(&self) -> &Services {
        self.tenancy.services()
    }

    /// The fleet's database, on these services.
    pub fn database(&self) -> &str {
        self.tenancy.database()
    }

    /// The fleet's virtual host.
    pub fn vhost(&self) -> &str {
        self.tenancy.vhost()
    }

    /// What its servers show and whom its clients trust, when it speaks TLS.
    pub fn tls(&self) -> Option<&Tls> {
        self.ground.tls.as_ref()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.ground.place.dir()
    }

    /// The folder with its owner: where repositories for this fleet are made.
    pub fn place(&self) -> &Place {
        &self.ground.place
    }

    /// Ends everything of its own and waits until it is gone.
    pub fn end(&self) -> Result<()> {
        self.ground.keeper.end()
    }
}

/// Services of its own, or a part of shared ones.
async fn tenancy(options: &Options, place: &Place, keeper: &Arc<Keeper>) -> Result<Tenancy> {
    if let Some(services) = &options.services {
        return Tenancy::part(Arc::clone(services)).await;
    }
    let tls = options.tls.then(|| Tls::prepare(place)).transpose()?;
    let services = Services::start_in(place.clone(), Arc::clone(keeper), tls).await?;
    Ok(Tenancy::whole(services))
}
