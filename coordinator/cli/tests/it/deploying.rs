//! The main job from a script: plain lines, hosts on stdout, exit codes by outcome.

use crate::coordinator::{Coordinator, Story};
use crate::person::Person;

fn story(story: Story) -> (Coordinator, Person) {
    let coordinator = Coordinator::start();
    coordinator.world().story = story;
    let lucy = Person::lucy(&coordinator);
    (coordinator, lucy)
}

#[test]
fn a_deployment_that_goes_live() {
    let (coordinator, lucy) = story(Story::GoesLive);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1"), @"
    $ pointsman deploy shop@production 1.9.1
    --- stdout
    HOST  WAVE  STATE  TOOK   JOB
    web1     1  live   6.1s  8121
    web2     2  live   6.1s  8122
    web3     2  live   6.1s  8123
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> web1 installing
    <time> web2 installing
    <time> web3 installing
    <time> installing 0 of 3 hosts
    <time> web1 switching
    <time> web2 installed
    <time> web3 installed
    <time> switching wave 1 of 2
    <time> web1 live in 6.1s
    <time> web2 switching
    <time> web3 switching
    <time> switching wave 2 of 2
    <time> web2 live in 6.1s
    <time> web3 live in 6.1s
    <time> live shop@production 1.9.1 on 3/3 hosts in 41.0s
            Undo  pointsman rollback shop@production 1.9.0
    --- exit 0
    ");
    assert_eq!(
        coordinator.world().targets[0].desired.as_ref().unwrap().as_str(),
        "1.9.1"
    );
}

#[test]
fn a_deployment_that_fails_and_is_rolled_back() {
    let (_coordinator, lucy) = story(Story::RollsBack);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1"), @"
    $ pointsman deploy shop@production 1.9.1
    --- stdout
    HOST  WAVE  STATE        TOOK   JOB
    web1     1  rolled back  6.1s  8121
    web2     2  cancelled       -  8122
    web3     2  cancelled       -  8123
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> web1 installing
    <time> web2 installing
    <time> web3 installing
    <time> installing 0 of 3 hosts
    <time> web1 switching
    <time> web2 installed
    <time> web3 installed
    <time> switching wave 1 of 2
    <time> web1 failed: health check answered 502 for 2m00
    <time> web1 rolling back: health check answered 502 for 2m00
    <time> rolling back to 1.9.0: 0 of 1 hosts: failed on web1: health check answered 502 for 2m00
    <time> web1 rolled back in 6.1s
    <time> web2 cancelled
    <time> web3 cancelled
    error: deployment #812 failed and was rolled back; shop@production runs 1.9.0
    cause: failed on web1: health check answered 502 for 2m00
     help: pointsman logs 812; pointsman status shop@production
    --- exit 8
    ");
}

#[test]
fn a_deployment_whose_build_fails() {
    let (_coordinator, lucy) = story(Story::Fails);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1 --build"), @"
    $ pointsman deploy shop@production 1.9.1 --build
    --- stdout
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> building 1.9.1
    error: deployment #812 failed
    cause: the build of 1.9.1 failed: npm ci exited with 1
     help: pointsman logs 812; pointsman status shop@production
    --- exit 1
    ");
}

#[test]
fn a_deployment_that_pauses_ends_the_wait_and_offers_the_choice() {
    let (coordinator, lucy) = story(Story::Pauses);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1"), @"
    $ pointsman deploy shop@production 1.9.1
    --- stdout
    HOST  WAVE  STATE       JOB  NOTE
    web1     1  failed     8121  health check answered 502 for 2m00
    web2     2  installed  8122  -
    web3     2  installed  8123  -
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> web1 installing
    <time> web2 installing
    <time> web3 installing
    <time> installing 0 of 3 hosts
    <time> web1 switching
    <time> web2 installed
    <time> web3 installed
    <time> switching wave 1 of 2
    <time> web1 failed: health check answered 502 for 2m00
    <time> paused a person decides: failed on web1: health check answered 502 for 2m00
    error: deployment #812 is paused and waits for a decision
    cause: failed on web1: health check answered 502 for 2m00
     help: pointsman retry 812 | pointsman skip 812 HOST | pointsman decide 812 continue | pointsman decide 812 rollback | pointsman cancel 812 | pointsman logs 812
    --- exit 1
    ");
    insta::assert_snapshot!(lucy.runs("decide 812 rollback"), @"
    $ pointsman decide 812 rollback
    --- stdout
    HOST  WAVE  STATE        TOOK   JOB
    web1     1  rolled back  6.1s  8121
    web2     2  cancelled       -  8122
    web3     2  cancelled       -  8123
    --- stderr
    <time> decided deployment #812 rolls back
    <time> web1 rolling back: health check answered 502 for 2m00
    <time> web2 installed
    <time> web3 installed
    <time> rolling back to 1.9.0: 0 of 1 hosts: failed on web1: health check answered 502 for 2m00
    <time> web1 rolled back in 6.1s
    <time> web2 cancelled
    <time> web3 cancelled
    <time> rolled back shop@production 1.9.1 -> 1.9.0 in 41.0s
            Undo  pointsman deploy shop@production 1.9.1
    --- exit 0
    ");
    drop(coordinator);
}

#[test]
fn a_deployment_that_paused_goes_on() {
    let (_coordinator, lucy) = story(Story::Pauses);
    assert_eq!(lucy.runs("deploy shop@production 1.9.1 -q").exit, 1);
    insta::assert_snapshot!(lucy.runs("resume 812"), @"
    $ pointsman resume 812
    --- stdout
    HOST  WAVE  STATE  TOOK   JOB
    web1     1  live   6.1s  8121
    web2     2  live   6.1s  8122
    web3     2  live   6.1s  8123
    --- stderr
    <time> decided deployment #812 goes on
    <time> web1 failed: health check answered 502 for 2m00
    <time> web2 switching
    <time> web3 switching
    <time> switching wave 2 of 2
    <time> web1 live in 6.1s
    <time> web2 live in 6.1s
    <time> web3 live in 6.1s
    <time> live shop@production 1.9.1 on 3/3 hosts in 41.0s
            Undo  pointsman rollback shop@production 1.9.0
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("resume 812"), @"
    $ pointsman resume 812
    --- stderr
    error: deployment #812 does not wait for a decision
    cause: it is over
     help: pointsman deployments
    --- exit 5
    ");
}

#[test]
fn a_rollback_by_hand() {
    let (_coordinator, lucy) = story(Story::GoesLive);
    insta::assert_snapshot!(lucy.runs("rollback shop@production -o plain"), @"
    $ pointsman rollback shop@production -o plain
    --- stdout
    web1	1	live	6100	8121	
    web2	2	live	6100	8122	
    web3	2	live	6100	8123	
    --- stderr
    <time> requested rollback #812: shop@production 1.9.0 -> 1.8.9
    <time> waiting about to start
    <time> web1 installing
    <time> web2 installing
    <time> web3 installing
    <time> installing 0 of 3 hosts
    <time> web1 switching
    <time> web2 installed
    <time> web3 installed
    <time> switching wave 1 of 2
    <time> web1 live in 6.1s
    <time> web2 switching
    <time> web3 switching
    <time> switching wave 2 of 2
    <time> web2 live in 6.1s
    <time> web3 live in 6.1s
    <time> live shop@production 1.8.9 on 3/3 hosts in 41.0s
            Undo  pointsman deploy shop@production 1.9.0
    --- exit 0
    ");
}

#[test]
fn a_rollback_of_an_open_deployment() {
    let (_coordinator, lucy) = story(Story::Stays);
    lucy.runs("deploy shop@production 1.9.1 --detach");
    let run = lucy.runs("rollback shop@production -q");
    assert_eq!(run.exit, 0, "{run}");
}

#[test]
fn a_deployment_that_is_left_alone() {
    let (_coordinator, lucy) = story(Story::Stays);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1 --detach"), @"
    $ pointsman deploy shop@production 1.9.1 --detach
    --- stdout
     NO  TARGET           RELEASE  FROM   KIND    STATE    AGE  BY    NOTE
    812  shop@production  1.9.1    1.9.0  deploy  waiting   2m  lucy  about to start
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
            Next  pointsman watch 812
            Undo  pointsman cancel 812
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("cancel 812 --reason 'wrong one'"), @"
    $ pointsman cancel 812 --reason 'wrong one'
    --- stdout
     NO  TARGET           RELEASE  FROM   KIND    STATE      AGE  BY    NOTE
    812  shop@production  1.9.1    1.9.0  deploy  cancelled   2m  lucy  wrong one
    --- stderr
       Cancelled  deployment #812 is cancelled
            Undo  pointsman deploy shop@production 1.9.1
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("watch 812"), @"
    $ pointsman watch 812
    --- stdout
    HOST  WAVE  STATE     JOB
    web1     1  waiting  8121
    web2     2  waiting  8122
    web3     2  waiting  8123
    --- stderr
    error: deployment #812 was cancelled
    cause: wrong one
     help: pointsman deploy shop@production 1.9.1
    --- exit 3
    ");
    insta::assert_snapshot!(lucy.runs("deployments shop@production"), @"
    $ pointsman deployments shop@production
    --- stdout
     NO  TARGET           RELEASE  FROM   KIND    STATE      AGE  BY    NOTE
    812  shop@production  1.9.1    1.9.0  deploy  cancelled   2m  lucy  wrong one
    --- exit 0
    ");
}

#[test]
fn json_is_one_object_per_line_while_following() {
    let (_coordinator, lucy) = story(Story::GoesLive);
    let run = lucy.runs("deploy shop@production 1.9.1 -o json -q");
    let lines = run.json_lines();
    assert_eq!(lines.first().unwrap()["deployment"]["state"], "waiting");
    assert_eq!(lines.last().unwrap()["deployment"]["state"], "live");
    let events: Vec<_> = lines
        .iter()
        .filter_map(|line| line["event"]["cursor"].as_i64())
        .collect();
    // The last event may come after the state it tells of was read.
    assert!(events.starts_with(&[1, 2, 3, 4, 5]), "{run}");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_lost_answer_does_not_make_a_second_deployment() {
    let (coordinator, lucy) = story(Story::GoesLive);
    coordinator.world().answers_to_lose = 2;
    let run = lucy.runs("deploy shop@production 1.9.1 --detach -v");
    assert_eq!(run.exit, 0, "{run}");
    assert_eq!(coordinator.world().deployments.len(), 1);
}

#[test]
fn the_time_given_is_up() {
    let (_coordinator, lucy) = story(Story::Stays);
    insta::assert_snapshot!(lucy.runs("deploy shop@production 1.9.1 --timeout 4s"), @"
    $ pointsman deploy shop@production 1.9.1 --timeout 4s
    --- stderr
    <time> requested deploy #812: shop@production 1.9.0 -> 1.9.1
    <time> waiting about to start
    <time> web1 installing
    <time> web2 installing
    <time> web3 installing
    <time> installing 0 of 3 hosts
    error: deployment #812 is still running after 4.0s
     help: pointsman watch 812
    --- exit 7
    ");
}

#[test]
fn policies_for_this_once_reach_the_coordinator() {
    let (_coordinator, lucy) = story(Story::GoesLive);
    assert_eq!(
        lucy.runs("deploy shop@production 1.9.1 -d --waves 1,100% --on-failure rollback")
            .exit,
        0
    );
    assert_eq!(
        lucy.runs("deploy shop@production 1.9.1 -d --on-failure explode")
            .exit,
        2
    );
}
