//! Accounts: invited, changed, kept out, and each time how it is taken back.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn a_person_is_invited_and_given_another_role() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("account ls"), @r"
    $ pointsman account ls
    --- stderr
            Note  nobody has an account yet; pointsman account invite NAME
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("account invite max --role deployer"), @r"
    $ pointsman account invite max --role deployer
    --- stdout
    http://coordinator/invitation/secret
    --- stderr
         Invited  max as deployer, until <time>; the link is not shown again
            Undo  none: the link is void by itself; an account that came of it: pointsman account disable NAME
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("account role max admin"), @r"
    $ pointsman account role max admin
    --- stdout
    ACCOUNT  ROLE   STATE        CREATED  SEEN
    max      admin  may sign in       2m  -
    --- stderr
         Changed  max is admin now
            Undo  pointsman account role max deployer
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("account role mux admin"), @r#"
    $ pointsman account role mux admin
    --- stderr
    error: there is no account "mux"
    --- exit 6
    "#);
    insta::assert_snapshot!(lucy.types(80, "account").ends(), @r"
    ACCOUNT  ROLE   STATE        CREATED  SEEN
    max      admin  may sign in       2m  -
    --- exit 0
    ");
}

#[test]
fn a_person_is_kept_out_and_let_in_again() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    assert_eq!(lucy.runs("account invite max").exit, 0);
    insta::assert_snapshot!(lucy.runs("account disable max"), @r"
    $ pointsman account disable max
    --- stdout
    ACCOUNT  ROLE    STATE     CREATED  SEEN
    max      viewer  disabled       2m  -
    --- stderr
        Disabled  max may not sign in; its sessions ended
            Undo  pointsman account enable max
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("account enable max"), @r"
    $ pointsman account enable max
    --- stdout
    ACCOUNT  ROLE    STATE        CREATED  SEEN
    max      viewer  may sign in       2m  -
    --- stderr
         Enabled  max may sign in again
            Undo  pointsman account disable max
    --- exit 0
    ");
}

#[test]
fn a_role_in_one_project_is_given_and_taken_away() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let invited = lucy.runs("account invite max --role none --project shop=viewer");
    assert!(
        invited.to_string().contains("max as none, viewer of shop"),
        "{invited}"
    );
    let given = lucy
        .runs("account role max maintainer --project shop")
        .to_string();
    assert!(given.contains("max is none, maintainer of shop now"), "{given}");
    assert!(
        given.contains("Undo  pointsman account role max viewer --project shop"),
        "{given}"
    );
    let taken = lucy.runs("account role max none --project shop").to_string();
    assert!(taken.contains("max is none now"), "{taken}");
    let wrong = lucy.runs("account invite ann --project shop=admin");
    assert!(
        wrong.to_string().contains("viewer, deployer or maintainer"),
        "{wrong}"
    );
}

#[test]
fn a_host_rests_for_a_reason_and_goes_on() {
    let coordinator = Coordinator::start();
    coordinator.world().add_host("web-1");
    let lucy = Person::lucy(&coordinator);
    let silent = lucy.runs("hosts pause web-1");
    assert!(silent.to_string().contains("a pause needs a reason"), "{silent}");
    let paused = lucy.runs("hosts drain web-1 --reason disk").to_string();
    assert!(paused.contains("Paused  web-1; it works on nothing"), "{paused}");
    assert!(paused.contains("Undo  pointsman hosts resume web-1"), "{paused}");
    let listed = lucy.runs("hosts ls").to_string();
    assert!(listed.contains("paused"), "{listed}");
    let resumed = lucy.runs("hosts resume web-1").to_string();
    assert!(
        resumed.contains("Undo  pointsman hosts pause web-1 --reason \"disk\""),
        "{resumed}"
    );
}
