//! Switching: what is live, what the fence says, what hooks and health decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pointsman_agent::executor::{Execution, execute};
use pointsman_agent::layout::{PlacementFacts, SwitchPhase, state_digest};
use pointsman_agent::lease::{BootInstant, lease};
use pointsman_shared::ids::Generation;
use pointsman_shared::outcome::{Effect, Outcome, Phase, Product};

use crate::machine::{LISTED_HOOK, Machine, failure};
use crate::world::long_lease;

#[tokio::test]
async fn a_switch_runs_its_hooks_around_the_link_and_tells_the_fence() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.install(&two).await;
    machine.switch(&one, 1).await;
    let done = machine.perform(2, 1, &machine.switch_order(&two, 2)).await;
    let product = Product::Switched {
        from: Some(one.folder.clone()),
        current: two.folder.clone(),
    };
    assert_eq!(done, Execution::Ended(Outcome::Succeeded { product }));
    assert_eq!(machine.current(), Some(two.folder.clone()));
    assert_eq!(machine.effects(), ["before 1", "after 1", "before 2", "after 2"]);
    let fence = machine.fence();
    assert_eq!(
        (fence.generation, fence.phase),
        (Generation(2), SwitchPhase::Done)
    );
    assert_eq!((fence.from, fence.to), (Some(one.folder), Some(two.folder)));
    assert!(machine.root().progress().unwrap().is_none());
}

#[tokio::test]
async fn old_decisions_stale_epochs_and_strange_jobs_do_not_pass() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.install(&two).await;
    machine.switch(&two, 5).await;
    let effects = machine.effects();
    for (job, epoch, generation) in [(4, 9, 4), (6, 1, 5), (5, 0, 5)] {
        let done = machine
            .perform(job, epoch, &machine.switch_order(&one, generation))
            .await;
        assert_eq!(failure(&done).0, "fence_refused", "{done:?}");
    }
    assert_eq!(machine.current(), Some(two.folder.clone()));
    assert_eq!(machine.effects(), effects, "no hook runs for a refused decision");
    let again = machine.perform(5, 2, &machine.switch_order(&two, 5)).await;
    assert!(
        matches!(again, Execution::Ended(Outcome::Succeeded { .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_failing_before_hook_leaves_everything_as_it_was() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.install(&two).await;
    machine.switch(&one, 1).await;
    let mut order = machine.switch_order(&two, 2);
    order["hooks"]["before"] = serde_json::json!([["bin/hook", "before"], ["false", "--not-listed"]]);
    let done = machine.perform(2, 1, &order).await;
    assert_eq!(failure(&done).0, "hook_refused");
    order["hooks"]["before"] = serde_json::json!([["bin/hook", "${COLOUR}"], ["bin/hook", "${NOPE}"]]);
    let done = machine.perform(2, 2, &order).await;
    assert_eq!(failure(&done).0, "variable_missing");
    assert!(matches!(
        done,
        Execution::Ended(Outcome::Failed {
            effect: Effect::None,
            ..
        })
    ));
    assert!(machine.effects().contains(&"green 2".to_owned()));
    assert_eq!(machine.current(), Some(one.folder));
    assert_eq!(machine.fence().generation, Generation(1));
}

#[tokio::test]
async fn a_failing_after_hook_says_that_the_release_is_live() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    machine.install(&one).await;
    let mut order = machine.switch_order(&one, 1);
    order["hooks"]["after"] = serde_json::json!([LISTED_HOOK, ["bin/hook", "fail"]]);
    let done = machine.perform(1, 1, &order).await;
    assert!(
        matches!(
            done,
            Execution::Ended(Outcome::Failed {
                phase: Phase::AfterHook,
                effect: Effect::Done,
                ..
            })
        ),
        "{done:?}"
    );
    assert_eq!(machine.current(), Some(one.folder));
    assert_eq!(
        machine.fence().phase,
        SwitchPhase::Done,
        "the decision has run to its end"
    );
}

#[tokio::test]
async fn what_would_be_refused_after_the_switch_is_refused_before_it() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    machine.install(&one).await;
    let health = |probe: serde_json::Value| {
        serde_json::json!({
            "probe": probe, "passes": 1, "interval_ms": 10, "deadline_ms": 1000, "asserts_release": false,
        })
    };
    let unlisted = serde_json::json!({ "probe": "command", "argv": ["test", "-f", "index.html"] });
    let unset = serde_json::json!({ "probe": "http", "url": "http://127.0.0.1:${NOBODY_SET_THIS}/" });
    for (after, health, code) in [
        (
            serde_json::json!([["bin/version"]]),
            serde_json::Value::Null,
            "hook_refused",
        ),
        (serde_json::json!([]), health(unlisted), "hook_refused"),
        (serde_json::json!([]), health(unset), "variable_missing"),
    ] {
        let mut order = machine.switch_order(&one, 1);
        order["hooks"]["after"] = after;
        order["health"] = health;
        let done = machine.perform(1, 1, &order).await;
        assert_eq!(failure(&done).0, code, "{done:?}");
        assert_eq!(machine.current(), None, "nothing was switched");
    }
    machine.switch(&one, 2).await;
}

#[tokio::test]
async fn an_empty_command_is_refused_and_the_switch_called_off() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    machine.install(&one).await;
    for empty in [serde_json::json!([[]]), serde_json::json!([[""]])] {
        let mut order = machine.switch_order(&one, 1);
        order["hooks"]["before"] = empty;
        let done = machine.perform(1, 1, &order).await;
        assert_eq!(failure(&done).0, "hook_refused", "{done:?}");
        assert_eq!(machine.current(), None);
    }
    machine.switch(&one, 2).await;
}

#[tokio::test]
async fn a_failing_hook_leaves_its_words_in_the_log_and_its_status_in_the_result() {
    let machine = Machine::new().await;
    let tree = machine.folder.join("talks");
    fs_err::create_dir(&tree).unwrap();
    let hook = "#!/bin/sh\necho 'cannot reach the cache' >&2\nexit 7\n";
    fs_err::write(tree.join("warm"), hook).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(tree.join("warm"), mode).unwrap();
    let talks = machine.pack(1, &tree);
    machine.install(&talks).await;
    let mut order = machine.switch_order(&talks, 1);
    order["hooks"] = serde_json::json!({"before": [["warm", "--all"]], "after": [], "timeout_s": 20});
    let done = machine.perform(1, 1, &order).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "command_failed");
    assert!(message.ends_with("warm --all` ended with status 7"), "{message}");
    assert!(
        machine.desk.log().contains("cannot reach the cache"),
        "{}",
        machine.desk.log()
    );
}

#[tokio::test]
async fn a_cancelled_switch_has_no_effect_and_a_late_cancel_is_too_late() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    machine.install(&one).await;
    let mut order = machine.switch_order(&one, 1);
    let slow = "#!/bin/sh\ntouch \"$POINTSMAN_ROOT/../reached\"; sleep 0.5\n";
    let tree = machine.folder.join("tree-1");
    fs_err::write(tree.join("bin/hook"), slow).unwrap();
    let slow = machine.pack(2, &tree);
    machine.install(&slow).await;
    order["folder"] = serde_json::json!(slow.folder);
    order["manifest"] = serde_json::json!(slow.manifest.digest());
    for (time, expected) in [("before", None), ("after", Some(slow.folder.clone()))] {
        order["hooks"] = serde_json::json!({"before": [], "after": [], "timeout_s": 20});
        order["hooks"][time] = serde_json::json!([["bin/hook"]]);
        let (keeper, held) = long_lease();
        let reached = machine.folder.join("reached");
        let job = machine.job(Machine::body(1, &order), 1, held);
        let (done, ()) = tokio::join!(execute(&job), async {
            while !reached.exists() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            keeper.cancel("changed my mind".to_owned());
        });
        fs_err::remove_file(&reached).unwrap();
        match &expected {
            None => assert_eq!(done, Execution::Ended(Outcome::Cancelled)),
            Some(_) => assert!(
                matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
                "{done:?}"
            ),
        }
        assert_eq!(machine.current(), expected);
    }
}

#[tokio::test]
async fn a_switch_whose_lease_ran_out_during_its_hook_changes_nothing() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.install(&two).await;
    machine.switch(&one, 1).await;
    let tree = machine.folder.join("tree-2");
    fs_err::write(tree.join("bin/hook"), "#!/bin/sh\nsleep 30\n").unwrap();
    let slow = machine.pack(3, &tree);
    machine.install(&slow).await;
    let (_keeper, short) = lease(BootInstant::now().plus(Duration::from_millis(500)));
    let job = machine.job(Machine::body(2, &machine.switch_order(&slow, 2)), 1, short);
    assert_eq!(execute(&job).await, Execution::LeaseLost { effect: Effect::None });
    assert_eq!(machine.current(), Some(one.folder));
    assert_eq!(machine.fence().generation, Generation(1));
    machine.switch(&two, 3).await;
}

#[tokio::test]
async fn a_folder_in_place_of_the_link_is_not_touched() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    machine.install(&one).await;
    fs_err::create_dir(machine.in_root("current")).unwrap();
    let done = machine.perform(1, 1, &machine.switch_order(&one, 1)).await;
    assert_eq!(failure(&done).0, "current_in_the_way", "{done:?}");
    assert!(
        matches!(
            done,
            Execution::Ended(Outcome::Failed {
                effect: Effect::None,
                ..
            })
        ),
        "{done:?}"
    );
    assert!(machine.in_root("current").is_dir());
    assert_eq!(
        machine.fence().phase,
        SwitchPhase::Done,
        "called off, so that nothing looks interrupted"
    );
}

#[tokio::test]
async fn a_release_that_is_gone_or_another_one_is_never_switched_to() {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    let done = machine.perform(1, 1, &machine.switch_order(&one, 1)).await;
    assert_eq!(failure(&done).0, "release_missing");
    machine.install(&one).await;
    let mut order = machine.switch_order(&one, 1);
    order["manifest"] = serde_json::json!(two.manifest.digest());
    assert_eq!(failure(&machine.perform(1, 1, &order).await).0, "release_damaged");
    assert_eq!(machine.current(), None);
}

#[tokio::test]
async fn every_switch_changes_the_reported_state() {
    let machine = Machine::new().await;
    let one = machine.release(1);
    let facts = || PlacementFacts::read(&machine.record());
    let digests = [state_digest(&[facts()])];
    machine.install(&one).await;
    assert_ne!(state_digest(&[facts()]), digests[0]);
    machine.switch(&one, 1).await;
    let live = facts();
    assert_eq!(live.slots[0].current, Some(one.folder.clone()));
    assert_eq!(live.problem, None);
    assert!(
        live.free_bytes > 0 && live.total_bytes >= live.free_bytes,
        "{live:?}"
    );
    fs_err::remove_dir_all(machine.in_root(&format!("releases/{}", one.folder))).unwrap();
    assert!(facts().problem.unwrap().contains("no complete release"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_see_a_missing_or_a_mixed_release() {
    let machine = Machine::new().await;
    let releases = [machine.release(1), machine.release(2)];
    for release in &releases {
        machine.install(release).await;
    }
    machine.switch(&releases[0], 1).await;
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reader = std::thread::spawn({
        let (stop, reads, link) = (Arc::clone(&stop), Arc::clone(&reads), machine.in_root("current"));
        move || {
            while !stop.load(Ordering::Relaxed) {
                let release = fs_err::canonicalize(&link).unwrap();
                let version = fs_err::read_to_string(release.join("version")).unwrap();
                assert_eq!(
                    fs_err::read_to_string(release.join("bin/version")).unwrap(),
                    version
                );
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for generation in 2..=100 {
        let release = &releases[usize::try_from(generation % 2).unwrap()];
        let mut order = machine.switch_order(release, generation);
        order["hooks"] = serde_json::json!({"before": [], "after": [], "timeout_s": 0});
        let done = machine.perform(u128::from(generation), 1, &order).await;
        assert!(
            matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
            "{done:?}"
        );
    }
    stop.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    assert!(reads.load(Ordering::Relaxed) > 1000, "{reads:?}");
}
