//! Calls as the forges document them, and what a stranger would try.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_shared::api::pushes::Forge;

use super::*;

struct Sent(BTreeMap<&'static str, String>);

impl Headers for Sent {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn sent(headers: &[(&'static str, &str)]) -> Sent {
    Sent(
        headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
    )
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// The example of GitHub's documentation, "Validating webhook deliveries".
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn github_signs_the_body() {
    let secret = "It's a Secret to Everybody";
    let signed = sent(&[("x-hub-signature-256", GITHUB)]);
    let check =
        |secret: &str, headers: &Sent, body: &[u8]| check(Forge::Github, secret, headers, body, at(0));
    assert_eq!(check(secret, &signed, b"Hello, World!"), Ok(()));
    assert_eq!(check(secret, &signed, b"Hello, World"), Err(Mismatch::Wrong));
    assert_eq!(check("another", &signed, b"Hello, World!"), Err(Mismatch::Wrong));
    let naked = GITHUB.trim_start_matches("sha256=");
    for wrong in [naked, "sha256=", "sha256=zz", &GITHUB[..60], "sha1=757107ea"] {
        let headers = sent(&[("x-hub-signature-256", wrong)]);
        assert_eq!(
            check(secret, &headers, b"Hello, World!"),
            Err(Mismatch::Wrong),
            "{wrong}"
        );
    }
    let none = Err(Mismatch::Missing("x-hub-signature-256"));
    assert_eq!(
        check(secret, &sent(&[("x-hub-signature", GITHUB)]), b"Hello, World!"),
        none
    );
}

#[test]
fn gitea_signs_the_body_and_gitlab_shows_the_secret() {
    let hex = GITHUB.trim_start_matches("sha256=");
    let gitea = sent(&[("x-gitea-signature", hex)]);
    let secret = "It's a Secret to Everybody";
    assert_eq!(
        check(Forge::Gitea, secret, &gitea, b"Hello, World!", at(0)),
        Ok(())
    );
    assert_eq!(
        check(Forge::Gitea, secret, &gitea, b"hello", at(0)),
        Err(Mismatch::Wrong)
    );
    let gitlab = sent(&[("x-gitlab-token", "geheim")]);
    assert_eq!(
        check(Forge::Gitlab, "geheim", &gitlab, b"anything", at(0)),
        Ok(())
    );
    for wrong in ["geheim2", "gehei", ""] {
        let refused = check(Forge::Gitlab, wrong, &gitlab, b"anything", at(0));
        assert_eq!(refused, Err(Mismatch::Wrong), "{wrong}");
    }
}

/// The example of the Standard Webhooks' specification.
const STANDARD: [(&str, &str); 3] = [
    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("webhook-timestamp", "1614265330"),
    (
        "webhook-signature",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
];

#[test]
fn anything_else_signs_by_the_standard_webhooks() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = br#"{"test": 2432232314}"#;
    let now = at(1_614_265_330);
    let minutes = |minutes| now + chrono::TimeDelta::minutes(minutes);
    let check = |headers: &Sent, body: &[u8], now| check(Forge::Generic, secret, headers, body, now);
    assert_eq!(check(&sent(&STANDARD), body, now), Ok(()));
    assert_eq!(check(&sent(&STANDARD), body, minutes(5)), Ok(()));
    assert_eq!(check(&sent(&STANDARD), body, minutes(6)), Err(Mismatch::Old));
    assert_eq!(check(&sent(&STANDARD), body, minutes(-6)), Err(Mismatch::Old));
    assert_eq!(check(&sent(&STANDARD), b"{}", now), Err(Mismatch::Wrong));
    let mut other_id = STANDARD;
    other_id[0].1 = "msg_another";
    assert_eq!(check(&sent(&other_id), body, now), Err(Mismatch::Wrong));
    let both = format!("v1,AAAA v1a,BBBB {}", STANDARD[2].1);
    let mut rotating = STANDARD;
    rotating[2].1 = &both;
    assert_eq!(check(&sent(&rotating), body, now), Ok(()));
}

fn push(reference: &str, by: &str) -> Told {
    Told::Push {
        reference: reference.to_owned(),
        by: Some(by.to_owned()),
    }
}

#[test]
fn each_forge_tells_a_push_in_its_own_words() {
    let github = sent(&[("x-github-delivery", "72d3162e"), ("x-github-event", "push")]);
    let body =
        br#"{"ref": "refs/heads/main", "before": "00", "after": "a10867b14bb761a232cd80139fbd4c0d33264240",
                    "deleted": false, "pusher": {"name": "ann", "email": "ann@example.org"}, "commits": []}"#;
    let call = read(Forge::Github, &github, body).unwrap();
    assert_eq!(
        (call.delivery.as_str(), call.told),
        ("72d3162e", push("refs/heads/main", "ann"))
    );

    let gitea = sent(&[("x-gitea-delivery", "f6266f16"), ("x-gitea-event", "push")]);
    let body =
        br#"{"ref": "refs/tags/1.9.1", "before": "00", "after": "bffeb74224043ba2feb48d137756c8a9331c449a",
                    "pusher": {"id": 1, "login": "bea", "full_name": "Bea", "username": "bea"}}"#;
    let call = read(Forge::Gitea, &gitea, body).unwrap();
    assert_eq!(
        (call.delivery.as_str(), call.told),
        ("f6266f16", push("refs/tags/1.9.1", "bea"))
    );

    let body = br#"{"object_kind": "push", "ref": "refs/heads/main", "user_username": "cid",
                    "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"}"#;
    let headers = [
        ("x-gitlab-event-uuid", "once"),
        ("x-gitlab-event", "Push Hook"),
        ("idempotency-key", "each"),
    ];
    let call = read(Forge::Gitlab, &sent(&headers), body).unwrap();
    assert_eq!(
        (call.delivery.as_str(), call.told),
        ("each", push("refs/heads/main", "cid"))
    );
    let call = read(Forge::Gitlab, &sent(&headers[..2]), body).unwrap();
    assert_eq!(call.delivery, "once");

    let generic = sent(&[("webhook-id", "msg_1")]);
    let call = read(
        Forge::Generic,
        &generic,
        br#"{"ref": "refs/heads/main", "by": "dan"}"#,
    )
    .unwrap();
    assert_eq!(
        (call.delivery.as_str(), call.told),
        ("msg_1", push("refs/heads/main", "dan"))
    );
}

#[test]
fn what_is_no_push_is_told_apart() {
    let ping = sent(&[("x-github-delivery", "1"), ("x-github-event", "ping")]);
    let call = read(Forge::Github, &ping, b"not even json").unwrap();
    assert_eq!(call.told, Told::Other("ping".to_owned()));
    let github = sent(&[("x-github-delivery", "1"), ("x-github-event", "push")]);
    let zeros = "0".repeat(40);
    let body = format!(r#"{{"ref": "refs/heads/old", "after": "{zeros}"}}"#);
    let call = read(Forge::Github, &github, body.as_bytes()).unwrap();
    assert_eq!(
        call.told,
        Told::Deleted {
            reference: "refs/heads/old".to_owned()
        }
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let github = sent(&[("x-github-delivery", "1"), ("x-github-event", "push")]);
    for (body, why) in [
        (&b"payload=%7B%7D"[..], "the forge must send JSON"),
        (br#"{"after": "aa"}"#, "missing field `ref`"),
        (br#"{"ref": "main", "after": "aa"}"#, "ref is main, and no branch"),
        (br#"{"ref": "refs/pull/1/head", "after": "aa"}"#, "no branch"),
    ] {
        let error = read(Forge::Github, &github, body).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let unnamed = sent(&[("x-github-event", "push")]);
    let error = read(Forge::Github, &unnamed, b"{}").unwrap_err();
    assert!(error.contains("x-github-delivery"), "{error}");
    let long = "x".repeat(201);
    let unnamed = sent(&[("x-github-event", "push"), ("x-github-delivery", &long)]);
    assert!(read(Forge::Github, &unnamed, b"{}").is_err());
}
