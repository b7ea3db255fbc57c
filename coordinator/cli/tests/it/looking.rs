//! Looking at things: tables for people, values for scripts.

use pointsman_shared::api::fleet::{Finding, Severity};
use pointsman_shared::outcome::JobKind;

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn status_is_a_matrix_on_a_wide_terminal_and_rows_on_a_narrow_one() {
    let coordinator = Coordinator::start();
    {
        let mut world = coordinator.world();
        let placement = &mut world.targets[0].placements[1];
        placement.drift = Some("runs 1.8.2, which nobody asked for".to_owned());
        world
            .add_target("pay@production", Some("1.8.3"), &["web2"])
            .placements[0]
            .seen = false;
    }
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "status").ends(), @"
    PROJECT  BETA         PRODUCTION         NOTE
    pay      -            1.8.3 unknown 1/1  web2: not seen
    shop     - empty 0/1  1.9.0 drift 2/3    web2: runs 1.8.2, which nobody asked for
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(48, "status").ends(), @"
    PROJECT  ENVIRONMENT  RELEASE  STATE    HOSTS
    pay      production   1.8.3    unknown  1/1
    shop     beta         -        empty    0/1
    shop     production   1.9.0    drift    2/3
            Note  1 column left out for want of widt
    h; -o json has everything
    --- exit 0
    ");
}

#[test]
fn status_of_one_target_goes_host_by_host() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(80, "status shop@production").ends(), @"
    TARGET           HOST  WANTED  RUNNING  HEALTH   SEEN  GEN
    shop@production  web1  1.9.0   1.9.0    healthy    2m    7
    shop@production  web2  1.9.0   1.9.0    healthy    2m    7
    shop@production  web3  1.9.0   1.9.0    healthy    2m    7
    --- exit 0
    ");
}

#[test]
fn versions_fit_the_terminal() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "versions shop").ends(), @"
    NO  RELEASE  STATE  COMMIT       SIZE  AGE  LIVE ON          SUBJECT                                                                                  AUTHOR  ASKED BY
    42  1.9.1    built  b77d01aa00  41 MB   2h  -                Add an index for orders, so that the list of a customer with many of them opens at once  Ana     lucy
    41  1.9.0    built  3f9c1e20ab  41 MB   2h  shop@production  Fix the rounding of VAT                                                                  Ana     lucy
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(80, "versions shop").ends(), @"
    NO  RELEASE  STATE  COMMIT       SIZE  AGE  LIVE ON          SUBJECT
    42  1.9.1    built  b77d01aa00  41 MB   2h  -                Add an index for o…
    41  1.9.0    built  3f9c1e20ab  41 MB   2h  shop@production  Fix the rounding o…
            Note  2 columns left out for want of width; -o json has everything
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(60, "versions shop").ends(), @"
    NO  RELEASE  STATE  COMMIT      LIVE ON
    42  1.9.1    built  b77d01aa00  -
    41  1.9.0    built  3f9c1e20ab  shop@production
            Note  5 columns left out for want of width; -o json
    has everything
    --- exit 0
    ");
}

#[test]
fn scripts_get_whole_values() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("status -o plain"), @"
    $ pointsman status -o plain
    --- stdout
    shop	beta		empty	0/1	
    shop	production	1.9.0	ok	3/3	
    --- exit 0
    ");
    let versions = lucy.runs("versions shop -o json").json();
    assert_eq!(versions[0]["label"], "1.9.1");
    assert_eq!(versions[0]["commit"], "b77d01aa00112233");
    insta::assert_snapshot!(lucy.runs("versions shop"), @"
    $ pointsman versions shop
    --- stdout
    NO  RELEASE  STATE  COMMIT       SIZE  AGE  LIVE ON          SUBJECT                                                                                  AUTHOR  ASKED BY
    42  1.9.1    built  b77d01aa00  41 MB   2h  -                Add an index for orders, so that the list of a customer with many of them opens at once  Ana     lucy
    41  1.9.0    built  3f9c1e20ab  41 MB   2h  shop@production  Fix the rounding of VAT                                                                  Ana     lucy
    --- exit 0
    ");
}

#[test]
fn lists_say_when_there_is_more() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("hosts ls -n 2"), @"
    $ pointsman hosts ls -n 2
    --- stdout
    HOST  STATE  SEEN  RUNNING   FREE  AGENT  LABELS
    web1  ok       2m        0  52 GB  0.1.0  role=web
    web2  ok       2m        0  52 GB  0.1.0  role=web
    --- stderr
            Note  2 rows shown; --all or -n N for more
    --- exit 0
    ");
    assert_eq!(
        lucy.runs("hosts ls --all -o json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn empty_lists_say_what_brings_the_first_row() {
    let coordinator = Coordinator::empty();
    let lucy = Person::lucy(&coordinator);
    for line in [
        "status",
        "project list",
        "environment list",
        "target list",
        "hosts",
        "jobs",
        "token ls",
        "variable ls",
        "audit",
        "deployments",
    ] {
        let run = lucy.runs(line);
        assert_eq!((run.exit, run.stdout.as_str()), (0, ""), "{run}");
        assert!(run.stderr.contains("Note"), "{run}");
    }
    assert_eq!(lucy.runs("hosts ls -o json").stdout, "[]\n");
}

#[test]
fn hosts_say_how_soon_they_answered() {
    let coordinator = Coordinator::start();
    {
        let mut world = coordinator.world();
        world.hosts[0].answer_ms = Some(12);
        world.hosts[0].answered_at = world.hosts[0].last_seen_at;
    }
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "hosts").ends(), @"
    HOST  STATE  SEEN   LAG  RUNNING   FREE  AGENT  LABELS
    web1  ok       2m  12ms        0  52 GB  0.1.0  role=web
    web2  ok       2m     -        0  52 GB  0.1.0  role=web
    web3  ok       2m     -        0  52 GB  0.1.0  role=web
    --- exit 0
    ");
    let shown = lucy.runs("hosts show web1 -o plain").stdout;
    assert!(shown.contains("lag\t12\nanswered\t"), "{shown}");
}

#[test]
fn one_thing_is_shown_field_by_field() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("hosts show web1 -o plain"), @"
    $ pointsman hosts show web1 -o plain
    --- stdout
    host	web1
    name	web1
    state	ok
    problems	
    seen	<time>
    agent	0.1.0
    labels	role=web
    pools	
    kinds	install, activate, rollback
    running	0
    free	52000000000
    facts	
    joined	<time>
    revoked	
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(100, "target show shop@production").ends(), @"
    target       shop@production
    labels       role=web
    root         /srv/shop
    waves        100%
    unavailable  -
    failures     0
    on failure   hold
    keeps        5 good releases, and all of 168 hours
    gates        -
    when busy    queue
    on push      -
    paused       -
    wanted       1.9.0
    open         -

    TARGET           HOST  WANTED  RUNNING  HEALTH   SEEN  GEN
    shop@production  web1  1.9.0   1.9.0    healthy    2m    7
    shop@production  web2  1.9.0   1.9.0    healthy    2m    7
    shop@production  web3  1.9.0   1.9.0    healthy    2m    7
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("whoami"), @"
    $ pointsman whoami
    --- stdout
    name          lucy
    kind          user
    role          admin
    installation  example
    coordinator   http://coordinator
    version       0.1.0
    --- exit 0
    ");
}

#[test]
fn jobs_are_listed_and_shown_with_their_steps() {
    let coordinator = Coordinator::start();
    coordinator
        .world()
        .add_job(8_121, JobKind::Activate, "web1", Some(812))
        .steps = vec![
        serde_json::from_value(serde_json::json!({
            "epoch": 1, "ordinal": 0, "name": "switch current", "state": "ok", "duration_ms": 12
        }))
        .unwrap(),
    ];
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("jobs ls --state running"), @"
    $ pointsman jobs ls --state running
    --- stdout
     JOB  KIND      STATE    SUBJECT                HOST  DEPLOYMENT  TRY  AGE
    8121  activate  running  shop@production 1.9.1  web1         812    1   2m
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(80, "jobs show 8121").ends(), @"
    job         8121
    kind        activate
    state       running
    reason      -
    code        -
    subject     shop@production 1.9.1
    deployment  812
    host        web1
    attempts    1
    created     <time> (2m ago)
    started     <time> (2m ago)
    ended       -

    TRY  STEP            STATE  TOOK
      1  switch current  ok     12ms
    --- exit 0
    ");
    assert_eq!(lucy.runs("jobs --state failed -o json").stdout, "[]\n");
    assert_eq!(lucy.runs("jobs -o plain ls --state failed").exit, 0);
    assert_eq!(lucy.runs("jobs --state failed show 8121").exit, 2);
}

#[test]
fn doctor_names_the_cure_and_fails_when_something_is_broken() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("doctor"), @"
    $ pointsman doctor
    --- stdout
      ok    http://coordinator answers in <n> ms, clocks <n> s apart
      ok    the token is good: you are lucy, admin
      ok    database 15.18, migrations current
    --- stderr
          Doctor  0 failed, 0 warnings, 3 ok
    --- exit 0
    ");
    coordinator.world().findings.push(Finding {
        severity: Severity::Fail,
        text: "web3 disk /srv 100 %".to_owned(),
        cure: Some("pointsman jobs ls".to_owned()),
    });
    insta::assert_snapshot!(lucy.runs("doctor"), @"
    $ pointsman doctor
    --- stdout
      ok    http://coordinator answers in <n> ms, clocks <n> s apart
      ok    the token is good: you are lucy, admin
      ok    database 15.18, migrations current
      fail  web3 disk /srv 100 %
            -> pointsman jobs ls
    --- stderr
          Doctor  1 failed, 0 warnings, 3 ok
    --- exit 1
    ");
}

#[test]
fn the_audit_trail_tells_who_and_why() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("deploy shop@production 1.9.1 --detach --reason 'VAT fix'");
    insta::assert_snapshot!(lucy.runs("audit"), @r#"
    $ pointsman audit
    --- stdout
    NO  AGE  WHO   FROM      ACTION              OBJECT           RESULT  DETAIL
     1   2m  lucy  10.0.0.9  deployment.request  shop@production  done    {"deployment":812,"reason":"VAT fix","release":"1.9.1"}
    --- exit 0
    "#);
}

#[test]
fn the_reader_of_the_output_may_leave() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let mut command = lucy.command("versions shop");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn deployments_are_narrowed_by_project_state_person_and_release() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("deploy shop@production 1.9.1 --detach");
    let rows = |filters: &str| {
        let run = lucy.runs(&format!("deployments {filters} -o plain"));
        assert_eq!(run.exit, 0, "{run}");
        run.stdout.lines().count()
    };
    let all = rows("");
    assert!(all > 0);
    assert_eq!(rows("shop"), all);
    assert_eq!(rows("shop --state open --who lucy --release 1.9.1"), 1);
    assert_eq!(rows("pay"), 0);
    assert_eq!(rows("--who max"), 0);
    let none = lucy.runs("deployments --state over --who max");
    assert!(none.stderr.contains("no deployment fits these filters"), "{none}");
    let wrong = lucy.runs("deployments --state held");
    assert!(wrong.exit != 0 && wrong.stderr.contains("rolled_back"), "{wrong}");
}
