//! The report spool over restarts, foreign words and a full disk.

use super::*;
use pointsman_shared::wire::from_agent::Fault;
use uuid::Uuid;

fn report(code: &str) -> StoredReport {
    StoredReport {
        instance: InstanceId(Uuid::from_u128(1)),
        at: 5,
        content: ReportContent::Fault(Fault {
            placement: None,
            code: code.to_owned(),
            message: String::new(),
        }),
        trace: None,
    }
}

fn open(folder: &tempfile::TempDir, fresh: u128) -> ReportSpool {
    let dir = Dir::open(folder.path()).unwrap();
    ReportSpool::open(&dir, SpoolId(Uuid::from_u128(fresh))).unwrap()
}

#[test]
fn reports_outlive_the_agent_until_they_are_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, 1);
    for code in ["one", "two", "three"] {
        spool.append(report(code)).unwrap();
    }
    spool.acknowledge(spool.id(), 2).unwrap();
    drop(spool);
    let spool = open(&folder, 2);
    assert_eq!(spool.id(), SpoolId(Uuid::from_u128(1)), "a spool keeps its id");
    assert_eq!(spool.after(0), Some((3, report("three"))));
    assert_eq!(spool.waiting(), 1);
}

/// A filesystem of 2 MiB, unmounted when dropped; none where mounting is not allowed.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "a test filesystem stays mounted"
        );
    }
}

#[test]
fn a_full_disk_takes_results_into_the_reserve() {
    let Some(small) = Small::mount() else {
        eprintln!("skipped: mounting is not allowed here");
        return;
    };
    let spool = open(&small.0, 1);
    let filler = small.0.path().join("filler");
    let mut size = 2 * 1024 * 1024;
    while size > 0 && fs_err::write(&filler, vec![1; size]).is_err() {
        size -= 4096;
    }
    for _ in 0..20 {
        spool.append(report("result")).unwrap();
    }
    fs_err::remove_file(&filler).unwrap();
    spool.acknowledge(spool.id(), 20).unwrap();
    let reserve = fs_err::metadata(small.0.path().join("spool/reports/reserve")).unwrap();
    assert_eq!(reserve.len(), RESERVE_BYTES, "it is set aside again");
}

#[test]
fn a_number_is_never_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, 1);
    assert_eq!(spool.append(report("one")).unwrap(), 1);
    spool.acknowledge(spool.id(), 1).unwrap();
    drop(spool);
    assert_eq!(open(&folder, 1).append(report("two")).unwrap(), 2);
}

#[test]
fn foreign_and_impossible_acknowledgements_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, 1);
    spool.append(report("one")).unwrap();
    spool.acknowledge(SpoolId(Uuid::from_u128(9)), 1).unwrap();
    spool.acknowledge(spool.id(), 7).unwrap();
    assert_eq!(spool.waiting(), 1);
}

#[test]
fn a_spool_without_its_id_is_not_given_another() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder, 1).append(report("one")).unwrap();
    fs_err::remove_file(folder.path().join("spool/reports/id")).unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    assert!(ReportSpool::open(&dir, SpoolId(Uuid::from_u128(2))).is_err());
}
