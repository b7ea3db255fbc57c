//! `doctor` beyond what the coordinator finds, and `audit` with its filters and its proof.

use pointsman_shared::api::tokens::{AuditChain, BrokenLink};
use pointsman_shared::digest::Digest;

use crate::coordinator::{Coordinator, ago};
use crate::person::Person;

#[test]
fn doctor_tells_of_a_coordinator_that_cannot_be_asked_and_of_other_versions() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().version = Some("9.0.0".to_owned());
    insta::assert_snapshot!(lucy.runs("doctor"), @"
    $ pointsman doctor
    --- stdout
      ok    http://coordinator answers in <n> ms, clocks <n> s apart
      ok    the token is good: you are lucy, admin
      warn  this command is 0.1.0, the coordinator 9.0.0
            -> install pointsman 9.0.0
      ok    database 15.18, migrations current
    --- stderr
          Doctor  0 failed, 1 warning, 3 ok
    --- exit 0
    ");
    let stranger = Person::with(&coordinator, "pmn_nobody_secret");
    insta::assert_snapshot!(stranger.runs("doctor"), @"
    $ pointsman doctor
    --- stdout
      fail  http://coordinator: the token is not accepted
            -> pointsman login --with-token < token-file; or set POINTSMAN_TOKEN
    --- stderr
          Doctor  1 failed, 0 warnings, 0 ok
    error: the token is not accepted
    cause: no such token, or it was revoked
     help: pointsman login --with-token < token-file; or set POINTSMAN_TOKEN
    --- exit 4
    ");
    let run = lucy.runs("doctor --url http://127.0.0.1:9");
    assert_eq!(run.exit, 1, "{run}");
    assert!(run.stdout.contains("cannot reach the coordinator"), "{run}");
}

#[test]
fn the_audit_trail_is_filtered_and_verified() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    {
        let mut world = coordinator.world();
        let detail = serde_json::Value::Null;
        world.note("target.lock", "shop@beta", detail.clone()).actor = "bob".to_owned();
        world.note("target.lock", "shop@production", detail.clone()).at = ago(7_200);
        world.note("deployment.cancel", "deployment #812", detail);
    }
    let numbers = |line: &str| {
        let run = lucy.runs(&format!("audit -o plain {line}"));
        let first = |line: &str| line.split('\t').next().unwrap().to_owned();
        run.stdout.lines().map(first).collect::<Vec<_>>()
    };
    assert_eq!(numbers("--who bob"), ["1"]);
    assert_eq!(numbers("--what target"), ["2", "1"]);
    assert_eq!(numbers("--what target.lock --since 1h"), ["1"]);
    assert_eq!(numbers("--since 2020-01-01T00:00Z"), ["3", "2", "1"]);
    coordinator.world().chain = Some(AuditChain {
        length: 3,
        head: Some(Digest::of(b"head")),
        unchained: 0,
        broken: None,
    });
    insta::assert_snapshot!(lucy.runs("audit --verify"), @"
    $ pointsman audit --verify
    --- stdout
    rows             3
    head             9f2e6d33a3717ee826353a404ba4618d1aeeb6879ad7936bce8ed5f46814924d
    not yet chained  0
    broken at        -
    --- stderr
        Verified  every row is as it was when it was chained
            Note  keep rows and head elsewhere: a trail that was cut at its end shows only beside them
    --- exit 0
    ");
    coordinator.world().chain = Some(AuditChain {
        length: 1,
        head: Some(Digest::of(b"head")),
        unchained: 0,
        broken: Some(BrokenLink {
            number: 2,
            position: 2,
            what: "what the row says is not what was chained".to_owned(),
        }),
    });
    insta::assert_snapshot!(lucy.runs("audit --verify"), @"
    $ pointsman audit --verify
    --- stdout
    rows             1
    head             9f2e6d33a3717ee826353a404ba4618d1aeeb6879ad7936bce8ed5f46814924d
    not yet chained  0
    broken at        #2
    --- stderr
    error: the audit trail was changed: row #2 breaks the chain
    cause: what the row says is not what was chained
     help: compare the rows from there on with a backup of the database
    --- exit 1
    ");
    assert_eq!(lucy.runs("audit --verify --who bob").exit, 2);
}
