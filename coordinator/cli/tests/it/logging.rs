//! Logs: merged by time, for people and for scripts.

use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::outcome::JobKind;

use crate::coordinator::{Coordinator, Story};
use crate::person::Person;

/// A finished deployment whose two hosts wrote at the same time.
fn logged() -> (Coordinator, Person) {
    let coordinator = Coordinator::start();
    let mut world = coordinator.world();
    world.story = Story::Stays;
    world.wish("deploy", "shop@production", "1.9.1");
    world.deployments[0].state = DeploymentState::Live;
    world.targets[0].open_deployment = None;
    world.journeys.clear();
    for (job, host) in [(8_121, "web1"), (8_122, "web2")] {
        world.add_job(job, JobKind::Activate, host, Some(812)).state = JobState::Succeeded;
    }
    world.write_log(
        8_121,
        &[
            (1, "fetching"),
            (4, "switched"),
            (6, "\u{1b}[31mhealth 502\u{1b}[0m"),
            (7, "health 200"),
        ],
    );
    world.write_log(8_122, &[(2, "fetching"), (3, "verified"), (5, "switched")]);
    drop(world);
    let lucy = Person::lucy(&coordinator);
    (coordinator, lucy)
}

#[test]
fn hosts_are_merged_by_time() {
    let (_coordinator, lucy) = logged();
    insta::assert_snapshot!(lucy.runs("logs shop@production"), @"
    $ pointsman logs shop@production
    --- stdout
    web1 | fetching
    web2 | fetching
    web2 | verified
    web1 | switched
    web2 | switched
    web1 | health 502
    web1 | health 200
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(80, "logs '#812' --times").ends(), @"
    12:00:01.000 web1 | fetching
    12:00:02.000 web2 | fetching
    12:00:03.000 web2 | verified
    12:00:04.000 web1 | switched
    12:00:05.000 web2 | switched
    12:00:06.000 web1 | health 502
    12:00:07.000 web1 | health 200
    --- exit 0
    ");
}

#[test]
fn lines_are_picked() {
    let (_coordinator, lucy) = logged();
    insta::assert_snapshot!(lucy.runs("logs 812 --host web1 --grep health"), @"
    $ pointsman logs 812 --host web1 --grep health
    --- stdout
    web1 | health 502
    web1 | health 200
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("logs 812 -n 2 -o plain"), @"
    $ pointsman logs 812 -n 2 -o plain
    --- stdout
    <time>	web1	switch	health 502
    <time>	web1	switch	health 200
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("logs 812 --grep nothing"), @"
    $ pointsman logs 812 --grep nothing
    --- stderr
            Note  no such lines
    --- exit 0
    ");
}

#[test]
fn a_line_of_json_is_whole() {
    let (_coordinator, lucy) = logged();
    let lines = lucy.runs("logs --job 8121 -o json").json_lines();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1]["line"]["text"], "switched");
    assert_eq!(lines[1]["line"]["host"], "web1");
    assert_eq!(lines[1]["line"]["line"], 2);
}

#[test]
fn missing_lines_are_told() {
    let (coordinator, lucy) = logged();
    let mut world = coordinator.world();
    let line = &mut world.logs.get_mut(&(8_121, 1)).unwrap()[1];
    line.gap = 1;
    "the spool was full".clone_into(&mut line.text);
    drop(world);
    insta::assert_snapshot!(lucy.runs("logs --job 8121"), @"
    $ pointsman logs --job 8121
    --- stdout
    fetching
    ... 1 line missing: the spool was full
    health 502
    health 200
    --- exit 0
    ");
}

#[test]
fn following_goes_on_until_nothing_more_comes() {
    let (coordinator, lucy) = logged();
    coordinator.world().deployments[0].state = DeploymentState::Switching;
    coordinator.world().jobs[0].state = JobState::Running;
    let sitting = lucy.types(80, "logs -f 812");
    sitting.sees("health 200");
    {
        let mut world = coordinator.world();
        world.write_log(8_121, &[(9, "all is well")]);
        world.jobs[0].state = JobState::Succeeded;
        world.deployments[0].state = DeploymentState::Live;
    }
    insta::assert_snapshot!(sitting.ends(), @"
    web1 | fetching
    web2 | fetching
    web2 | verified
    web1 | switched
    web2 | switched
    web1 | health 502
    web1 | health 200
    web1 | all is well
    --- exit 0
    ");
}

#[test]
fn the_log_of_a_build_is_found_by_its_release() {
    let (coordinator, lucy) = logged();
    coordinator
        .world()
        .add_job(8_041, JobKind::Build, "builder1", None)
        .state = JobState::Succeeded;
    coordinator.world().write_log(8_041, &[(1, "npm ci")]);
    assert_eq!(lucy.runs("logs shop 1.9.0").stdout, "npm ci\n");
    assert_eq!(lucy.runs("logs shop@production 1.9.0").exit, 2);
    assert_eq!(lucy.runs("logs shop@beta").exit, 6);
}

#[test]
fn events_are_replayed_and_counted() {
    let (_coordinator, lucy) = logged();
    insta::assert_snapshot!(lucy.runs("events --after 0 -n 1"), @"
    $ pointsman events --after 0 -n 1
    --- stdout
    <time> deployment.requested    requested by lucy
    --- exit 0
    ");
    let run = lucy.runs("events --after 0 -n 1 -o json");
    assert_eq!(run.json_lines()[0]["event"]["kind"], "deployment.requested");
    assert_eq!(lucy.runs("events --timeout 1s").exit, 7);
}
