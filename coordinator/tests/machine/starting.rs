//! `init` and the first steps of `serve`.

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
    let Initialised::First { token } = init(config).await.unwrap() else {
        panic!("it was never initialised");
    };
    assert!(token.starts_with("pmn_"), "{token}");
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
