//! Garbage on a host: what goes, what stays whatever was ordered, what comes back, and who dies meanwhile.

use chrono::TimeDelta;
use pointsman_agent::executor::Execution;
use pointsman_agent::recovery::recover;
use pointsman_archive::{Watch, verify};
use pointsman_shared::name::{ReleaseFolder, SlotName};
use pointsman_shared::outcome::{Outcome, Product};
use serde_json::{Value, json};

use crate::actor::{Act, SHORT, dies_doing};
use crate::machine::{Machine, Release, failure};
use crate::world::placement;

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

/// Releases 1 to 4 are installed and 3 is live under generation 3.
async fn full_machine() -> (Machine, [Release; 4]) {
    let machine = Machine::new().await;
    let releases = [1, 2, 3, 4].map(|number| machine.release(number));
    for release in &releases {
        machine.install(release).await;
    }
    machine.switch(&releases[2], 3).await;
    (machine, releases)
}

fn order(machine: &Machine, generation: u64, releases: &[&Release]) -> Value {
    let folders: Vec<_> = releases.iter().map(|release| &release.folder).collect();
    json!({
        "kind": "collect_garbage", "placement": placement(), "root": machine.root_path(),
        "fences": [{ "slot": SlotName::current(), "generation": generation }], "folders": folders, "log_stream": ID,
    })
}

/// What a collection set aside, what it kept, and how much it deleted.
fn collected(done: Execution) -> (Vec<ReleaseFolder>, Vec<String>, u64) {
    let Execution::Ended(Outcome::Succeeded {
        product:
            Product::Collected {
                trashed,
                kept,
                purged,
                ..
            },
    }) = done
    else {
        panic!("{done:?}");
    };
    (
        trashed.into_iter().map(|trashed| trashed.folder).collect(),
        kept.into_iter().map(|kept| kept.reason).collect(),
        purged,
    )
}

#[tokio::test]
async fn what_nobody_needs_goes_to_the_trash_and_a_day_later_for_good() {
    let (machine, [one, two, three, four]) = full_machine().await;
    let done = machine.perform(10, 1, &order(&machine, 3, &[&one, &two])).await;
    assert_eq!(
        collected(done),
        (vec![one.folder.clone(), two.folder.clone()], vec![], 0)
    );
    assert_eq!(
        machine.root().complete_releases().unwrap(),
        [three.folder.clone(), four.folder]
    );
    // It comes back as it was, without a download.
    fs_err::remove_dir_all(machine.folder.join("objects")).unwrap();
    assert!(machine.install(&two).await, "taken back, not made again");
    let (manifest, _) = machine.root().release_record(&two.folder).unwrap();
    verify(
        &machine.root().release_path(&two.folder),
        &manifest,
        &[],
        &Watch::none(),
    )
    .unwrap();

    machine.clock.put_forward(TimeDelta::hours(23));
    assert_eq!(
        collected(machine.perform(11, 1, &order(&machine, 3, &[])).await).2,
        0
    );
    machine.clock.put_forward(TimeDelta::hours(2));
    assert_eq!(
        collected(machine.perform(12, 1, &order(&machine, 3, &[])).await).2,
        1
    );
    assert!(machine.root().trash().unwrap().is_empty());
    let record = |folder: &ReleaseFolder| machine.in_root(&format!(".pointsman/manifests/{folder}.json"));
    assert!(!record(&one.folder).exists());
    assert!(record(&two.folder).exists());
    assert_eq!(machine.current(), Some(three.folder));
}

#[tokio::test]
async fn what_somebody_uses_stays_whatever_was_ordered() {
    let (machine, [one, two, three, four]) = full_machine().await;
    fs_err::os::unix::fs::symlink(format!("releases/{}/bin", one.folder), machine.in_root("tools")).unwrap();
    let mut child = std::process::Command::new("sleep")
        .arg("1000")
        .current_dir(machine.root().release_path(&two.folder))
        .spawn()
        .unwrap();
    let done = machine
        .perform(10, 1, &order(&machine, 3, &[&one, &two, &three, &four]))
        .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let (trashed, kept, _) = collected(done);
    assert_eq!(trashed, [four.folder]);
    assert_eq!(kept[0], "the link tools leads to it");
    assert_eq!(kept[1], format!("process {} (sleep) runs in it", child.id()));
    assert_eq!(kept[2], "the link current leads to it");
    assert_eq!(machine.current(), Some(three.folder));
}

#[tokio::test]
async fn a_decision_from_before_a_switch_touches_nothing() {
    let (machine, [one, two, _, _]) = full_machine().await;
    machine.switch(&two, 4).await;
    let done = machine.perform(10, 1, &order(&machine, 3, &[&one])).await;
    assert_eq!(failure(&done).0, "fence_moved");
    let mut unknown_slot = order(&machine, 4, &[&one]);
    unknown_slot["fences"] = json!([]);
    let done = machine.perform(11, 1, &unknown_slot).await;
    assert_eq!(failure(&done).0, "fence_moved");
    assert!(machine.root().complete_releases().unwrap().contains(&one.folder));
}

#[tokio::test]
async fn an_agent_that_dies_between_two_leaves_whole_releases() {
    let (machine, [one, two, three, _]) = full_machine().await;
    let act = Act {
        job: 10,
        epoch: 1,
        order: order(&machine, 3, &[&one, &two]),
    };
    let machine = machine.while_away(|folder| assert!(dies_doing(folder, &act, "C18")));
    let recovered = recover(&machine.state, SHORT).await;
    assert!(recovered.faults.is_empty(), "{recovered:?}");
    assert_eq!(machine.current(), Some(three.folder));
    for folder in machine.root().complete_releases().unwrap() {
        let (manifest, _) = machine.root().release_record(&folder).unwrap();
        verify(
            &machine.root().release_path(&folder),
            &manifest,
            &[],
            &Watch::none(),
        )
        .unwrap();
    }
    let (trashed, _, _) = collected(machine.perform(10, 2, &act.order).await);
    assert_eq!(trashed, [two.folder], "the first lay in the trash already");
    assert!(machine.install(&one).await);
}

#[tokio::test]
async fn a_short_disk_empties_the_trash_at_once() {
    let (mut machine, [one, _, _, _]) = full_machine().await;
    machine.spare_bytes = u64::MAX;
    let (trashed, _, purged) = collected(machine.perform(10, 1, &order(&machine, 3, &[&one])).await);
    assert_eq!((trashed, purged), (vec![one.folder], 1));
}

/// What lies in the trash, by name.
fn trash(machine: &Machine) -> Vec<String> {
    let found = machine.root().trash().unwrap();
    found.into_iter().map(|found| found.name).collect()
}

#[tokio::test]
async fn what_a_deletion_that_died_left_is_not_taken_back_and_goes_later() {
    let (mut machine, [one, two, _, _]) = full_machine().await;
    machine.perform(10, 1, &order(&machine, 3, &[&one, &two])).await;
    for name in trash(&machine) {
        let torn = machine.in_root(&format!(".trash/purged-{name}"));
        fs_err::rename(machine.in_root(&format!(".trash/{name}")), torn).unwrap();
    }
    assert!(!machine.install(&two).await, "made again");
    machine.spare_bytes = u64::MAX;
    let done = machine.perform(11, 1, &order(&machine, 3, &[])).await;
    assert_eq!(collected(done).2, 2);
    assert!(trash(&machine).is_empty());
    let record = |folder: &ReleaseFolder| machine.in_root(&format!(".pointsman/manifests/{folder}.json"));
    assert!(!record(&one.folder).exists());
    assert!(record(&two.folder).exists());
}

#[tokio::test]
async fn a_damaged_copy_stays_in_the_trash() {
    let (machine, [one, _, _, _]) = full_machine().await;
    machine.perform(10, 1, &order(&machine, 3, &[&one])).await;
    let name = trash(&machine).remove(0);
    fs_err::write(machine.in_root(&format!(".trash/{name}/more")), "").unwrap();
    assert!(!machine.install(&one).await, "made again");
    assert_eq!(trash(&machine), [name]);
}

#[tokio::test]
async fn one_that_cannot_be_deleted_does_not_keep_the_others() {
    let (mut machine, [one, two, _, _]) = full_machine().await;
    machine.perform(10, 1, &order(&machine, 3, &[&one, &two])).await;
    let name = trash(&machine).remove(0);
    fs_err::create_dir(machine.in_root(&format!(".trash/purged-{name}"))).unwrap();
    machine.spare_bytes = u64::MAX;
    // What is in the way of the first goes after it.
    let done = machine.perform(11, 1, &order(&machine, 3, &[])).await;
    assert_eq!(collected(done).2, 2);
    assert_eq!(trash(&machine), [name]);
}

#[tokio::test]
async fn folders_that_nobody_made_are_left_alone() {
    let (machine, [one, _, _, _]) = full_machine().await;
    fs_err::create_dir_all(machine.in_root("releases/backup-of-ann/deep")).unwrap();
    fs_err::create_dir_all(machine.in_root(".trash/something")).unwrap();
    let (trashed, _, _) = collected(machine.perform(10, 1, &order(&machine, 3, &[&one])).await);
    assert_eq!(trashed, [one.folder]);
    assert!(machine.in_root("releases/backup-of-ann/deep").exists());
    assert!(machine.in_root(".trash/something").exists());
}
