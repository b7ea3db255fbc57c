//! Services start, survive a kill, and live side by side.

use pointsman_sandbox::service::{Postgres, RabbitMq};
use pointsman_sandbox::{Error, Services, http};
use tokio::process::Command;

use crate::leftovers::folder;

/// What `psql` answers to one statement.
async fn ask(postgres: &Postgres, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-XAtd", &postgres.url("pointsman"), "-c", sql])
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn users(rabbitmq: &RabbitMq) -> serde_json::Value {
    let url = format!("{}/api/permissions", rabbitmq.admin_url());
    http::answer("the broker", http::client(None).get(url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn services_survive_a_kill_with_their_data_and_a_wipe_with_their_users() {
    let services = Services::start(None).await.unwrap();
    let (postgres, rabbitmq) = (services.postgres(), services.rabbitmq());
    ask(postgres, "create table kept as select 42 as answer").await;
    let rights = users(rabbitmq).await;
    assert_eq!(rights.as_array().unwrap().len(), 2);
    assert!(
        rights
            .to_string()
            .contains(r#""user":"coordinator","vhost":"pointsman"#),
        "{rights}"
    );
    rabbitmq.create_vhost("other").await.unwrap();

    postgres.kill().await.unwrap();
    rabbitmq.kill().await.unwrap();
    postgres.restart().await.unwrap();
    rabbitmq.restart().await.unwrap();
    assert_eq!(ask(postgres, "select answer from kept").await, "42");
    assert_eq!(
        users(rabbitmq).await.as_array().unwrap().len(),
        4,
        "the second vhost is still there"
    );

    rabbitmq.stop().await.unwrap();
    rabbitmq.wipe().unwrap();
    rabbitmq.restart().await.unwrap();
    assert_eq!(users(rabbitmq).await, rights);
    let dir = services.place().dir().to_owned();
    services.end().unwrap();
    assert!(!dir.exists(), "a temporary folder goes away with its sandbox");
}

#[tokio::test]
async fn two_sandboxes_live_side_by_side_but_not_in_one_folder() {
    let (one, two) = tokio::try_join!(Services::start(None), Services::start(None)).unwrap();
    assert_ne!(one.postgres().url("pointsman"), two.postgres().url("pointsman"));
    let refused = Services::start(Some(one.place().dir())).await.unwrap_err();
    assert!(
        refused.to_string().contains("another sandbox lives in it"),
        "{refused}"
    );

    one.rabbitmq().kill().await.unwrap();
    one.postgres().kill().await.unwrap();
    assert_eq!(ask(two.postgres(), "select 1").await, "1");
    assert_eq!(users(two.rabbitmq()).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_folder_with_other_files_is_refused() {
    let dir = folder();
    fs_err::write(dir.path().join("thesis.txt"), "years of work").unwrap();
    let refused = Services::start(Some(dir.path())).await.unwrap_err();
    assert!(matches!(refused, Error::Taken { .. }), "{refused}");
    assert!(refused.to_string().contains("it holds other files"), "{refused}");
}
