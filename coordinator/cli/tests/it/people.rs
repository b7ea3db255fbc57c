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
