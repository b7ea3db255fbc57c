//! Death at every named point of install and switch, and again in the recovery that follows.
//!
//! After each: `current` leads to a complete release, nothing half-made stays, the next attempt of the same job succeeds.

use pointsman_agent::executor::Execution;
use pointsman_agent::layout::SwitchPhase;
use pointsman_agent::recovery::{Recovered, recover};
use pointsman_archive::{Watch, verify};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use pointsman_shared::outcome::Outcome;

use crate::actor::{self, Act, SHORT, dies_doing};
use crate::machine::{Machine, Release};

/// A machine on which release 1 is live under generation 1 and release 2 is installed.
async fn live_machine() -> (Machine, Release, Release) {
    let machine = Machine::new().await;
    let (one, two) = (machine.release(1), machine.release(2));
    machine.install(&one).await;
    machine.install(&two).await;
    machine.switch(&one, 1).await;
    (machine, one, two)
}

/// Another process does the job and dies at `point`; then this one is the agent again.
fn die_doing(machine: Machine, act: &Act, point: &str) -> Machine {
    machine.while_away(|folder| assert!(dies_doing(folder, act, point), "nobody passed {point}"))
}

/// What `current` leads to, every byte of it verified.
fn verified_current(machine: &Machine) -> Option<ReleaseFolder> {
    let root = machine.root();
    let folder = root.slot_link(&SlotName::current()).unwrap().release().cloned()?;
    let (manifest, _) = root.release_record(&folder).unwrap();
    verify(&root.release_path(&folder), &manifest, &[], &Watch::none()).unwrap();
    Some(folder)
}

fn codes(recovered: &Recovered) -> Vec<&str> {
    recovered.faults.iter().map(|fault| fault.code.as_str()).collect()
}

#[tokio::test]
async fn a_switch_that_died_is_reported_and_its_next_attempt_succeeds() {
    for (point, switched, interrupted) in [
        ("C12", false, true),
        ("C13", false, true),
        ("C14", true, true),
        ("C15", true, true),
    ] {
        let (machine, one, two) = live_machine().await;
        let act = Act {
            job: 2,
            epoch: 1,
            order: machine.switch_order(&two, 2),
        };
        let machine = die_doing(machine, &act, point);
        let live = if switched { &two } else { &one };
        assert_eq!(verified_current(&machine).as_ref(), Some(&live.folder), "{point}");
        for _ in 0..2 {
            let recovered = recover(&machine.state, SHORT).await;
            assert_eq!(
                codes(&recovered) == ["switch_interrupted"],
                interrupted,
                "{point}: {recovered:?}"
            );
            assert_eq!(
                verified_current(&machine).as_ref(),
                Some(&live.folder),
                "{point}: not finished alone"
            );
            assert_eq!(machine.fence().phase, SwitchPhase::Begun);
            assert!(!machine.in_root(".current.new").is_symlink());
        }
        let again = machine.perform(2, 2, &act.order).await;
        assert!(
            matches!(again, Execution::Ended(Outcome::Succeeded { .. })),
            "{point}: {again:?}"
        );
        assert_eq!(verified_current(&machine), Some(two.folder));
        assert_eq!(
            machine.fence().from,
            Some(one.folder),
            "{point}: what was live before the first attempt"
        );
        assert!(codes(&recover(&machine.state, SHORT).await).is_empty());
    }
}

#[tokio::test]
async fn an_install_that_died_leaves_nothing_or_the_whole_release() {
    for point in ["C8", "C9", "C9:2", "C10", "C11"] {
        let (machine, one, _) = live_machine().await;
        let three = machine.release(3);
        let act = Act {
            job: 3,
            epoch: 1,
            order: three.install.clone(),
        };
        let machine = die_doing(machine, &act, point);
        let recovered = recover(&machine.state, SHORT).await;
        assert!(codes(&recovered).is_empty(), "{point}: {recovered:?}");
        let names = machine.root().releases().names().unwrap();
        assert!(
            names.iter().all(|name| !name.starts_with(".tmp-")),
            "{point}: {names:?}"
        );
        let there = machine
            .root()
            .complete_releases()
            .unwrap()
            .contains(&three.folder);
        assert_eq!(there, point == "C11", "{point}");
        assert_eq!(verified_current(&machine), Some(one.folder), "{point}");
        assert_eq!(
            machine.install(&three).await,
            there,
            "{point}: reused exactly when it was whole"
        );
        machine.switch(&three, 2).await;
        assert_eq!(verified_current(&machine), Some(three.folder), "{point}");
    }
}

#[tokio::test]
async fn a_broken_link_is_mended_however_often_the_recovery_dies() {
    let (machine, one, two) = live_machine().await;
    machine.switch(&two, 2).await;
    // A release that lost its record, unfinished work, and a new link that was never renamed.
    let record = machine.in_root(&format!(".pointsman/manifests/{}.json", two.folder));
    fs_err::remove_file(record).unwrap();
    fs_err::create_dir_all(machine.in_root("releases/.tmp-x-1/tree/deep")).unwrap();
    fs_err::os::unix::fs::symlink("releases/nowhere", machine.in_root(".current.new")).unwrap();
    let (mut machine, mut deaths) = (machine, 0);
    for pass in 1..20 {
        let mut died = false;
        machine = machine.while_away(|folder| {
            died = !actor::perform("recover", folder, Some(&format!("C20:{pass}"))).success();
        });
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= 3, "only {deaths} points of recovery were tried");
    assert_eq!(verified_current(&machine), Some(one.folder));
    assert!(!machine.in_root("releases/.tmp-x-1").exists());
    assert!(!machine.in_root(".current.new").is_symlink());
    assert!(codes(&recover(&machine.state, SHORT).await).is_empty());
}

#[tokio::test]
async fn drift_is_left_alone_and_what_cannot_be_mended_is_said() {
    let (machine, one, two) = live_machine().await;
    let repoint = |to: &str| {
        fs_err::remove_file(machine.in_root("current")).unwrap();
        fs_err::os::unix::fs::symlink(to, machine.in_root("current")).unwrap();
    };
    // Somebody's own choice: another release, a folder elsewhere, no link at all.
    repoint(&format!("releases/{}", two.folder));
    assert!(codes(&recover(&machine.state, SHORT).await).is_empty());
    assert_eq!(verified_current(&machine), Some(two.folder.clone()));
    repoint("/usr");
    assert!(codes(&recover(&machine.state, SHORT).await).is_empty());
    // Leads nowhere: mended to what the fence knows.
    repoint("/nowhere");
    assert_eq!(codes(&recover(&machine.state, SHORT).await), ["current_repaired"]);
    assert_eq!(verified_current(&machine), Some(one.folder));
    repoint("/nowhere");
    fs_err::write(machine.in_root(".pointsman/fence"), "no fence").unwrap();
    assert_eq!(
        codes(&recover(&machine.state, SHORT).await),
        ["fence_damaged", "current_broken"]
    );
    fs_err::remove_dir_all(machine.in_root("")).unwrap();
    assert_eq!(codes(&recover(&machine.state, SHORT).await), ["root_problem"]);
}
