//! `undo`: one's own newest act, and only while it stands.

use serde_json::json;

use crate::coordinator::{Coordinator, Story, held};
use crate::person::Person;

#[test]
fn it_shows_the_act_asks_and_takes_it_back() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("lock shop@production -m 'the audit of June'");
    insta::assert_snapshot!(lucy.runs("undo"), @"
    $ pointsman undo
    --- stderr
             Act  target.lock shop@production, 2m ago (#1 of the audit)
         Inverse  pointsman unlock shop@production
    error: there is no terminal to ask on: Do it?
     help: pass --yes if it is what you want
    --- exit 2
    ");
    assert_eq!(coordinator.world().locks.len(), 1);
    let mut sitting = lucy.types(80, "undo");
    sitting.sees("[y/N]").screen();
    sitting.answers("y\n");
    insta::assert_snapshot!(sitting.ends(), @r#"
             Act  target.lock shop@production, 2m ago (#1 of the audit)
         Inverse  pointsman unlock shop@production
    Do it? [y/N] y
          Undone  target.lock shop@production
            Undo  pointsman lock shop@production -m "the audit of June"
    --- exit 0
    "#);
    assert_eq!(coordinator.world().locks.len(), 0);
    // Once more takes the undo back.
    insta::assert_snapshot!(lucy.runs("undo --yes"), @r#"
    $ pointsman undo --yes
    --- stderr
             Act  target.unlock shop@production, 2m ago (#2 of the audit)
         Inverse  pointsman lock shop@production -m "the audit of June"
          Undone  target.unlock shop@production
            Undo  pointsman unlock shop@production
    --- exit 0
    "#);
    assert_eq!(coordinator.world().locks.len(), 1);
}

#[test]
fn a_deployment_is_cancelled_while_it_is_open_and_rolled_back_once_it_is_live() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().story = Story::Stays;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    insta::assert_snapshot!(lucy.runs("undo -y"), @"
    $ pointsman undo -y
    --- stderr
             Act  deployment.request shop@production, 2m ago (#1 of the audit)
         Inverse  pointsman cancel 812
          Undone  deployment.request shop@production
            Undo  pointsman deploy shop@production 1.9.1
    --- exit 0
    ");
    coordinator.world().story = Story::GoesLive;
    lucy.runs("deploy shop@production 1.9.1");
    insta::assert_snapshot!(lucy.runs("undo -y"), @"
    $ pointsman undo -y
    --- stderr
             Act  deployment.request shop@production, 2m ago (#3 of the audit)
         Inverse  pointsman rollback shop@production 1.9.0
          Undone  deployment.request shop@production
            Next  pointsman watch 814
            Undo  pointsman deploy shop@production 1.9.1
    --- exit 0
    ");
    // The rollback was an act, too: its inverse is to deploy what it left.
    insta::assert_snapshot!(lucy.runs("undo -y"), @"
    $ pointsman undo -y
    --- stderr
             Act  rollback.request shop@production, 2m ago (#4 of the audit)
         Inverse  pointsman deploy shop@production 1.9.1
          Undone  rollback.request shop@production
            Next  pointsman watch 815
            Undo  pointsman rollback shop@production
    --- exit 0
    ");
}

#[test]
fn marks_pins_pauses_and_stops_have_inverses() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let command = |action: &str, object: &str, detail: serde_json::Value| {
        coordinator.world().note(action, object, detail);
        let run = lucy.runs("undo -y");
        assert_eq!(run.exit, 0, "{run}");
        let line = run.stderr.lines().find(|line| line.contains("Inverse")).unwrap();
        line.split_once("pointsman ").unwrap().1.to_owned()
    };
    let release = || json!({ "release": "1.9.1", "reason": null });
    assert_eq!(
        command("release.pin", "shop 1.9.1", release()),
        "unpin shop 1.9.1"
    );
    assert_eq!(
        command("release.unpin", "shop 1.9.1", release()),
        "pin shop 1.9.1"
    );
    let mark = json!({ "release": "1.9.1", "mark": "tested" });
    assert_eq!(
        command("release.unmark", "shop 1.9.1", mark),
        "mark shop 1.9.1 tested"
    );
    let why = json!({ "reason": "the cooling fails" });
    assert_eq!(
        command("stop.lift", "everything", why.clone()),
        "stop -m \"the cooling fails\""
    );
    assert_eq!(command("stop.set", "everything", why), "resume");
    coordinator.world().story = Story::Pauses;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    for _ in 0..4 {
        coordinator.world().advance(812);
    }
    assert_eq!(
        command("deployment.pause", "deployment #812", json!({})),
        "resume 812"
    );
}

#[test]
fn acts_of_others_and_what_others_changed_are_left_alone() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    {
        let mut world = coordinator.world();
        let detail = json!({ "reason": "Bob's reason" });
        world.note("target.lock", "shop@production", detail).actor = "bob".to_owned();
        world.locks.push(held(Some("shop@production"), "Bob's reason"));
        world.locks[0].owner = "bob".to_owned();
    }
    insta::assert_snapshot!(lucy.runs("undo -y"), @"
    $ pointsman undo -y
    --- stderr
    error: none of your last acts can be taken back by this command
    cause: it has no inverse, or what it did does not stand any more
     help: every command printed how to undo it; pointsman audit --who NAME shows older acts
    --- exit 5
    ");
    {
        let mut world = coordinator.world();
        // Her own lock ended, and Bob's holds now.
        world.note(
            "target.lock",
            "shop@production",
            json!({ "reason": "Lucy's reason" }),
        );
        world.note("token.issue", "token ci", json!({ "role": "viewer" }));
    }
    insta::assert_snapshot!(lucy.runs("undo -y"), @r#"
    $ pointsman undo -y
    --- stdout
    NO  AGE  WHO   FROM      ACTION       OBJECT           RESULT  DETAIL
     3   2m  lucy  10.0.0.9  token.issue  token ci         done    {"role":"viewer"}
     2   2m  lucy  10.0.0.9  target.lock  shop@production  done    {"reason":"Lucy's reason"}
    --- stderr
    error: none of your last acts can be taken back by this command
    cause: it has no inverse, or what it did does not stand any more
     help: every command printed how to undo it; pointsman audit --who NAME shows older acts
    --- exit 5
    "#);
    assert_eq!(coordinator.world().locks.len(), 1);
}

#[test]
fn a_first_key_is_removed_and_a_lost_one_says_why_it_cannot_come_back() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("project key generate shop");
    let made = json!({ "fingerprint": "SHA256:made", "before": null, "known_hosts": 0 });
    coordinator.world().note("deploy_key.make", "shop", made);
    let removed = json!({ "fingerprint": "SHA256:older" });
    coordinator
        .world()
        .note("deploy_key.remove", "shop", removed.clone());
    insta::assert_snapshot!(lucy.runs("undo -y"), @"
    $ pointsman undo -y
    --- stderr
            Note  newer acts of yours have no way back: deploy_key.remove shop (nobody here is told the private half of SHA256:older: pointsman project key set shop < FILE)
             Act  deploy_key.make shop, 2m ago (#1 of the audit)
         Inverse  pointsman project key remove shop
          Undone  deploy_key.make shop
            Undo  pointsman project key generate shop, which makes another key
    --- exit 0
    ");
    assert_eq!(coordinator.world().deploy_key, None);
    {
        let mut world = coordinator.world();
        world.audit.clear();
        world.note("deploy_key.remove", "shop", removed);
        let replaced = json!({ "fingerprint": "SHA256:made", "before": "SHA256:older", "known_hosts": 0 });
        world.note("deploy_key.set", "shop", replaced);
        let trusted = json!({ "fingerprint": "SHA256:made", "before": "SHA256:made", "known_hosts": 2 });
        world.note("deploy_key.set", "shop", trusted);
    }
    insta::assert_snapshot!(lucy.runs("undo -y"), @r#"
    $ pointsman undo -y
    --- stdout
    NO  AGE  WHO   FROM      ACTION             OBJECT  RESULT  DETAIL
     3   2m  lucy  10.0.0.9  deploy_key.set     shop    done    {"before":"SHA256:made","fingerprint":"SHA256:made","known_hosts":2}
     2   2m  lucy  10.0.0.9  deploy_key.set     shop    done    {"before":"SHA256:older","fingerprint":"SHA256:made","known_hosts":0}
     1   2m  lucy  10.0.0.9  deploy_key.remove  shop    done    {"fingerprint":"SHA256:older"}
    --- stderr
            Note  #3: the lines of known hosts from before are not kept: pointsman project key trust shop FILE
            Note  #2: nobody here is told the private half of SHA256:older: pointsman project key set shop < FILE
            Note  #1: nobody here is told the private half of SHA256:older: pointsman project key set shop < FILE
    error: none of your last acts can be taken back by this command
    cause: it has no inverse, or what it did does not stand any more
     help: every command printed how to undo it; pointsman audit --who NAME shows older acts
    --- exit 5
    "#);
}
