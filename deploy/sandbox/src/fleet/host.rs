//! A host of the sandbox: a folder that plays the machine, an agent, and a little web server per project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::environment::environment;
use super::ground::Ground;
use super::settings::{AgentSettings, policy};
use crate::error::{Error, Result};
use crate::http;
use crate::keeper::{Exit, Sign, Spec};
use crate::options::Options;
use crate::ports::Port;
use crate::service::Supervised;

const READY: Duration = Duration::from_secs(30);

/// A host with its agent.
#[derive(Debug)]
pub struct Host {
    id: String,
    folder: PathBuf,
    setup: Arc<HostSetup>,
    agent: Supervised,
    sites: Mutex<BTreeMap<String, Arc<Site>>>,
}

/// The web server of one project on one host.
#[derive(Debug)]
pub struct Site {
    server: Supervised,
    port: Port,
}

/// What all hosts of a sandbox share.
#[derive(Debug)]
pub(crate) struct HostSetup {
    ground: Ground,
    agent: PathBuf,
    itself: PathBuf,
    coordinator_url: String,
    hooks: Vec<Vec<String>>,
    public: Option<PathBuf>,
}

impl HostSetup {
    pub(crate) fn new(ground: &Ground, coordinator_url: String, options: &Options) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            agent: ground.binaries.program("pointsman-agent")?,
            itself: ground.binaries.program("pointsman-sandbox")?,
            ground: ground.clone(),
            coordinator_url,
            hooks: options.hooks.clone(),
            public: options.public.clone(),
        }))
    }

    /// Makes the folders and files of a host; nothing runs yet.
    pub(crate) fn prepare(self: &Arc<Self>, id: &str, builds: bool) -> Result<Host> {
        let below = Path::new("hosts").join(id);
        let folder = self.ground.place.folder(&below)?;
        for part in ["srv", "state", "work"] {
            self.ground.place.folder(below.join(part))?;
        }
        let settings = AgentSettings {
            ground: &self.ground,
            host: id,
            folder: &folder,
            coordinator_url: &self.coordinator_url,
        };
        self.ground
            .place
            .write(below.join("agent.toml"), settings.to_toml()?.as_bytes(), 0o600)?;
        let policy = policy(&folder, builds, &self.hooks)?;
        self.ground
            .place
            .write(below.join("policy.toml"), policy.as_bytes(), 0o644)?;
        let agent = Supervised::new(&self.ground.keeper, self.agent_spec(id, &folder, "run"));
        Ok(Host {
            id: id.to_owned(),
            folder,
            setup: Arc::clone(self),
            agent,
            sites: Mutex::default(),
        })
    }

    fn agent_spec(&self, id: &str, folder: &Path, command: &str) -> Spec {
        let name = if command == "run" {
            id.to_owned()
        } else {
            format!("{id}-{command}")
        };
        let config = folder.join("agent.toml").into();
        Spec {
            argv: vec![
                self.agent.clone().into(),
                command.into(),
                "--config".into(),
                config,
            ],
            env: environment(&self.ground.place),
            cwd: folder.to_owned(),
            log: self.ground.place.log(&name),
            stdout: None,
            last: Sign::Kill,
            name,
        }
    }
}

impl Host {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Joins with a one-time token.
    pub async fn join(&self, token: &str) -> Result<()> {
        let mut spec = self.setup.agent_spec(&self.id, &self.folder, "join");
        spec.argv.extend(["--token".into(), token.into()]);
        self.setup.ground.keeper.run(spec, READY).await.map(drop)
    }

    /// Starts the agent; that it is seen is the coordinator's word.
    pub async fn start_agent(&self) -> Result<()> {
        self.start_agent_with(&[]).await
    }

    /// Starts the agent with additional environment variables, such as a crash point.
    pub async fn start_agent_with(&self, env: &[(&str, &str)]) -> Result<()> {
        self.agent.start_with(env).await.map(drop)
    }

    /// `kill -9` of the agent.
    pub async fn kill_agent(&self) -> Result<()> {
        self.agent.kill().await.map(drop)
    }

    /// Asks the agent to end (SIGTERM): it drains.
    pub async fn stop_agent(&self) -> Result<Exit> {
        self.agent.end_by(Sign::Term).await
    }

    /// The agent's process, to freeze, thaw or watch it.
    pub fn agent(&self) -> &Supervised {
        &self.agent
    }

    /// The root of a project on this host.
    pub fn root(&self, project: &str) -> PathBuf {
        self.roots().join(project)
    }

    /// The folder in which all roots of this host lie.
    pub fn roots(&self) -> PathBuf {
        self.folder.join("srv")
    }

    /// Makes the root of a project, as the host's operator does.
    pub fn make_root(&self, project: &str) -> Result<PathBuf> {
        self.setup
            .ground
            .place
            .folder(Path::new("hosts").join(&self.id).join("srv").join(project))
    }

    /// Puts another machine into its place: the same name, configuration and web server, an empty disk.
    pub fn reimage(&self) -> Result<()> {
        for part in ["srv", "state", "work"] {
            fs_err::remove_dir_all(self.folder.join(part))?;
            self.setup
                .ground
                .place
                .folder(Path::new("hosts").join(&self.id).join(part))?;
        }
        Ok(())
    }

    /// What the agent has logged.
    pub fn log(&self) -> Result<String> {
        Ok(fs_err::read_to_string(self.setup.ground.place.log(&self.id))?)
    }

    /// The agent's state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Replaces the host's own policy file.
    pub fn write_policy(&self, text: &str) -> Result<()> {
        let file = Path::new("hosts").join(&self.id).join("policy.toml");
        self.setup
            .ground
            .place
            .write(file, text.as_bytes(), 0o644)
            .map(drop)
    }

    /// Starts the web server of a project and returns once it answers; the same again when it runs already.
    pub async fn serve(&self, project: &str) -> Result<Arc<Site>> {
        if let Ok(site) = self.site(project) {
            return Ok(site);
        }
        let port = Port::reserve()?;
        let name = format!("{}-{project}", self.id);
        let root = self.root(project).into();
        let listen = port.address().to_string();
        let mut argv = vec![self.setup.itself.clone().into(), "web".into()];
        argv.extend(["--root".into(), root, "--listen".into(), listen.into()]);
        if let Some(public) = &self.setup.public {
            argv.extend(["--public".into(), public.into()]);
        }
        let spec = Spec {
            argv,
            env: environment(&self.setup.ground.place),
            cwd: self.folder.clone(),
            log: self.setup.ground.place.log(&name),
            stdout: None,
            last: Sign::Kill,
            name,
        };
        let site = Arc::new(Site {
            server: Supervised::new(&self.setup.ground.keeper, spec),
            port,
        });
        site.restart().await?;
        self.sites().insert(project.to_owned(), Arc::clone(&site));
        Ok(site)
    }

    /// The web server of a project.
    pub fn site(&self, project: &str) -> Result<Arc<Site>> {
        self.sites()
            .get(project)
            .cloned()
            .ok_or_else(|| Error::Unexpected(format!("{} has no web server for {project}", self.id)))
    }

    fn sites(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Site>>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `current` of a project says, if there is one.
    pub fn current(&self, project: &str) -> Option<PathBuf> {
        fs_err::read_link(self.root(project).join("current")).ok()
    }
}

impl Site {
    /// Its address, as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// Its port, which is the host's variable `PORT`.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `kill -9`.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await.map(drop)
    }

    /// Starts it (again) and waits until it answers.
    pub async fn restart(&self) -> Result<()> {
        self.server.start().await?;
        let url = self.url();
        self.server
            .until_ready(READY, || async {
                http::client(None).get(&url).send().await.is_ok()
            })
            .await
    }
}
