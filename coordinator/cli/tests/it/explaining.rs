//! `why`: from the wish to the host.

use pointsman_shared::api::jobs::{JobState, Step};
use pointsman_shared::outcome::JobKind;

use crate::coordinator::{Coordinator, Story, World, held};
use crate::person::Person;

fn settled() -> Coordinator {
    let coordinator = Coordinator::start();
    coordinator.world().settled = true;
    coordinator
}

#[test]
fn a_deployment_that_holds_names_the_job_and_what_to_do() {
    let coordinator = settled();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().story = Story::Pauses;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    {
        let mut world = coordinator.world();
        for _ in 0..4 {
            world.advance(812);
        }
        let job = world.add_job(8121, JobKind::Activate, "web1", Some(812));
        job.state = JobState::Failed;
        job.reason = Some("000042-3f9c1e20ab12 is live but not healthy: it answered 502".to_owned());
    }
    insta::assert_snapshot!(lucy.runs("why 812"), @"
    $ pointsman why 812
    --- stdout
    deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now paused: a person decides: failed on web1: health check answered 502 for 2m00
        -> pointsman retry 812 | pointsman skip 812 HOST | pointsman decide 812 continue | pointsman decide 812 rollback | pointsman cancel 812
      job #8121  activate on web1 failed: 000042-3f9c1e20ab12 is live but not healthy: it answered 502
          -> pointsman logs --job 8121
        host web1  heard 2m ago; well, works on 0 jobs
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(80, "why 812").ends(), @"
    deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now paused: a per
    son decides: failed on web1: health check answered 502 for 2m00
        -> pointsman retry 812 | pointsman skip 812 HOST | pointsman decide 812 cont
    inue | pointsman decide 812 rollback | pointsman cancel 812
      job #8121  activate on web1 failed: 000042-3f9c1e20ab12 is live but not health
    y: it answered 502
          -> pointsman logs --job 8121
        host web1  heard 2m ago; well, works on 0 jobs
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(200, "why --job 8121").ends(), @"
    deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now paused: a person decides: failed on web1: health check answered 502 for 2m00
        -> pointsman retry 812 | pointsman skip 812 HOST | pointsman decide 812 continue | pointsman decide 812 rollback | pointsman cancel 812
      job #8121  activate on web1 failed: 000042-3f9c1e20ab12 is live but not healthy: it answered 502
          -> pointsman logs --job 8121
        host web1  heard 2m ago; well, works on 0 jobs
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("why 812 -o plain"), @"
    $ pointsman why 812 -o plain
    --- stdout
    0	deployment #812	lucy wished 1.9.1 for shop@production 2m ago; now paused: a person decides: failed on web1: health check answered 502 for 2m00	pointsman retry 812 | pointsman skip 812 HOST | pointsman decide 812 continue | pointsman decide 812 rollback | pointsman cancel 812
    1	job #8121	activate on web1 failed: 000042-3f9c1e20ab12 is live but not healthy: it answered 502	pointsman logs --job 8121
    2	host web1	heard 2m ago; well, works on 0 jobs	
    --- exit 0
    ");
    assert_eq!(lucy.runs("why 812 -o json").json()[1]["about"], "job #8121");
}

/// #812 installs on three hosts, of which one is absent; #813 waits behind it; everything is stopped.
fn one_waits_behind_another(world: &mut World) {
    world.advance(812);
    world.journeys.clear();
    world.targets[0].open_deployment = Some(812);
    let behind = &mut world.deployments[1];
    "waiting behind #812".clone_into(&mut behind.summary);
    let hosts = &mut world.deployments[0].hosts;
    "deferred".clone_into(&mut hosts[1].state);
    hosts[1].reason = Some("its host is absent".to_owned());
    "installed".clone_into(&mut hosts[2].state);
    let job = world.add_job(8121, JobKind::Install, "web1", Some(812));
    job.steps = vec![Step {
        epoch: 1,
        ordinal: 2,
        name: "fetch archive".to_owned(),
        state: "running".to_owned(),
        duration_ms: None,
    }];
    world.add_job(8122, JobKind::Install, "web2", Some(812)).state = JobState::Deferred;
    world.hosts[1].seen = false;
    world.hosts[1].problems = vec!["its agent was last heard at 2026-11-20 12:00:00 UTC".to_owned()];
    world.locks.push(held(None, "the cooling fails"));
}

#[test]
fn a_deployment_that_waits_names_what_it_waits_for() {
    let coordinator = settled();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().story = Story::Stays;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    lucy.runs("deploy shop@production 1.9.0 --detach");
    one_waits_behind_another(&mut coordinator.world());
    insta::assert_snapshot!(lucy.runs("why 813"), @r#"
    $ pointsman why 813
    --- stdout
    deployment #813  lucy wished 1.9.0 for shop@production 2m ago; now waiting behind #812
        -> it begins by itself; pointsman cancel 813 if it must not
    everything  lucy stopped it: the cooling fails; only rollbacks go on
        -> pointsman resume, once its reason is gone
      deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now installing: 0 of 3 hosts
          -> pointsman watch 812
        job #8121  install on web1 works since 2m, at the step "fetch archive"
            -> pointsman logs --job 8121 -f
          host web1  heard 2m ago; well, works on 0 jobs
        job #8122  install on web2 waits for its host to come back: its host is absent
            -> nothing: it is done by itself once the host is seen
          host web2  heard 2m ago; its agent was last heard at 2026-11-20 12:00:00 UTC
              -> on the host: systemctl status pointsman-agent; journalctl -u pointsman-agent -n 50
    --- exit 0
    "#);
    insta::assert_snapshot!(lucy.runs("why 812"), @r#"
    $ pointsman why 812
    --- stdout
    deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now installing: 0 of 3 hosts
        -> pointsman watch 812
    everything  lucy stopped it: the cooling fails; only rollbacks go on
        -> pointsman resume, once its reason is gone
      job #8121  install on web1 works since 2m, at the step "fetch archive"
          -> pointsman logs --job 8121 -f
        host web1  heard 2m ago; well, works on 0 jobs
      job #8122  install on web2 waits for its host to come back: its host is absent
          -> nothing: it is done by itself once the host is seen
        host web2  heard 2m ago; its agent was last heard at 2026-11-20 12:00:00 UTC
            -> on the host: systemctl status pointsman-agent; journalctl -u pointsman-agent -n 50
    --- exit 0
    "#);
}

#[test]
fn a_failed_build_is_the_reason_of_a_failed_deployment() {
    let coordinator = settled();
    let lucy = Person::lucy(&coordinator);
    coordinator.world().story = Story::Fails;
    lucy.runs("deploy shop@production 1.9.1 --detach");
    {
        let mut world = coordinator.world();
        world.advance(812);
        world.advance(812);
        world.deployments[0].hosts.clear();
        world.releases[1].built_at = None;
        let job = world.add_job(8042, JobKind::Build, "builder1", None);
        job.state = JobState::Failed;
        job.reason = Some("npm ci exited with 1".to_owned());
        world.add_host("builder1");
    }
    insta::assert_snapshot!(lucy.runs("why 812"), @"
    $ pointsman why 812
    --- stdout
    deployment #812  lucy wished 1.9.1 for shop@production 2m ago; now failed: the build of 1.9.1 failed: npm ci exited with 1
        -> pointsman logs 812; once it is mended, build the new commit: pointsman build shop --ref REF
      job #8042  build on builder1 failed: npm ci exited with 1
          -> pointsman logs --job 8042
        host builder1  heard 2m ago; well, works on 0 jobs
    --- exit 0
    ");
}

#[test]
fn a_target_tells_locks_drift_and_unknown_migrations() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    {
        let mut world = coordinator.world();
        world
            .locks
            .push(held(Some("shop@production"), "the audit of June"));
        world.targets[0].placements[1].drift = Some("runs 1.8.2, which nobody asked for".to_owned());
        world.targets[0].placements[2].health = "unhealthy".to_owned();
        world.add_job(8118, JobKind::Migrate, "web1", None).state = JobState::Indeterminate;
        world.jobs[0].target = Some("shop@production".parse().unwrap());
    }
    insta::assert_snapshot!(lucy.runs("why shop@production"), @"
    $ pointsman why shop@production
    --- stdout
    shop@production  should run 1.9.0 on 3 hosts
      lock of shop@production  lucy locked it: the audit of June; new wishes are refused
          -> pointsman unlock shop@production
      job #8118  migrate on web1 was begun, and nobody knows what it did
          -> the ledger is read again by itself; else look at the database, then pointsman migrations mark shop@production NAME applied|pending
        host web1  heard 2m ago; well, works on 0 jobs
      shop@production on web2  runs 1.8.2, which nobody asked for
          -> drift is never mended unasked: pointsman deploy shop@production 1.9.0
      shop@production on web3  runs 1.9.0, and its health check fails
          -> pointsman logs shop@production --host web3; pointsman rollback shop@production
    --- exit 0
    ");
    coordinator.world().settled = true;
    insta::assert_snapshot!(lucy.runs("why shop@beta"), @"
    $ pointsman why shop@beta
    --- stdout
    shop@beta  nothing was live on its 1 host yet
        -> pointsman deploy shop@beta RELEASE
    --- exit 0
    ");
    assert_eq!(lucy.runs("why shop@nowhere").exit, 6);
}

#[test]
fn a_host_tells_what_waits_for_it() {
    let coordinator = settled();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("why web1"), @"
    $ pointsman why web1
    --- stdout
    host web1  heard 2m ago; well, works on 0 jobs
    --- exit 0
    ");
    {
        let mut world = coordinator.world();
        world.add_job(8121, JobKind::Activate, "web1", None).state = JobState::Offered;
        world.hosts[0].problems = vec!["its clock is 9.0 s behind".to_owned()];
    }
    insta::assert_snapshot!(lucy.runs("why web1"), @"
    $ pointsman why web1
    --- stdout
    host web1  heard 2m ago; its clock is 9.0 s behind
        -> pointsman doctor names the cure of each
      job #8121  activate on web1 is offered since 2m, and nobody has taken it
          -> it is offered again by itself; pointsman hosts ls shows who could take it
    --- exit 0
    ");
    assert_eq!(lucy.runs("why web9").exit, 6);
    assert_eq!(lucy.runs("why").exit, 2);
}
