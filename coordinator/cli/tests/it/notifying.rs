//! Who is told what: channels, rules, and what became of each delivery.

use serde_json::json;

use crate::coordinator::Coordinator;
use crate::person::Person;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_webhook_is_made_and_tried_out() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("channel add ops --webhook https://ops.example.org/hook"), @"
    $ pointsman channel add ops --webhook https://ops.example.org/hook
    --- stdout
    whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    --- stderr
           Added  channel ops: webhook https://ops.example.org
            Note  its secret is not shown again; the receiver checks signatures with it
            Note  nothing goes there yet: pointsman rule add ops
            Undo  pointsman channel remove ops
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("channel test ops"), @"
    $ pointsman channel test ops
    --- stdout
    DELIVERY  CHANNEL  EVENT  STATE      TRIES  AGE  SAYS
          71  ops      test   delivered      1   2m  a test of channel ops, asked for by lucy
    --- stderr
       Delivered  a test to channel ops
            Note  pointsman delivery show 71
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("channel rotate ops --both 2d"), @"
    $ pointsman channel rotate ops --both 2d
    --- stdout
    whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    --- stderr
         Rotated  the secret of channel ops
            Note  the one before signs as well for 2d; give the receiver the new one by then
            Undo  none: what it was before is not told
    --- exit 0
    ");
}

#[test]
fn a_channel_is_put_to_rest_woken_and_removed() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("channel add ops --webhook https://ops.example.org/hook");
    insta::assert_snapshot!(lucy.runs("channel disable ops"), @"
    $ pointsman channel disable ops
    --- stdout
    CHANNEL  KIND     TO                       STATE     RULES  WAITING
    ops      webhook  https://ops.example.org  disabled      0        0
    --- stderr
        Disabled  channel ops
            Undo  pointsman channel enable ops
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("channel enable ops"), @"
    $ pointsman channel enable ops
    --- stdout
    CHANNEL  KIND     TO                       STATE  RULES  WAITING
    ops      webhook  https://ops.example.org  ok         0        0
    --- stderr
         Enabled  channel ops
            Note  what was given up meanwhile: pointsman delivery ls --channel ops --state failed
            Undo  pointsman channel disable ops
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("channel remove ops"), @"
    $ pointsman channel remove ops
    --- stderr
    error: there is no terminal to ask on: Remove channel ops with 0 rules and the log of its deliveries?
     help: pass --yes if it is what you want
    --- exit 2
    ");
    insta::assert_snapshot!(lucy.runs("channel remove ops --yes"), @"
    $ pointsman channel remove ops --yes
    --- stderr
         Removed  channel ops
            Undo  none: what is secret of it was not told; pointsman channel add NAME makes a new one
    --- exit 0
    ");
    assert_eq!(lucy.runs("channel show ops").exit, 6);
}

#[test]
fn what_is_secret_of_a_channel_comes_over_stdin() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let slack = lucy.pipes(
        "https://hooks.slack.example/T0/B0/secret\n",
        "channel add chat --slack --project shop",
    );
    insta::assert_snapshot!(slack, @"
    $ pointsman channel add chat --slack --project shop
    --- stdout
    CHANNEL  KIND   TO                           PROJECT  STATE  RULES  WAITING
    chat     slack  https://hooks.slack.example  shop     ok         0        0
    --- stderr
           Added  channel chat: slack https://hooks.slack.example
            Note  nothing goes there yet: pointsman rule add chat
            Undo  pointsman channel remove chat
    --- exit 0
    ");
    assert_eq!(
        lucy.pipes("xoxb-secret\n", "channel add deploys --slack-bot '#deploys'")
            .exit,
        0
    );
    assert_eq!(
        lucy.runs("channel add mail --email ops@example.org,ann@example.org")
            .exit,
        0
    );
    insta::assert_snapshot!(lucy.pipes("", "channel add empty --slack"), @"
    $ pointsman channel add empty --slack
    --- stderr
    error: stdin holds no value
     help: pointsman channel add NAME --slack < file
    --- exit 2
    ");
    assert_eq!(lucy.runs("channel add nowhere").exit, 2);
    let known = lucy.pipes(
        &format!("{SECRET}\n"),
        "channel add old --webhook https://old.example.org/ --with-secret",
    );
    assert!(known.exit == 0 && !known.stdout.contains("whsec_"), "{known}");
}

#[test]
fn channels_are_listed_and_shown_without_what_is_secret() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let address = "https://hooks.slack.example/T0/B0/secret\n";
    lucy.pipes(address, "channel add chat --slack --project shop");
    lucy.pipes("xoxb-secret\n", "channel add deploys --slack-bot '#deploys'");
    lucy.runs("channel add mail --email ops@example.org,ann@example.org");
    lucy.runs("channel add ops --webhook https://ops.example.org/");
    insta::assert_snapshot!(lucy.runs("channel ls"), @"
    $ pointsman channel ls
    --- stdout
    CHANNEL  KIND       TO                                PROJECT  STATE  RULES  WAITING
    chat     slack      https://hooks.slack.example       shop     ok         0        0
    deploys  slack bot  #deploys                          -        ok         0        0
    mail     e-mail     ops@example.org, ann@example.org  -        ok         0        0
    ops      webhook    https://ops.example.org           -        ok         0        0
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("channel show mail"), @"
    $ pointsman channel show mail
    --- stdout
    channel             mail
    kind                e-mail
    to                  ops@example.org, ann@example.org
    project             -
    state               ok
    why                 -
    since               -
    both secrets until  -
    rules               0
    waiting             0
    made by             lucy
    made                <time> (2m ago)
    --- exit 0
    ");
}

#[test]
fn rules_say_what_they_are_and_how_they_are_made_again() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("rule ls"), @"
    $ pointsman rule ls
    --- stderr
            Note  no rules yet, so nobody is told anything; pointsman rule add CHANNEL
    --- exit 0
    ");
    lucy.runs("channel add ops --webhook https://ops.example.org/hook");
    assert_eq!(lucy.runs("rule add ops").exit, 0);
    insta::assert_snapshot!(lucy.runs(
        "rule add ops --project shop --environment beta,production --event 'deploy.*' --event lock.set"
    ), @"
    $ pointsman rule add ops --project shop --environment beta,production --event 'deploy.*' --event lock.set
    --- stdout
    RULE  CHANNEL  PROJECT  ENVIRONMENTS      EVENTS              BY    AGE
       2  ops      shop     beta, production  deploy.*, lock.set  lucy   2m
    --- stderr
           Added  rule 2: ops hears of deploy.*, lock.set of shop in beta, production
            Undo  pointsman rule remove 2
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("rule"), @"
    $ pointsman rule
    --- stdout
    RULE  CHANNEL  PROJECT  ENVIRONMENTS      EVENTS                   BY    AGE
       1  ops      all      -                 failures and recoveries  lucy   2m
       2  ops      shop     beta, production  deploy.*, lock.set       lucy   2m
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("rule remove 2"), @"
    $ pointsman rule remove 2
    --- stderr
         Removed  rule 2: ops hears of deploy.*, lock.set of shop in beta, production
            Undo  pointsman rule add ops --project shop --environment beta --environment production --event 'deploy.*' --event 'lock.set'
    --- exit 0
    ");
    assert_eq!(lucy.runs("rule add opps").exit, 6);
}

#[test]
fn a_delivery_that_failed_says_why_and_goes_out_again() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("channel add broken --webhook https://broken.example.org/hook");
    insta::assert_snapshot!(lucy.runs("channel test broken"), @"
    $ pointsman channel test broken
    --- stdout
    DELIVERY  CHANNEL  EVENT  STATE    TRIES  AGE   NEXT  SAYS
          71  broken   test   waiting      1   2m  in 2m  the receiver answered 500
    --- stderr
          Failed  the test to channel broken: the receiver answered 500
            Note  pointsman delivery show 71
    --- exit 1
    ");
    insta::assert_snapshot!(lucy.runs("delivery show 71"), @r#"
    $ pointsman delivery show 71
    --- stdout
    delivery  71
    id        msg_0193aaaabbbb7ccc8dddeeeeffff0000
    channel   broken
    event     test
    message   a test of channel broken, asked for by lucy
    state     waiting
    error     the receiver answered 500
    made      <time> (2m ago)
    next try  <time> (in 2m)
    ended     -
    sent      {"type":"test"}
    answer    oh no

    TRY  AGE  TOOK  STATUS  RESULT
      1   2m  42ms     500  the receiver answered 500
    --- exit 0
    "#);
    insta::assert_snapshot!(lucy.runs("delivery redeliver 71"), @"
    $ pointsman delivery redeliver 71
    --- stdout
    DELIVERY  CHANNEL  EVENT  STATE    TRIES  AGE   NEXT  SAYS
          71  broken   test   waiting      1   2m  in 2m  a test of channel broken, asked for by lucy
    --- stderr
            Sent  delivery 71 goes to channel broken once more
            Note  pointsman delivery show 71 tells what becomes of it
            Undo  none: what is sent cannot be called back; the receiver knows it by its id
    --- exit 0
    ");
    assert_eq!(lucy.runs("delivery show 99").exit, 6);
    assert!(
        lucy.runs("delivery ls -o json")
            .stdout
            .contains("\"topic\": \"test\"")
    );
}

#[test]
fn acts_on_rules_and_channels_can_be_taken_back() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("channel add ops --webhook https://ops.example.org/hook");
    lucy.runs("rule add ops --event 'deploy.*'");
    let inverse = |action: &str, object: &str, detail: serde_json::Value| {
        coordinator.world().note(action, object, detail);
        let run = lucy.runs("undo -y");
        assert_eq!(run.exit, 0, "{run}");
        let line = run.stderr.lines().find(|line| line.contains("Inverse")).unwrap();
        line.split_once("pointsman ").unwrap().1.to_owned()
    };
    let rule = json!({ "rule": 1, "project": null, "environments": [], "events": ["deploy.*"] });
    assert_eq!(inverse("rule.add", "channel ops", rule), "rule remove 1");
    assert!(coordinator.world().rules.is_empty());
    let rule = json!({ "channel": "ops", "project": "shop", "environments": ["beta"], "events": [] });
    let again = "rule add ops --project shop --environment beta";
    assert_eq!(inverse("rule.remove", "rule 1", rule), again);
    assert_eq!(coordinator.world().rules.len(), 1);
    lucy.runs("channel disable ops");
    assert_eq!(
        inverse("channel.disable", "channel ops", json!({})),
        "channel enable ops"
    );
    assert!(coordinator.world().channels[0].disabled_at.is_none());
}
