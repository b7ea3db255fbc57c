//! What machines and people are told of the coordinator's own state.

use pointsman_coordinator::http::check_tls;
use reqwest::Method;
use serde_json::json;

use crate::agents::Agent;
use crate::people::read;
use crate::world::{Settings, World};

#[tokio::test]
async fn alive_is_not_ready_while_the_broker_holds_no_queue() {
    let world = World::new().await;
    let anyone = world.anonymous();
    assert_eq!(read(anyone.at(Method::GET, "healthz")).await.status, 200);
    let version = read(anyone.at(Method::GET, "version")).await.expect(200);
    assert_eq!(version["name"], "pointsman-coordinator");
    let ready = read(anyone.at(Method::GET, "readyz")).await.expect(503);
    let checks = ready["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(
        (&of("database")["ok"], &of("migrations")["ok"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(of("broker")["ok"], false);
    world.open_vhost().await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let found = loop {
        let ready = read(anyone.at(Method::GET, "readyz")).await.expect(503);
        let found = ready.to_string();
        if found.contains("cannot be made without broker.admin_url: ") {
            break found;
        }
        assert!(std::time::Instant::now() < deadline, "{found}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(found.contains("coordinator.reports"), "{found}");
    assert!(!found.contains("admin:admin"), "{found}");
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let world = World::new().await;
    world.open_vhost().await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    sqlx::query(
        "UPDATE host SET last_seen_at = now() - interval '1 hour', clock_offset_ms = -9000, free_bytes = 1000000",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let viewer = world.person("viewer").await;
    let findings = viewer.get("doctor").await.expect(200);
    let text = findings.to_string();
    for words in [
        "migrations current",
        "web-1",
        "its clock is 9.0 s behind",
        "nearly full",
        "broker",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let web = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["text"].as_str().unwrap().starts_with("host web-1"))
        .unwrap();
    assert_eq!(web["severity"], "fail");
    assert!(web["cure"].is_string());
}

#[tokio::test]
async fn tls_is_spoken_when_it_is_configured() {
    let world = World::with(Settings {
        tls: true,
        ..Settings::default()
    })
    .await;
    assert!(world.url.starts_with("https://"));
    world.admin().get("whoami").await.expect(200);
    let plain = world.url.replace("https://", "http://");
    assert!(reqwest::get(format!("{plain}healthz")).await.is_err());
}

#[tokio::test]
async fn a_broker_that_is_not_trusted_is_told_with_the_way_to_trust_it() {
    // Whoever answers there shows a certificate that it made itself.
    let other = World::with(Settings {
        tls: true,
        ..Settings::default()
    })
    .await;
    let address = other
        .url
        .trim_start_matches("https://")
        .trim_end_matches('/')
        .to_owned();
    let broker = format!(
        "broker.url = 'amqps://c:secret@{address}/v'\nbroker.admin_url = 'https://a:secret@{address}'\n"
    );
    let said = async |broker: String| {
        let world = World::with(Settings {
            broker: Some(broker),
            ..Settings::default()
        })
        .await;
        let ready = read(world.anonymous().at(Method::GET, "readyz"))
            .await
            .expect(503);
        let joined = Agent::new(&world, "web-1");
        let wish = json!({ "host": "web-1" });
        let token = world.admin().post("join-tokens", &wish).await.expect(201);
        let joined = joined.join(&world, token["token"].as_str().unwrap()).await;
        assert_eq!(joined.refused(503), "broker_unavailable");
        let said = [ready.to_string(), joined.body.to_string()];
        assert!(said.iter().all(|said| !said.contains("secret")), "{said:?}");
        said
    };
    for said in said(broker.clone()).await {
        let advice = "of no CA that is trusted here: name the file of its CA (PEM) in broker.ca_file";
        assert!(said.contains(advice), "{said}");
    }
    let file = other.folder.path().join("cert.pem");
    let trusting = format!("{broker}broker.ca_file = {file:?}\n");
    for said in said(trusting).await {
        assert!(!said.contains("certificate"), "{said}");
    }
    let nothing = other.folder.path().join("nothing.pem");
    fs_err::write(&nothing, "").unwrap();
    for said in said(format!("{broker}broker.ca_file = {nothing:?}\n")).await {
        assert!(
            said.contains("nothing.pem cannot be used: there is no certificate in it"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_served_is_named() {
    let world = World::with(Settings {
        tls: true,
        ..Settings::default()
    })
    .await;
    let mut http = world.app.config.http.clone();
    assert!(check_tls(&http).is_ok());
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = world.folder.path().join("other.pem");
    for (content, words) in [
        (other.cert.pem(), "made for the key"),
        (String::new(), "no certificate in it"),
    ] {
        fs_err::write(&file, content).unwrap();
        http.tls_cert = Some(file.clone());
        let said = check_tls(&http).unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("other.pem"), "{said}");
    }
}
