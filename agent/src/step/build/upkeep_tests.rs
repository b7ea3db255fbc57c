//! What goes from a builder, what stays, and what a running build spares.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use pointsman_shared::clock::{Clock as _, SystemClock};

use super::upkeep::{Free, Reach, Upkeep, Users, used_now};
use crate::config::WorkshopSection;

/// Each look finds this much more.
#[derive(Debug)]
struct Growing(Cell<u64>);

impl Free for Growing {
    fn bytes(&self) -> io::Result<u64> {
        let bytes = self.0.get();
        self.0.set(bytes + 1000);
        Ok(bytes)
    }
}

const LIMITS: WorkshopSection = WorkshopSection {
    caches: 2,
    cache_days: 14,
    mirror_days: 30,
    disk_low_bytes: 3000,
};

fn now() -> SystemTime {
    SystemTime::from(SystemClock.now())
}

/// A builder's folders: caches and mirrors, each unused for so many days.
fn builder(folders: &[(&str, u64)]) -> tempfile::TempDir {
    let builder = tempfile::tempdir().unwrap();
    for parent in ["mirrors", "caches"] {
        fs_err::create_dir(builder.path().join(parent)).unwrap();
    }
    for (name, days) in folders {
        let folder = builder.path().join(name);
        fs_err::create_dir_all(folder.join("inside")).unwrap();
        fs_err::write(folder.join("inside/file"), [7; 5000]).unwrap();
        used_now(&folder, now() - Duration::from_hours(24 * days)).unwrap();
    }
    builder
}

fn collect(builder: &Path, reach: Reach, users: &Users, free: u64) -> Vec<(String, String)> {
    let upkeep = Upkeep {
        folder: builder,
        users,
        limits: &LIMITS,
        free: &Growing(Cell::new(free)),
    };
    let collected = upkeep.collect(reach, now()).unwrap();
    assert!(collected.iter().all(|one| one.bytes >= 5000), "{collected:?}");
    let mut told: Vec<_> = collected.into_iter().map(|one| (one.name, one.reason)).collect();
    told.sort();
    for (name, _) in &told {
        assert!(!builder.join("going").join(name).exists());
    }
    told
}

fn words(told: &[(String, String)]) -> Vec<(&str, &str)> {
    told.iter()
        .map(|(name, reason)| (name.as_str(), reason.as_str()))
        .collect()
}

#[test]
fn what_was_unused_for_long_goes_and_the_newest_of_a_project_stay() {
    let builder = builder(&[
        ("caches/shop/a", 1),
        ("caches/shop/b", 2),
        ("caches/shop/c", 3),
        ("caches/blog/d", 13),
        ("caches/blog/e", 15),
        ("mirrors/m", 29),
        ("mirrors/n", 31),
    ]);
    let told = collect(builder.path(), Reach::Room, &Users::default(), 1_000_000);
    assert_eq!(words(&told), [("c", "its project has 2 newer ones")]);
    let told = collect(builder.path(), Reach::Whole, &Users::default(), 1_000_000);
    assert_eq!(words(&told), [("e", "unused for 15 d"), ("n", "unused for 31 d")]);
    assert!(builder.path().join("caches/shop/b/inside/file").exists());
    assert_eq!(
        collect(builder.path(), Reach::Whole, &Users::default(), 1_000_000),
        []
    );
}

#[test]
fn what_a_build_uses_stays_whatever_its_age() {
    let builder = builder(&[("caches/shop/a", 100), ("mirrors/m", 100), ("mirrors/n", 100)]);
    let users = Users::default();
    let shop = users.of(builder.path().join("caches/shop"));
    let again = users.of(builder.path().join("caches/shop"));
    let mirror = users.of(builder.path().join("mirrors/m"));
    assert_eq!(
        words(&collect(builder.path(), Reach::Whole, &users, 0)),
        [("n", "unused for 100 d")]
    );
    drop((shop, mirror));
    assert_eq!(
        words(&collect(builder.path(), Reach::Whole, &users, 0)),
        [("m", "unused for 100 d")]
    );
    drop(again);
    assert_eq!(
        words(&collect(builder.path(), Reach::Whole, &users, 0)),
        [("a", "unused for 100 d")]
    );
}

#[test]
fn a_short_disk_takes_the_longest_unused_until_there_is_room() {
    let builder = builder(&[
        ("caches/shop/a", 1),
        ("caches/blog/b", 3),
        ("mirrors/fresh", 0),
        ("mirrors/m", 2),
        ("mirrors/n", 5),
    ]);
    // 0, 1000, 2000 free: three looks until there is enough.
    let told = collect(builder.path(), Reach::Whole, &Users::default(), 0);
    assert_eq!(
        words(&told),
        [
            ("a", "the disk is short, and it was unused for 24 h"),
            ("b", "the disk is short, and it was unused for 3 d"),
            ("n", "the disk is short, and it was unused for 5 d"),
        ]
    );
    let told = collect(builder.path(), Reach::Whole, &Users::default(), 0);
    assert_eq!(
        words(&told),
        [("m", "the disk is short, and it was unused for 2 d")]
    );
    assert!(
        builder.path().join("mirrors/fresh").exists(),
        "fetching it again would take more"
    );
}
