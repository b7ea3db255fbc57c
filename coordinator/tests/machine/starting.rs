//! `init` and the first steps of `serve`.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pointsman_coordinator::config::Config;
use pointsman_coordinator::init::{self, Initialised};
use pointsman_coordinator::roles::{self, Role, ServeFailure};
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::wire::SigningKey;
use tokio_util::sync::CancellationToken;

use crate::world::World;

async fn init(config: &Config) -> Result<Initialised, init::InitError> {
    init::init(config, &SystemClock, &SystemIds).await
}

#[tokio::test]
async fn init_shows_a_token_once_and_registers_a_second_coordinators_key() {
    let world = World::empty().await;
    let config = &world.app.config;
    let Initialised::First { token, invitation } = init(config).await.unwrap() else {
        panic!("it was never initialised");
    };
    assert!(token.starts_with("pmn_"), "{token}");
    assert!(invitation.contains("/invitation/"), "{invitation}");
    assert_eq!(world.count("SELECT count(*) FROM account_invitation").await, 1);
    assert!(matches!(init(config).await.unwrap(), Initialised::Before { .. }));

    let mut second = Config::clone(config);
    second.signing.key_file = config.signing.key_file.with_extension("2");
    assert!(matches!(init(&second).await.unwrap(), Initialised::Before { .. }));
    assert_eq!(world.count("SELECT count(*) FROM signing_key").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM token").await, 1);

    let mut other = Config::clone(config);
    "another".clone_into(&mut other.installation.name);
    let refused = init(&other).await.unwrap_err().to_string();
    assert!(
        refused.contains("belongs to the installation \"test\""),
        "{refused}"
    );
}

#[tokio::test]
async fn a_coordinator_whose_key_is_not_registered_refuses_to_start() {
    let world = World::empty().await;
    init(&world.app.config).await.unwrap();
    let mut stranger = world.app.clone();
    stranger.signatory = std::sync::Arc::new(LocalSignatory::new(SigningKey::from_seed(&[3; 32])));
    let ended = roles::serve(stranger, &[Role::Reconcile], CancellationToken::new()).await;
    assert!(
        matches!(ended, Err(ServeFailure::UnregisteredKey { .. })),
        "{ended:?}"
    );
}

/// The program as a service manager starts it, with the words it tells the manager.
struct Service {
    process: Child,
    manager: UnixDatagram,
}

impl Service {
    fn start(world: &World, name: &str) -> Self {
        let config = &world.app.config;
        let key = &config.signing.key_file;
        let folder = key.parent().unwrap();
        let text = format!(
            "installation.name = 'test'\ndatabase.url = '{}'\nbroker.url = 'amqp://nobody@127.0.0.1:1'\n\
             http = {{ listen = '127.0.0.1:0', public_url = 'http://127.0.0.1' }}\nstore.directory = '{}'\n\
             git.mirrors = '{}'\nsigning.key_file = '{}'\n",
            config.database.url,
            folder.display(),
            folder.display(),
            key.display(),
        );
        fs_err::write(folder.join("coordinator.toml"), text).unwrap();
        let place = folder.join(name);
        let manager = UnixDatagram::bind(&place).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_pointsman-coordinator"))
            .args(["serve", "--roles", "schedule", "--config"])
            .arg(folder.join("coordinator.toml"))
            .env("NOTIFY_SOCKET", &place)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, manager }
    }

    fn told(&self) -> String {
        let mut words = [0; 200];
        let length = self.manager.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn a_service_manager_is_told_when_it_serves_and_that_it_waits_for_the_database() {
    let world = World::empty().await;
    init(&world.app.config).await.unwrap();
    let serving = Service::start(&world, "serving");
    assert_eq!(serving.told(), "READY=1\nSTATUS=serving\n");
    drop(serving);
    world.let_database(false).await;
    let waiting = Service::start(&world, "waiting");
    assert_eq!(waiting.told(), "READY=1\nSTATUS=waiting for the database\n");
    world.let_database(true).await;
    loop {
        if waiting.told() == "READY=1\nSTATUS=serving\n" {
            return;
        }
    }
}
