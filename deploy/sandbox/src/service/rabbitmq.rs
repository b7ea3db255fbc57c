//! A private RabbitMQ with its management API: own port mapper, own cookie, own ports, loopback only.
//!
//! The broker's script is run so that the process *is* the broker (no shell in front), because a kill must hit it. The
//! port mapper is our child, because one that the broker starts would outlive everything.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::broker_settings::{environment, settings};
use super::broker_users;
use super::probe::amqp_answers;
use super::supervised::Supervised;
use crate::authority::Tls;
use crate::error::{Error, Result};
use crate::http;
use crate::keeper::{Keeper, Sign, Spec};
use crate::place::Place;
use crate::ports::Port;
use crate::programs::System;
use crate::random;

const READY: Duration = Duration::from_mins(1);
/// The vhost of the definitions file.
const VHOST: &str = "pointsman";

/// A running RabbitMQ with the users `admin` and `coordinator`.
#[derive(Debug)]
pub struct RabbitMq {
    broker: Supervised,
    epmd: Supervised,
    amqp: Port,
    management: Port,
    _distribution: Port,
    epmd_port: Port,
    data: PathBuf,
    log: PathBuf,
    admin_password: String,
    coordinator_password: String,
    coordinator_rights: serde_json::Value,
    tls: Option<Tls>,
}

impl RabbitMq {
    /// Starts a broker in `place`.
    pub async fn start(
        keeper: &Arc<Keeper>,
        place: &Place,
        system: &System,
        tls: Option<&Tls>,
    ) -> Result<Self> {
        let (amqp, management) = (Port::reserve()?, Port::reserve()?);
        let (distribution, epmd_port) = (Port::reserve()?, Port::reserve()?);
        let (admin_password, coordinator_password) = (random::secret(), random::secret());
        make_folders(place)?;
        let definitions = broker_users::definitions(VHOST, &admin_password, &coordinator_password)?;
        let users = definitions.to_string();
        let users = place.write("rabbitmq/definitions.json", users.as_bytes(), 0o600)?;
        write_settings(place, &settings(&amqp, &management, &users, tls))?;
        let spec = |name: &str, argv: Vec<OsString>, env: Vec<(String, OsString)>| Spec {
            name: name.to_owned(),
            argv,
            env,
            cwd: place.path("rabbitmq"),
            log: place.log(name),
            stdout: None,
            last: Sign::Kill,
        };
        let folder = place.path("rabbitmq");
        let argv = [
            system.epmd.as_os_str(),
            "-port".as_ref(),
            epmd_port.number().to_string().as_ref(),
        ]
        .map(ToOwned::to_owned)
        .into_iter()
        .chain(["-address", "127.0.0.1"].map(OsString::from))
        .collect();
        let epmd = Supervised::new(keeper, spec("epmd", argv, Vec::new()));
        let env = environment(&folder, &amqp, &distribution, &epmd_port);
        let broker = Supervised::new(
            keeper,
            spec("rabbitmq", vec![system.rabbitmq.clone().into()], env),
        );
        let rabbitmq = Self {
            broker,
            epmd,
            amqp,
            management,
            _distribution: distribution,
            epmd_port,
            data: folder.join("mnesia"),
            log: place.log("rabbitmq"),
            admin_password,
            coordinator_password,
            coordinator_rights: broker_users::coordinator_rights(&definitions),
            tls: tls.cloned(),
        };
        rabbitmq.restart().await?;
        Ok(rabbitmq)
    }

    /// With small frames: clients allocate tens of them per connection.
    fn amqp_url(&self, user: &str, password: &str, vhost: &str) -> String {
        let scheme = if self.tls.is_some() { "amqps" } else { "amqp" };
        format!(
            "{scheme}://{user}:{password}@{}/{vhost}?frame_max=16384",
            self.amqp.address()
        )
    }

    /// AMQP URL of the administrator, who may do everything in the vhost `pointsman`.
    pub fn admin_amqp_url(&self) -> String {
        self.admin_amqp_url_of(VHOST)
    }

    /// The same in another vhost.
    pub fn admin_amqp_url_of(&self, vhost: &str) -> String {
        self.amqp_url("admin", &self.admin_password, vhost)
    }

    /// AMQP URL of the coordinator's everyday user.
    pub fn coordinator_url(&self, vhost: &str) -> String {
        self.amqp_url("coordinator", &self.coordinator_password, vhost)
    }

    /// URL of the management API with the administrator's credential.
    pub fn admin_url(&self) -> String {
        let scheme = self.scheme();
        format!(
            "{scheme}://admin:{}@{}",
            self.admin_password,
            self.management.address()
        )
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Address of the AMQP listener.
    pub fn address(&self) -> SocketAddrV4 {
        self.amqp.address()
    }

    /// Makes another vhost with the rights of the first: one broker serves many fleets.
    pub async fn create_vhost(&self, vhost: &str) -> Result<()> {
        self.manage(&format!("/api/vhosts/{vhost}"), &json!({})).await?;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.manage(&format!("/api/permissions/{vhost}/admin"), &all)
            .await?;
        self.manage(
            &format!("/api/permissions/{vhost}/coordinator"),
            &self.coordinator_rights,
        )
        .await
    }

    /// Deletes a vhost with everything in it.
    pub async fn delete_vhost(&self, vhost: &str) -> Result<()> {
        let (url, request) = self.request(Method::DELETE, &format!("/api/vhosts/{vhost}"));
        http::answer(&url, request).await.map(drop)
    }

    async fn manage(&self, path: &str, body: &serde_json::Value) -> Result<()> {
        let (url, request) = self.request(Method::PUT, path);
        http::answer(&url, request.json(body)).await.map(drop)
    }

    /// A request to the management API, and its address without credentials.
    pub fn request(&self, method: Method, path: &str) -> (String, RequestBuilder) {
        let url = format!("{}://{}{path}", self.scheme(), self.management.address());
        let request = http::client(self.tls.as_ref())
            .request(method, &url)
            .basic_auth("admin", Some(&self.admin_password));
        (url, request)
    }

    /// `kill -9` of the broker; the port mapper lives on.
    pub async fn kill(&self) -> Result<()> {
        self.broker.kill().await.map(drop)
    }

    /// Ends it in order.
    pub async fn stop(&self) -> Result<()> {
        self.broker.end_by(Sign::Term).await.map(drop)
    }

    /// Starts it again over the same data and waits until AMQP and the management API answer.
    pub async fn restart(&self) -> Result<()> {
        if !self.epmd.is_running() {
            self.epmd.start().await?;
            let address = self.epmd_port.address();
            let answers = move || async move { tokio::net::TcpStream::connect(address).await.is_ok() };
            self.epmd.until_ready(READY, answers).await?;
        }
        // Listeners open before the boot is over, and a broker that is asked to end meanwhile hangs for seconds.
        let written = fs_err::metadata(&self.log).map_or(0, |log| log.len());
        self.broker.start().await?;
        self.broker
            .until_ready(READY, || async move {
                self.has_said("Server startup complete", written)
            })
            .await?;
        self.broker.until_ready(READY, || self.is_ready()).await
    }

    /// Whether the log, from that byte on, holds `text`.
    fn has_said(&self, text: &str, from: u64) -> bool {
        let log = fs_err::read(&self.log).unwrap_or_default();
        let new = usize::try_from(from)
            .ok()
            .and_then(|from| log.get(from..))
            .unwrap_or_default();
        String::from_utf8_lossy(new).contains(text)
    }

    /// Takes everything from a stopped broker; the next start knows the definitions file only.
    pub fn wipe(&self) -> Result<()> {
        if self.broker.is_running() {
            return Err(Error::Unexpected(
                "a running broker cannot be wiped; stop it first".to_owned(),
            ));
        }
        for entry in fs_err::read_dir(&self.data)? {
            let path = entry?.path();
            if path.is_dir() {
                fs_err::remove_dir_all(path)?;
            } else {
                fs_err::remove_file(path)?;
            }
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        if self.tls.is_some() {
            let listens = format!("health/checks/port-listener/{}", self.amqp.number());
            return self.has(&listens).await && self.has(&format!("vhosts/{VHOST}")).await;
        }
        amqp_answers(self.amqp.address()).await && self.has(&format!("vhosts/{VHOST}")).await
    }

    /// Whether the management API says yes.
    async fn has(&self, what: &str) -> bool {
        let (_, request) = self.request(Method::GET, &format!("/api/{what}"));
        request
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// The process, to freeze, thaw or watch it.
    pub fn process(&self) -> &Supervised {
        &self.broker
    }
}

/// The broker's own folders.
fn make_folders(place: &Place) -> Result<()> {
    for folder in [
        "rabbitmq/mnesia",
        "rabbitmq/log",
        "rabbitmq/home",
        "rabbitmq/generated",
    ] {
        place.folder(folder)?;
    }
    Ok(())
}

/// Every file that the broker reads but its users.
fn write_settings(place: &Place, settings: &str) -> Result<()> {
    place.write("rabbitmq/rabbitmq.conf", settings.as_bytes(), 0o644)?;
    place.write("rabbitmq/advanced.config", b"[].\n", 0o644)?;
    let plugins = include_bytes!("../../../rabbitmq/enabled_plugins");
    place.write("rabbitmq/enabled_plugins", plugins, 0o644)?;
    Ok(())
}
