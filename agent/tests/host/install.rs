//! Installing: what appears, what is refused, what a broken attempt leaves.

use pointsman_agent::executor::Execution;
use pointsman_agent::lease::{BootInstant, lease};
use pointsman_agent::step::Object;
use pointsman_shared::outcome::Outcome;

use crate::machine::{Machine, failure};
use crate::world::long_lease;

/// Names in `releases/`, unfinished ones too.
fn releases(machine: &Machine) -> Vec<String> {
    machine.root().releases().names().unwrap()
}

#[tokio::test]
async fn an_installed_release_is_complete_and_installing_it_again_reuses_it() {
    let machine = Machine::new().await;
    let release = machine.release(1);
    assert!(!machine.install(&release).await);
    assert_eq!(releases(&machine), [release.folder.to_string()]);
    assert_eq!(
        machine.root().complete_releases().unwrap(),
        std::slice::from_ref(&release.folder)
    );
    assert!(machine.install(&release).await, "a second install finds it");
    assert_eq!(machine.current(), None, "an install switches nothing");
}

#[tokio::test]
async fn a_release_that_was_tampered_with_is_replaced_even_while_it_is_live() {
    let machine = Machine::new().await;
    let release = machine.release(1);
    machine.install(&release).await;
    machine.switch(&release, 1).await;
    fs_err::write(machine.in_root("current/version"), "tampered").unwrap();
    assert!(!machine.install(&release).await);
    assert_eq!(
        fs_err::read_to_string(machine.in_root("current/version")).unwrap(),
        "1"
    );
    let trash: Vec<_> = fs_err::read_dir(machine.in_root(".trash")).unwrap().collect();
    assert_eq!(trash.len(), 1);
    assert!(
        machine.desk.log().contains("is replaced"),
        "{}",
        machine.desk.log()
    );
}

#[tokio::test]
async fn shared_paths_are_linked_and_missing_files_are_named_together() {
    let machine = Machine::new().await;
    let mut release = machine.release(1);
    release.install["shared"] = serde_json::json!([
        {"path": "storage", "folder": true}, {"path": "config/deep/.env", "folder": false}, {"path": ".key", "folder": false},
    ]);
    let done = machine.perform(1, 1, &release.install).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "shared_missing");
    assert!(
        message.starts_with("web01: shared files are missing: "),
        "{message}"
    );
    for missing in ["shared/config/deep/.env", "shared/.key"] {
        assert!(
            message.contains(&machine.in_root(missing).display().to_string()),
            "{message}"
        );
    }
    assert!(releases(&machine).is_empty(), "nothing half-made stays");

    fs_err::create_dir_all(machine.in_root("shared/config/deep")).unwrap();
    fs_err::write(machine.in_root("shared/config/deep/.env"), "SECRET=1").unwrap();
    fs_err::write(machine.in_root("shared/.key"), "key").unwrap();
    machine.install(&release).await;
    machine.switch(&release, 1).await;
    assert_eq!(
        fs_err::read_to_string(machine.in_root("current/config/deep/.env")).unwrap(),
        "SECRET=1"
    );
    fs_err::write(machine.in_root("current/storage/upload"), "kept").unwrap();
    assert_eq!(
        fs_err::read_to_string(machine.in_root("shared/storage/upload")).unwrap(),
        "kept"
    );
    assert!(
        machine.install(&release).await,
        "with its links it is still what it should be"
    );
}

#[tokio::test]
async fn damaged_objects_are_refused_before_anything_is_unpacked() {
    let machine = Machine::new().await;
    let release = machine.release(1);
    let archive: pointsman_shared::digest::Digest =
        serde_json::from_value(release.install["archive"].clone()).unwrap();
    let path = machine.desk.path(Object::Archive(archive));
    let mut bytes = fs_err::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&path, bytes).unwrap();
    let done = machine.perform(1, 1, &release.install).await;
    assert_eq!(failure(&done).0, "archive_damaged");
    fs_err::write(
        machine.desk.path(Object::Manifest(release.manifest.digest())),
        "{}",
    )
    .unwrap();
    let done = machine.perform(1, 2, &release.install).await;
    assert_eq!(failure(&done).0, "object_damaged");
    assert!(releases(&machine).is_empty());
}

#[tokio::test]
async fn a_release_that_does_not_fit_is_refused_before_the_first_byte() {
    let mut machine = Machine::new().await;
    machine.spare_bytes = u64::MAX / 4;
    let release = machine.release(1);
    let done = machine.perform(1, 1, &release.install).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "disk_full");
    assert!(
        message.starts_with("web01: ") && message.contains("bytes are free"),
        "{message}"
    );
    assert!(releases(&machine).is_empty());
}

#[tokio::test]
async fn nothing_is_done_in_a_root_that_was_not_adopted() {
    let machine = Machine::new().await;
    let release = machine.release(1);
    fs_err::write(machine.in_root(".pointsman/fence"), "{").unwrap();
    assert_eq!(
        failure(&machine.perform(1, 1, &release.install).await).0,
        "fence_damaged"
    );
    fs_err::remove_file(machine.in_root(".pointsman/fence")).unwrap();
    assert_eq!(
        failure(&machine.perform(1, 1, &release.install).await).0,
        "fence_missing"
    );
    machine.adopt(3).await;
    machine.install(&release).await;
}

#[tokio::test]
async fn cancelled_and_lost_installs_leave_nothing() {
    let machine = Machine::new().await;
    let release = machine.release(1);
    let (keeper, cancelled) = long_lease();
    keeper.cancel("not needed".to_owned());
    let job = machine.job(Machine::body(1, &release.install), 1, cancelled);
    assert_eq!(
        pointsman_agent::executor::execute(&job).await,
        Execution::Ended(Outcome::Cancelled)
    );
    let (_keeper, lost) = lease(BootInstant::now());
    let job = machine.job(Machine::body(1, &release.install), 1, lost);
    let done = pointsman_agent::executor::execute(&job).await;
    assert!(matches!(done, Execution::LeaseLost { .. }), "{done:?}");
    assert!(releases(&machine).is_empty());
}
