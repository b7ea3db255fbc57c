//! A coordinator of the sandbox: made ready by `init`, run by `serve`, killed and started again by tests.

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::environment::environment;
use super::ground::Ground;
use super::settings::CoordinatorSettings;
use crate::authority::Tls;
use crate::error::{Error, Result};
use crate::http;
use crate::keeper::{Exit, Sign, Spec};
use crate::ports::Port;
use crate::service::Supervised;

const READY: Duration = Duration::from_mins(1);

/// A running coordinator.
#[derive(Debug)]
pub struct Coordinator {
    server: Supervised,
    port: Arc<Port>,
    tls: Option<Tls>,
}

/// What `init` prints, once.
#[derive(Debug, Deserialize)]
pub(crate) struct Initialised {
    /// The administrator's token.
    pub(crate) token: String,
    /// Where the first admin makes an account.
    pub(crate) invitation: String,
}

/// What all coordinators of a sandbox share.
#[derive(Debug)]
pub(crate) struct CoordinatorSetup {
    ground: Ground,
    program: PathBuf,
    config: PathBuf,
    first: Arc<Port>,
    roles: Vec<String>,
}

/// The services as the coordinator reaches them.
#[derive(Debug)]
pub(crate) struct Addresses<'a> {
    pub(crate) database: &'a str,
    pub(crate) broker: &'a str,
    pub(crate) broker_admin: &'a str,
}

impl CoordinatorSetup {
    /// Writes the configuration file.
    pub(crate) fn new(ground: &Ground, addresses: &Addresses<'_>, roles: &[String]) -> Result<Self> {
        let first = Arc::new(Port::reserve()?);
        let folder = ground.place.folder("coordinator")?;
        let settings = CoordinatorSettings {
            ground,
            addresses,
            listen: first.address(),
            folder: &folder,
        };
        let config = ground.place.write(
            "coordinator/coordinator.toml",
            settings.to_toml()?.as_bytes(),
            0o600,
        )?;
        Ok(Self {
            ground: ground.clone(),
            program: ground.binaries.program("pointsman-coordinator")?,
            config,
            first,
            roles: roles.to_vec(),
        })
    }

    fn spec(&self, name: &str, command: &str) -> Spec {
        let program = self.program.clone().into();
        Spec {
            name: name.to_owned(),
            argv: vec![
                program,
                command.into(),
                "--config".into(),
                self.config.clone().into(),
            ],
            env: environment(&self.ground.place),
            cwd: self.ground.place.path("coordinator"),
            log: self.ground.place.log(name),
            stdout: None,
            last: Sign::Kill,
        }
    }

    /// Makes key, schema, first token and first invitation.
    pub(crate) async fn init(&self) -> Result<Initialised> {
        let printed = self.ground.place.path("coordinator/init.json");
        let spec = Spec {
            stdout: Some(printed.clone()),
            ..self.spec("coordinator-init", "init")
        };
        let text = self.ground.keeper.run(spec, READY).await?;
        // It holds the token; whoever needs it finds it in DIR/env.
        fs_err::remove_file(printed)?;
        let line = text
            .lines()
            .find(|line| line.starts_with('{'))
            .unwrap_or_default();
        serde_json::from_str(line).map_err(|error| {
            Error::Unexpected(format!("`pointsman-coordinator init` printed no token: {error}"))
        })
    }

    /// Starts coordinator number `index`, from 0; the first listens where the configuration file says.
    pub(crate) async fn serve(&self, index: usize) -> Result<Coordinator> {
        let mut spec = self.spec(&format!("coordinator-{}", index + 1), "serve");
        if !self.roles.is_empty() {
            spec.argv.extend(["--roles".into(), self.roles.join(",").into()]);
        }
        let port = if index == 0 {
            Arc::clone(&self.first)
        } else {
            Arc::new(Port::reserve()?)
        };
        if index > 0 {
            let listen = port.address().to_string();
            spec.env
                .push(("POINTSMAN_COORDINATOR__HTTP__LISTEN".to_owned(), listen.into()));
        }
        let coordinator = Coordinator {
            server: Supervised::new(&self.ground.keeper, spec),
            port,
            tls: self.ground.tls.clone(),
        };
        coordinator.restart().await?;
        Ok(coordinator)
    }
}

impl Coordinator {
    /// Where its API is.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.port.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddrV4 {
        self.port.address()
    }

    /// `kill -9`.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await.map(drop)
    }

    /// Asks it to end (SIGTERM).
    pub async fn stop(&self) -> Result<Exit> {
        self.server.end_by(Sign::Term).await
    }

    /// Starts it again and waits until it answers; its database and broker may be away.
    pub async fn restart(&self) -> Result<()> {
        self.restart_with(&[]).await
    }

    /// Starts it again with additional environment variables, such as a crash point.
    pub async fn restart_with(&self, env: &[(&str, &str)]) -> Result<()> {
        self.server.start_with(env).await?;
        self.server.until_ready(READY, || self.answers("/healthz")).await
    }

    /// Waits until it says that it can do its whole work.
    pub async fn until_ready(&self) -> Result<()> {
        self.server.until_ready(READY, || self.answers("/readyz")).await
    }

    async fn answers(&self, path: &str) -> bool {
        let url = format!("{}{path}", self.url());
        http::client(self.tls.as_ref())
            .get(url)
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// The process, to freeze, thaw or watch it.
    pub fn process(&self) -> &Supervised {
        &self.server
    }
}
