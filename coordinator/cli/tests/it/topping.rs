//! `top`: everything that moves, on one screen.

use pointsman_shared::api::jobs::{JobState, Step};
use pointsman_shared::outcome::JobKind;

use crate::coordinator::{Coordinator, Story};
use crate::person::Person;

fn busy() -> Coordinator {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().story = Story::Stays;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    let mut world = coordinator.world();
    let job = world.add_job(8121, JobKind::Install, "web1", Some(812));
    job.steps = vec![Step {
        epoch: 1,
        ordinal: 2,
        name: "fetch archive".to_owned(),
        state: "running".to_owned(),
        duration_ms: None,
    }];
    let job = world.add_job(8122, JobKind::Install, "web2", Some(812));
    job.state = JobState::Deferred;
    job.reason = Some("its host is absent".to_owned());
    world.hosts[1].seen = false;
    world.hosts[1].problems = vec!["its agent was last heard at 2026-11-20 12:00:00 UTC".to_owned()];
    drop(world);
    coordinator
}

#[test]
fn without_a_terminal_it_is_one_look() {
    let coordinator = busy();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("top"), @"
    $ pointsman top
    --- stdout
    Deployments
     NO  TARGET           RELEASE  STATE       AGE  BY    STAGE
    812  shop@production  1.9.1    installing   2m  lucy  installing: 0 of 3 hosts
    At work
     JOB  KIND     SUBJECT                HOST  SINCE  STEP
    8121  install  shop@production 1.9.1  web1     2m  fetch archive
    Waiting
     JOB  KIND     STATE     SUBJECT                HOST  AGE  WHY
    8122  install  deferred  shop@production 1.9.1  web2   2m  its host is absent
    Not well
    HOST  STATE   SEEN  PROBLEMS
    web2  absent    2m  its agent was last heard at 2026-11-20 12:00:00 UTC
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("top -o plain"), @"
    $ pointsman top -o plain
    --- stdout
    deployment	812	shop@production	installing	installing: 0 of 3 hosts
    job	8121	web1	running	fetch archive
    job	8122	web2	deferred	its host is absent
    host	web2	web2	absent	its agent was last heard at 2026-11-20 12:00:00 UTC
    --- exit 0
    ");
    assert_eq!(lucy.runs("top -o json").json()["running"][0]["number"], 8121);
    let idle = Coordinator::start();
    insta::assert_snapshot!(Person::lucy(&idle).runs("top"), @"
    $ pointsman top
    --- stdout
    Deployments: none is open
    At work: no job
    Waiting: no job
    Not well: no host
    --- exit 0
    ");
}

#[test]
fn at_a_terminal_it_is_redrawn_until_q_is_pressed() {
    let coordinator = busy();
    let lucy = Person::lucy(&coordinator);
    let mut sitting = lucy.types(80, "top");
    sitting.sees("fetch archive").sees("12:00:00 UTC");
    insta::assert_snapshot!(sitting.screen(), @"
    http://coordinator  2 of 3 hosts well  (q leaves)
    Deployments
     NO  TARGET           RELEASE  STATE       AGE  BY    STAGE
    812  shop@production  1.9.1    installing   2m  lucy  installing: 0 of 3 hosts
    At work
     JOB  KIND     SUBJECT                HOST  SINCE  STEP
    8121  install  shop@production 1.9.1  web1     2m  fetch archive
    Waiting
     JOB  KIND     STATE     SUBJECT                HOST  AGE  WHY
    8122  install  deferred  shop@production 1.9.1  web2   2m  its host is absent
    Not well
    HOST  STATE   SEEN  PROBLEMS
    web2  absent    2m  its agent was last heard at 2026-11-20 12:00:00 UTC
    ");
    coordinator.world().jobs[0].steps[0].name = "unpack".to_owned();
    sitting.sees("unpack");
    assert!(!sitting.screen().contains("fetch archive"));
    sitting.answers("q");
    let screen = sitting.ends();
    assert_eq!((screen.text.as_str(), screen.exit), ("", 0));
}

#[test]
fn a_wide_terminal_shows_more_and_ctrl_c_leaves() {
    let coordinator = busy();
    let lucy = Person::lucy(&coordinator);
    let sitting = lucy.types(200, "top");
    sitting.sees("fetch archive").sees("12:00:00 UTC");
    insta::assert_snapshot!(sitting.screen(), @"
    http://coordinator  2 of 3 hosts well  (q leaves)
    Deployments
     NO  TARGET           RELEASE  STATE       AGE  BY    STAGE
    812  shop@production  1.9.1    installing   2m  lucy  installing: 0 of 3 hosts
    At work
     JOB  KIND     SUBJECT                HOST  SINCE  STEP
    8121  install  shop@production 1.9.1  web1     2m  fetch archive
    Waiting
     JOB  KIND     STATE     SUBJECT                HOST  AGE  WHY
    8122  install  deferred  shop@production 1.9.1  web2   2m  its host is absent
    Not well
    HOST  STATE   SEEN  PROBLEMS
    web2  absent    2m  its agent was last heard at 2026-11-20 12:00:00 UTC
    ");
    sitting.interrupts();
    assert_eq!(sitting.ends().exit, 0);
}

#[test]
fn a_coordinator_that_is_away_for_a_moment_is_borne_with() {
    let coordinator = busy();
    let lucy = Person::lucy(&coordinator);
    let mut sitting = lucy.types(200, "top");
    sitting.sees("fetch archive");
    coordinator.world().is_away = true;
    sitting.sees("this is how it was");
    coordinator.world().is_away = false;
    coordinator.world().jobs[0].steps[0].name = "unpack".to_owned();
    sitting.sees("unpack");
    sitting.answers("q");
    assert_eq!(sitting.ends().exit, 0);
}
