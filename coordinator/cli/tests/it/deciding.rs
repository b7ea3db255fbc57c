//! Plans, promotions, marks, and what is said while a deployment goes over its hosts.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn a_plan_tells_everything_and_ends_with_what_to_type() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("plan shop@production 1.9.1"), @"
    $ pointsman plan shop@production 1.9.1
    --- stdout
    target      shop@production
    release     1.9.1 (#42, b6150cfd6071)
    live now    1.9.0 (#41, 7717cbf90c63)
    commits     1 come, 0 go
    before      0002_add_vat
    later       -
    waves       web-1 | web-2, web-3
    on failure  hold
    usually     3m40 (3m10 to 5m10 in 12 runs)
    way back    1.9.0, ready on 3/3 hosts; a rollback does not revert 0002_add_vat
    hosts       web-3: it is absent
    plan        64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525

    Commits that come
    COMMIT      SUBJECT              AUTHOR  AGE
    0000000000  Add value added tax  Lucy     2m
    --- stderr
    warning: release 1.9.1 is not marked tested, which shop@production asks for
            Note  it would be refused or wait right now; later: pointsman deploy shop@production 1.9.1 --plan 64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525
    --- exit 0
    ");
}

#[test]
fn a_release_is_marked_and_promoted() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("mark shop 1.9.1 tested -m report-17"), @"
    $ pointsman mark shop 1.9.1 tested -m report-17
    --- stderr
          Marked  shop 1.9.1 tested
            Undo  pointsman unmark shop 1.9.1 tested
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("unmark shop 1.9.1 tested"), @"
    $ pointsman unmark shop 1.9.1 tested
    --- stderr
        Unmarked  shop 1.9.1 tested
            Undo  pointsman mark shop 1.9.1 tested
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("promote shop beta production --detach"), @"
    $ pointsman promote shop beta production --detach
    --- stdout
     NO  TARGET           RELEASE  FROM   KIND    STATE    AGE  BY    NOTE
    812  shop@production  1.9.1    1.9.0  deploy  waiting   2m  lucy  about to start
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
            Next  pointsman watch 812
            Undo  pointsman cancel 812
    --- exit 0
    ");
}

#[test]
fn hosts_are_tried_again_or_left_out_and_waves_wait() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("deploy shop@production 1.9.1 --detach");
    insta::assert_snapshot!(lucy.runs("pause 812"), @"
    $ pointsman pause 812
    --- stdout
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    --- stderr
         Pausing  deployment #812 before its next wave; the one under way goes on
            Undo  pointsman resume 812
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("retry 812 web-2 --detach"), @"
    $ pointsman retry 812 web-2 --detach
    --- stdout
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    --- stderr
    <time> retrying web-2 in deployment #812
            Undo  pointsman cancel 812
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("skip 812 web-2 web-3 --detach"), @"
    $ pointsman skip 812 web-2 web-3 --detach
    --- stdout
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    --- stderr
    <time> skipping web-2, web-3 in deployment #812
            Note  what did not fail there is brought up by itself once the deployment is live; what failed needs a new one
            Undo  pointsman deploy shop@production 1.9.1
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("skip 812"), @"
    $ pointsman skip 812
    --- stderr
    error: the following required arguments were not provided:
      <HOST>...

    Usage: pointsman skip --url <URL> <DEPLOYMENT> <HOST>...

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn times_are_written_plainly() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1 --at tomorrow"), @"
    $ pointsman deploy shop@production 1.9.1 --at tomorrow
    --- stderr
    error: invalid value 'tomorrow' for '--at <TIME>': write a time such as 2026-12-24T03:00Z (in UTC) or +2h

    For more information, try '--help'.
    --- exit 2
    ");
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1 --plan 5c1f"), @"
    $ pointsman deploy shop@production 1.9.1 --plan 5c1f
    --- stderr
    error: invalid value '5c1f' for '--plan <HASH>': write all 64 hex digits that `pointsman plan` printed

    For more information, try '--help'.
    --- exit 2
    ");
}
