//! What is not as it should be, and how it is called: paused, late, without a recipe.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn a_target_whose_deployment_waits_for_a_person_is_paused() {
    let coordinator = Coordinator::start();
    {
        let mut world = coordinator.world();
        let target = &mut world.targets[0];
        target.open_deployment = Some(812);
        target.paused = true;
        for placement in &mut target.placements[1..] {
            placement.drift = Some("the agent may not work in /srv/shop".to_owned());
        }
    }
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "status").ends(), @"
    PROJECT  BETA         PRODUCTION        NOTE
    shop     - empty 0/1  1.9.0 paused 1/3  deployment #812 waits for a person: pointsman why 812; web2, web3: the agent may not work in /srv/shop
    --- exit 0
    ");
}

#[test]
fn a_host_that_missed_two_beats_is_late() {
    let coordinator = Coordinator::start();
    {
        let mut world = coordinator.world();
        world.targets[0].placements[0].late = true;
        let host = &mut world.hosts[0];
        host.late = true;
        host.problems = vec!["late: its agent was last heard at 2026-11-20 12:00:00 UTC".to_owned()];
    }
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "hosts").ends(), @"
    HOST  STATE  SEEN  RUNNING   FREE  AGENT  LABELS    PROBLEMS
    web1  late     2m        0  52 GB  0.1.0  role=web  late: its agent was last heard at 2026-11-20 12:00:00 UTC
    web2  ok       2m        0  52 GB  0.1.0  role=web  -
    web3  ok       2m        0  52 GB  0.1.0  role=web  -
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(200, "status").ends(), @"
    PROJECT  BETA         PRODUCTION      NOTE
    shop     - empty 0/1  1.9.0 late 3/3  web1: late
    --- exit 0
    ");
}

#[test]
fn a_host_whose_agent_was_stopped_is_stopped_before_it_is_missed() {
    let coordinator = Coordinator::start();
    {
        let mut world = coordinator.world();
        world.targets[0].placements[1].stopped = true;
        let host = &mut world.hosts[1];
        host.stopped_at = host.last_seen_at;
        host.problems = vec!["its agent was stopped at 2026-11-20 12:00:00 UTC".to_owned()];
    }
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(200, "hosts").ends(), @"
    HOST  STATE    SEEN  RUNNING   FREE  AGENT  LABELS    PROBLEMS
    web1  ok         2m        0  52 GB  0.1.0  role=web  -
    web2  stopped    2m        0  52 GB  0.1.0  role=web  its agent was stopped at 2026-11-20 12:00:00 UTC
    web3  ok         2m        0  52 GB  0.1.0  role=web  -
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(200, "status").ends(), @"
    PROJECT  BETA         PRODUCTION         NOTE
    shop     - empty 0/1  1.9.0 unknown 3/3  web2: its agent is stopped
    --- exit 0
    ");
    let why = lucy.runs("why web2");
    assert!(
        why.stdout
            .contains("-> on the host: systemctl start pointsman-agent"),
        "{why}"
    );
}

#[test]
fn a_release_without_a_recipe_says_so() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let built = lucy.runs("build shop --ref bare");
    assert!(built.stderr.contains("warning: no pointsman.toml at"), "{built}");
    coordinator.world().releases[0].has_recipe = false;
    insta::assert_snapshot!(lucy.runs("versions shop 1.9.0"), @"
    $ pointsman versions shop 1.9.0
    --- stdout
    release   shop 1.9.0
    number    41
    state     built
    failure   -
    recipe    no pointsman.toml at 3f9c1e20ab: the commit's tree is the release, nothing is built or checked
    ref       1.9.0
    commit    3f9c1e20ab12ffee
    subject   Fix the rounding of VAT
    author    Ana
    digest    -
    folder    -
    size      41 MB
    entries   1204
    live on   shop@production
    job       8041
    asked by  lucy
    asked     <time> (2h ago)
    built     <time> (2h ago)
    --- exit 0
    ");
}
