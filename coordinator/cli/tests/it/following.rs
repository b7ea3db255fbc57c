//! The main job at a terminal: drawn in place, and nothing left of the drawing.

use crate::coordinator::{Coordinator, Story, journey};
use crate::person::Person;

fn story(story: Story) -> (Coordinator, Person) {
    let coordinator = Coordinator::start();
    coordinator.world().story = story;
    let lucy = Person::lucy(&coordinator);
    (coordinator, lucy)
}

#[test]
fn going_live_at_80_columns() {
    let (_coordinator, lucy) = story(Story::GoesLive);
    insta::assert_snapshot!(lucy.types(80, "deploy shop@production 1.9.1").ends(), @"
       Requested  deploy #812: shop@production 1.9.0 -> 1.9.1
         Waiting  about to start
      Installing  1.9.1 on 3 hosts
       Switching  wave 1 of 2
       Switching  wave 2 of 2
    HOST  WAVE  STATE  TOOK   JOB
    web1     1  live   6.1s  8121
    web2     2  live   6.1s  8122
    web3     2  live   6.1s  8123
            Live  shop@production 1.9.1 on 3/3 hosts in 41.0s
            Undo  pointsman rollback shop@production 1.9.0
    --- exit 0
    ");
}

#[test]
fn rolling_back_at_200_columns() {
    let (_coordinator, lucy) = story(Story::RollsBack);
    insta::assert_snapshot!(lucy.types(200, "deploy shop@production 1.9.1").ends(), @"
       Requested  deploy #812: shop@production 1.9.0 -> 1.9.1
         Waiting  about to start
      Installing  1.9.1 on 3 hosts
       Switching  wave 1 of 2
            web1  failed: health check answered 502 for 2m00
    Rolling back  1.9.1 on 3 hosts
    HOST  WAVE  STATE        TOOK   JOB
    web1     1  rolled back  6.1s  8121
    web2     2  cancelled       -  8122
    web3     2  cancelled       -  8123
    error: deployment #812 failed and was rolled back; shop@production runs 1.9.0
    cause: failed on web1: health check answered 502 for 2m00
     help: pointsman logs 812; pointsman status shop@production
    --- exit 8
    ");
}

#[test]
fn a_coordinator_that_restarts_is_waited_for() {
    let (coordinator, lucy) = story(Story::Stays);
    let sitting = lucy.types(120, "deploy shop@production 1.9.1");
    sitting.sees("web3  wave 2  installing");
    coordinator.world().is_away = true;
    sitting.sees("Lost");
    coordinator.world().journeys.insert(812, journey::to_the_end());
    coordinator.world().is_away = false;
    insta::assert_snapshot!(sitting.ends(), @"
       Requested  deploy #812: shop@production 1.9.0 -> 1.9.1
         Waiting  about to start
      Installing  1.9.1 on 3 hosts
            Lost  the coordinator answered 503 Service Unavailable; trying again, the work itself goes on
       Connected  the coordinator answers again
       Switching  wave 1 of 2
    HOST  WAVE  STATE  TOOK   JOB
    web1     1  live   6.1s  8121
    web2     2  live   6.1s  8122
    web3     2  live   6.1s  8123
            Live  shop@production 1.9.1 on 3/3 hosts in 41.0s
            Undo  pointsman rollback shop@production 1.9.0
    --- exit 0
    ");
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let (_coordinator, lucy) = story(Story::Fails);
    let screen = lucy.types_at("dumb", "deploy shop@production 1.9.1").ends();
    insta::assert_snapshot!(screen, @"
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> building 1.9.1
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    error: deployment #812 failed
    cause: the build of 1.9.1 failed: npm ci exited with 1
     help: pointsman logs 812; pointsman status shop@production
    --- exit 1
    ");
}

#[test]
fn ctrl_c_detaches_and_says_so() {
    let (coordinator, lucy) = story(Story::Stays);
    let sitting = lucy.types(100, "deploy shop@production 1.9.1");
    sitting
        .sees("web3  wave 2  installing")
        .sees("0 of 3 hosts")
        .interrupts();
    insta::assert_snapshot!(sitting.ends(), @"
       Requested  deploy #812: shop@production 1.9.0 -> 1.9.1
         Waiting  about to start
      Installing  1.9.1 on 3 hosts
        Detached  deployment #812 goes on; `pointsman watch 812`, stop it with `pointsman cancel 812`
    --- exit 130
    ");
    assert!(!coordinator.world().deployments[0].state.is_final());
}

#[test]
fn ctrl_c_inside_the_hold_cancels() {
    let (coordinator, lucy) = story(Story::IsHeld);
    let sitting = lucy.types(100, "deploy shop@production 1.9.1");
    sitting.sees("Held").interrupts();
    insta::assert_snapshot!(sitting.ends(), @"
       Requested  deploy #812: shop@production 1.9.0 -> 1.9.1
         Waiting  about to start
            Held  for 5s
       Cancelled  deployment #812 before anything was published
    --- exit 130
    ");
    assert!(coordinator.world().deployments[0].state.is_final());
}

#[test]
fn watching_waits_through_a_pause_until_somebody_decides() {
    let (_coordinator, lucy) = story(Story::Pauses);
    lucy.runs("deploy shop@production 1.9.1 --detach");
    let sitting = lucy.types(100, "watch shop@production");
    sitting.sees("Paused");
    assert_eq!(lucy.runs("decide 812 continue --detach").exit, 0);
    insta::assert_snapshot!(sitting.ends(), @"
      Installing  1.9.1 on 3 hosts
       Switching  wave 1 of 2
            web1  failed: health check answered 502 for 2m00
          Paused  a person decides: failed on web1: health check answered 502 for 2m00
    HOST  WAVE  STATE  TOOK   JOB
    web1     1  live   6.1s  8121
    web2     2  live   6.1s  8122
    web3     2  live   6.1s  8123
            Live  shop@production 1.9.1 on 3/3 hosts in 41.0s
            Undo  pointsman rollback shop@production 1.9.0
    --- exit 0
    ");
}

#[test]
fn a_build_shows_its_log() {
    let (coordinator, lucy) = story(Story::GoesLive);
    coordinator.world().write_log(
        8_043,
        &[
            (1, "added 211 packages"),
            (2, "\u{1b}[32mbuilt\u{1b}[0m in 3s\u{1b}]0;title\u{7}"),
        ],
    );
    coordinator.world().build_waits = Some("waits for a builder; 1 before it".to_owned());
    insta::assert_snapshot!(lucy.runs("build shop --ref main --follow"), @"
    $ pointsman build shop --ref main --follow
    --- stdout
    NO  RELEASE  STATE  COMMIT       SIZE  AGE  SUBJECT         AUTHOR  ASKED BY
    43  43       built  77ac1d00be  41 MB   2h  Try a new cart  Ana     lucy
    --- stderr
    <time> requested build of shop main as 43 (release #43)
    <time> building shop 43 at 77ac1d00beef
    <time> waiting waits for a builder; 1 before it
    added 211 packages
    built in 3s
    <time> built shop 43
    --- exit 0
    ");
}

#[test]
fn a_build_that_fails_shows_why() {
    let (coordinator, lucy) = story(Story::Fails);
    coordinator
        .world()
        .write_log(8_043, &[(1, "npm error missing lockfile")]);
    insta::assert_snapshot!(lucy.types(80, "build shop --ref main --follow").ends(), @"
       Requested  build of shop main as 43 (release #43)
        Building  shop 43 at 77ac1d00beef
    npm error missing lockfile
    NO  RELEASE  STATE   COMMIT       SIZE  AGE  SUBJECT            AUTHOR  ASKED BY
    43  43       failed  77ac1d00be  41 MB   2h  npm ci exited wi…  Ana     lucy
    error: the build of shop 43 failed
    cause: npm ci exited with 1
     help: pointsman logs --job 8043
    --- exit 1
    ");
}

#[test]
fn a_build_that_is_left_alone() {
    let (_coordinator, lucy) = story(Story::GoesLive);
    insta::assert_snapshot!(lucy.runs("build shop"), @"
    $ pointsman build shop
    --- stdout
    NO  RELEASE  STATE     COMMIT       SIZE  AGE  SUBJECT         AUTHOR  ASKED BY
    43  43       building  77ac1d00be  41 MB   2h  Try a new cart  Ana     lucy
    --- stderr
    <time> requested build of shop main as 43 (release #43)
            Next  pointsman logs -f shop '#43'
            Undo  pointsman cancel --job 8043
    --- exit 0
    ");
}
