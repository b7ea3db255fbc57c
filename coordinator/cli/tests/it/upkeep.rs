//! Looking after things: migrations, garbage, locks.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn migrations_are_listed_with_what_follows_from_them() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("migrations ls shop@production"), @"
    $ pointsman migrations ls shop@production
    --- stdout
    PHASE  MIGRATION        STATE          RELEASE   WAY BACK   JOB  READ
    pre    0001_orders      applied        has it    yes       8119    2m
    pre    0002_index       indeterminate  has it    no        8119    2m
    post   0001_drop_price  pending        has it    yes       8119    2m
    post   0002_new         not read       has it    no           -     -
    post   0009_other       applied        lacks it  -         8119    2m
    --- stderr
            Note  nobody knows yet what job #8118 did; the ledger is read again by itself
            Note  look at the database, then: pointsman migrations mark shop@production 0002_index applied|pending --phase pre
            Note  post-migrations may run from 2026-12-20 03:00 UTC on, and are started by hand
    --- exit 0
    ");
}

#[test]
fn a_run_is_followed_to_its_end() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("migrations apply shop@production --phase post"), @"
    $ pointsman migrations apply shop@production --phase post
    --- stderr
    <time> requested job #8120: apply post-migrations in shop@production
    <time> done job #8120
            Undo  pointsman migrations revert shop@production NAME --phase post, newest first
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("migrations apply shop@production 0003_broken"), @r#"
    $ pointsman migrations apply shop@production 0003_broken
    --- stderr
    <time> requested job #8122: apply 0003_broken in shop@production
    error: job #8122 failed
    cause: 0003_broken.sql, line 2: relation "oders" does not exist (SQLSTATE 42P01)
     help: pointsman logs --job 8122
    --- exit 1
    "#);
}

#[test]
fn what_would_go_is_told_with_reasons() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("gc plan shop"), @"
    $ pointsman gc plan shop
    --- stdout
    TARGET           HOST   RELEASE  FOLDER               SIZE   WHAT BECOMES OF IT
    shop@production  web-1  1.7.0    000001-aaaaaaaaaaaa  41 MB  goes: nobody needs it
    --- stderr
            Note  1 folder would go, 41 MB; 1 release out of the store
            Note  3 folders stay; --explain says why
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("gc plan shop --explain -o plain"), @"
    $ pointsman gc plan shop --explain -o plain
    --- stdout
    shop@production	web-1	1.7.0	000001-aaaaaaaaaaaa	41 MB	goes: nobody needs it
    shop@production	web-1	1.8.0	000002-bbbbbbbbbbbb	41 MB	stays: previous good: a rollback goes there
    shop@production	web-1	1.9.0	000003-cccccccccccc	41 MB	stays: live
    shop@production	web-1		000099-dddddddddddd	0 B	stays: not made by this coordinator, so it is never touched
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("gc run shop@production"), @"
    $ pointsman gc run shop@production
    --- stdout
    TARGET           HOST   RELEASE  FOLDER               SIZE   WHAT BECOMES OF IT
    shop@production  web-1  1.7.0    000001-aaaaaaaaaaaa  41 MB  goes: nobody needs it
    --- stderr
    <time> ordered 1 folder, 41 MB; 1 release out of the store
    warning: shop@production on web-2 is left alone: its host has not told its state yet
            Undo  pointsman gc undo PROJECT@ENVIRONMENT RELEASE, for a day without a download
    --- exit 0
    ");
}

#[test]
fn what_was_collected_comes_back_and_what_is_pinned_stays() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("gc undo shop@production 1.7.0"), @"
    $ pointsman gc undo shop@production 1.7.0
    --- stdout
    HOST
    web-1
    web-2
    --- stderr
    <time> returning 1.7.0 to 2 hosts
            Note  pin it, or the next collection takes it again: pointsman pin shop 1.7.0
            Undo  pointsman gc run shop@production
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("gc schedule shop '0 4 * * *'"), @"
    $ pointsman gc schedule shop '0 4 * * *'
    --- stdout
    PROJECT  CRON       NEXT
    shop     0 4 * * *  -
    --- stderr
             Set  garbage of shop: 0 4 * * *
            Undo  pointsman gc schedule shop '12 3 * * *'
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("pin shop 1.7.0 --reason audit"), @"
    $ pointsman pin shop 1.7.0 --reason audit
    --- stderr
          Pinned  shop 1.7.0
            Undo  pointsman unpin shop 1.7.0
    --- exit 0
    ");
}

#[test]
fn locks_say_what_they_hold_up_and_how_they_end() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("lock shop@production -m 'the audit of June'"), @"
    $ pointsman lock shop@production -m 'the audit of June'
    --- stdout
    LOCKED           BY    SINCE  UNTIL  REASON
    shop@production  lucy     2m  -      the audit of June
    --- stderr
          Locked  shop@production: the audit of June
            Note  what is open goes on; only new wishes are refused
            Undo  pointsman unlock shop@production
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("unlock shop@production"), @"
    $ pointsman unlock shop@production
    --- stderr
        Unlocked  shop@production
            Undo  pointsman lock shop@production -m TEXT
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("stop -m 'the cooling fails' --for 2h"), @"
    $ pointsman stop -m 'the cooling fails' --for 2h
    --- stdout
    LOCKED      BY    SINCE  UNTIL  REASON
    everything  lucy     2m  -      the cooling fails
    --- stderr
         Stopped  everything: the cooling fails
            Note  rollbacks, cancels and reading are still possible; what an agent has begun goes on
            Undo  pointsman resume
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("resume"), @"
    $ pointsman resume
    --- stderr
         Resumed  everything
            Undo  pointsman stop -m TEXT
    --- exit 0
    ");
    lucy.runs("stop -m 'the cooling fails'");
    lucy.runs("lock shop@production -m 'the audit of June'");
    insta::assert_snapshot!(lucy.runs("locks"), @"
    $ pointsman locks
    --- stdout
    LOCKED           BY    SINCE  UNTIL  REASON
    everything       lucy     2m  -      the cooling fails
    shop@production  lucy     2m  -      the audit of June
    --- exit 0
    ");
}
