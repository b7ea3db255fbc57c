//! One deployment is one message in a chat and one thread in a mailbox: a receiver that speaks as Slack does, and a real
//! SMTP server.

use pointsman_store::events::{self, NewEvent};
use serde_json::{Value, json};

use crate::bell::{delivery, happens, notify, rule, tried, world};
use crate::mail_sink::MailSink;
use crate::orders::built;
use crate::receiver::{Receiver, Reply};
use crate::world::World;

/// The number of a deployment of a release of shop.
async fn deployment(world: &World) -> i64 {
    let release = built(world).await;
    sqlx::query_scalar(
        "INSERT INTO deployment (id, target_id, release_id, kind, requested_by, requested_at, strategy, started_at)
         SELECT gen_random_uuid(), target.id, $1, 'deploy', principal.id, now(), '{}', now()
         FROM target, principal WHERE principal.name = 'first-admin' RETURNING number",
    )
    .bind(release.0)
    .fetch_one(world.pool())
    .await
    .unwrap()
}

/// Something happens to a deployment.
async fn goes_on(world: &World, number: i64, kind: &str, what: &str) {
    let mut tx = world.app.store.begin().await.unwrap();
    let event = NewEvent {
        kind,
        project: Some("shop"),
        target: Some("shop@production"),
        deployment: Some(number),
        message: format!("shop@production #{number}: {what}"),
        ..NewEvent::default()
    };
    let now = pointsman_store::now(&mut tx).await.unwrap();
    events::append(&mut tx, now, &event).await.unwrap();
    tx.commit().await.unwrap();
}

fn lines(body: &Value) -> Vec<&str> {
    body["attachments"][0]["text"].as_str().unwrap().lines().collect()
}

#[tokio::test]
async fn an_incoming_webhook_gets_a_message_and_its_address_stays_secret() {
    let receiver = Receiver::start().await;
    let world = world("hosts = [\"127.0.0.1\"]\nallow_http = true").await;
    let wish =
        json!({ "name": "chat", "to": { "slack": { "url": format!("{}services/T0/B0", receiver.url) } } });
    let made = world.admin().post("channels", &wish).await.expect(201);
    assert!(
        made["secret"].is_null() && !made.to_string().contains("services"),
        "{made}"
    );
    rule(&world, json!({ "channel": "chat" })).await;
    let _role = notify(&world);
    happens(&world, "release.failed", "release 1.9.1 failed: <exit 1>").await;
    let request = &receiver.got(1).await[0];
    assert_eq!(request.path, "/services/T0/B0");
    let body = request.json();
    assert_eq!(lines(&body), ["✗ release 1.9.1 failed: &lt;exit 1&gt;"]);
    assert!(
        body["text"]
            .as_str()
            .unwrap()
            .ends_with("|shop@production: build failed>"),
        "{body}"
    );
    delivery(&world, "delivered").await;
}

/// A channel of a bot, told of every deployment.
async fn bot(receiver: &Receiver) -> World {
    let lines = format!(
        "hosts = [\"127.0.0.1\"]\nallow_http = true\nslack_api = \"{}api/\"",
        receiver.url
    );
    let world = world(&lines).await;
    let wish = json!({ "name": "chat", "to": { "slack_bot": { "channel": "#deploys", "token": "xoxb-1" } } });
    world.admin().post("channels", &wish).await.expect(201);
    rule(&world, json!({ "channel": "chat", "events": ["deploy.*"] })).await;
    receiver.always_answers(Reply::Status(200, r#"{"ok":true,"channel":"C1","ts":"17.5"}"#));
    world
}

#[tokio::test]
async fn a_bot_keeps_one_message_for_each_deployment() {
    let receiver = Receiver::start().await;
    let world = bot(&receiver).await;
    let _role = notify(&world);
    let number = deployment(&world).await;
    goes_on(&world, number, "deployment.started", "it starts").await;
    let posted = receiver.got(1).await[0].clone();
    assert_eq!(
        (posted.path.as_str(), posted.header("authorization")),
        ("/api/chat.postMessage", "Bearer xoxb-1")
    );
    assert_eq!(posted.json()["channel"], "#deploys");
    delivery(&world, "delivered").await;

    goes_on(&world, number, "deployment.live", "live").await;
    let edited = receiver.got(2).await[1].clone();
    assert_eq!(edited.path, "/api/chat.update");
    let body = edited.json();
    assert_eq!(
        (body["channel"].as_str(), body["ts"].as_str()),
        (Some("C1"), Some("17.5"))
    );
    assert_eq!(lines(&body), ["· started: it starts", "· finished: live"]);
    assert_eq!(body["text"], posted.json()["text"], "the title stays");

    // Another deployment is another message.
    world.count("WITH over AS (UPDATE deployment SET outcome = 'live', ended_at = now() RETURNING 1) SELECT count(*) FROM over").await;
    let other = deployment(&world).await;
    goes_on(&world, other, "deployment.started", "it starts").await;
    assert_eq!(receiver.got(3).await[2].path, "/api/chat.postMessage");
}

#[tokio::test]
async fn what_a_chat_missed_stands_in_the_next_message() {
    let receiver = Receiver::start().await;
    let world = bot(&receiver).await;
    receiver.answers(Reply::Status(200, r#"{"ok":false,"error":"not_in_channel"}"#));
    let _role = notify(&world);
    let number = deployment(&world).await;
    goes_on(&world, number, "deployment.started", "it starts").await;
    receiver.got(1).await;
    goes_on(&world, number, "deployment.failed", "disk full").await;
    // The newer one does not wait until the older one is tried again, and says all of it.
    let posted = receiver.got(2).await[1].clone();
    assert_eq!(posted.path, "/api/chat.postMessage");
    assert_eq!(
        lines(&posted.json()),
        ["· started: it starts", "✗ failed: disk full"]
    );
    delivery(&world, "delivered").await;
    let superseded = "SELECT count(*) FROM delivery WHERE state = 'superseded'";
    assert_eq!(world.count(superseded).await, 1);
    let answer = world.admin().get("deliveries?state=superseded").await.expect(200);
    assert_eq!(
        answer["items"][0]["last_error"],
        "Slack refused it: not_in_channel"
    );
}

/// A channel of e-mail, told of every deployment.
async fn mailing(sink: &MailSink, lines: &str) -> World {
    let smtp = format!(
        "[notify.smtp]\nhost = \"localhost\"\nport = {}\nfrom = \"Pointsman <pointsman@example.org>\"\n{lines}",
        sink.port
    );
    let world = world(&smtp).await;
    let wish = json!({ "name": "mail", "to": { "email": { "to": ["ops@example.org", "ann@example.org"] } } });
    world.admin().post("channels", &wish).await.expect(201);
    rule(&world, json!({ "channel": "mail", "events": ["deploy.*"] })).await;
    world
}

#[tokio::test]
async fn the_mails_of_a_deployment_are_one_thread() {
    let sink = MailSink::start(None).await;
    let world = mailing(&sink, "tls = \"none\"").await;
    let _role = notify(&world);
    let number = deployment(&world).await;
    goes_on(&world, number, "deployment.started", "it starts").await;
    let first = sink.got(1).await[0].clone();
    assert_eq!(first.header("From"), "Pointsman <pointsman@example.org>");
    assert_eq!(first.header("To"), "ops@example.org, ann@example.org");
    assert_eq!(
        first.header("Subject"),
        format!("[test] shop@production #{number}: 1, asked for by first-admin")
    );
    assert_eq!(first.header("Auto-Submitted"), "auto-generated");
    goes_on(&world, number, "deployment.failed", "disk full").await;
    let mails = sink.got(2).await;
    let second = mails.iter().find(|mail| mail.text.contains("disk full")).unwrap();
    assert_eq!(
        second.header("Subject"),
        format!("Re: {}", first.header("Subject"))
    );
    for header in ["In-Reply-To", "References"] {
        assert_eq!(second.header(header), first.header("Message-ID"));
    }
    assert_ne!(second.header("Message-ID"), first.header("Message-ID"));
    let log = delivery(&world, "delivered").await;
    assert_eq!(log["tries"][0]["status"], 250, "{log}");
}

#[tokio::test]
async fn a_mail_server_is_spoken_to_over_tls_and_only_with_a_certificate_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs_err::write(&cert, made.cert.pem()).unwrap();
    fs_err::write(&key, made.signing_key.serialize_pem()).unwrap();
    let sink = MailSink::start(Some((&cert, &key))).await;
    let strict = mailing(&sink, "").await;
    {
        let _role = notify(&strict);
        strict
            .admin()
            .post("channels/mail/test", &json!({}))
            .await
            .expect(202);
        let log = tried(&strict, 1).await;
        let error = log["tries"][0]["error"].as_str().unwrap();
        assert!(error.contains("certificate"), "{error}");
        assert!(sink.mails().is_empty());
    }
    let trusting = mailing(&sink, &format!("ca_file = {:?}", cert.display().to_string())).await;
    let _role = notify(&trusting);
    trusting
        .admin()
        .post("channels/mail/test", &json!({}))
        .await
        .expect(202);
    let mail = sink.got(1).await[0].clone();
    assert_eq!(mail.header("Subject"), "[test] test: test");
    delivery(&trusting, "delivered").await;
}
