//! A tree goes in and the same tree comes out; its digest depends on nothing but its content.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use pointsman_archive::{Error, Kind, Limits, PackOptions, Watch, pack, unpack, verify};

use crate::trees::{Packed, file, full_tree, link, program, scan, scratch, set_mode};

const SMALL_MEMBERS: PackOptions = PackOptions {
    level: 1,
    member_bytes: 2000,
};

#[test]
fn what_was_packed_comes_back_with_its_modes_and_links() {
    for options in [PackOptions::default(), SMALL_MEMBERS] {
        let packed = Packed::new(full_tree, &options);
        packed.unpack().unwrap();
        verify(&packed.dest(), &packed.manifest, &[], &Watch::none()).unwrap();
        assert_eq!(scan(&packed.dest()).unwrap().digest(), packed.manifest.digest());
        let mode = |name: &str| {
            fs_err::metadata(packed.dest().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o7777
        };
        assert_eq!(
            [mode(""), mode("nothing/in/here"), mode("bin/run"), mode("README")],
            [0o755, 0o755, 0o755, 0o644]
        );
        assert_eq!(fs_err::read(packed.dest().join("readme")).unwrap(), b"lower");
        assert_eq!(
            fs_err::read_link(packed.dest().join("names/dangling")).unwrap(),
            Path::new("../not/here")
        );
    }
}

#[test]
fn members_are_cut_at_file_borders_and_adjoin() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    let members = packed.packing.members();
    assert!(members.len() > 5, "{members:?}");
    assert_eq!(
        members.iter().map(|member| member.files).sum::<usize>(),
        packed.manifest.entries().len()
    );
    let archive = fs_err::read(packed.archive()).unwrap();
    for member in members {
        let start = usize::try_from(member.offset).unwrap();
        assert_eq!(
            archive[start..start + 3],
            [0x1f, 0x8b, 8],
            "a member begins at {start}"
        );
    }
}

#[test]
fn tar_opens_the_archive() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    fs_err::create_dir(packed.dest()).unwrap();
    let output = Command::new("tar")
        .args(["--no-same-owner", "-xpzf"])
        .arg(packed.archive())
        .arg("-C")
        .arg(packed.dest())
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    verify(&packed.dest(), &packed.manifest, &[], &Watch::none()).unwrap();
}

#[test]
fn another_tar_reader_sees_exactly_the_manifest() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    let gzip = flate2::read::MultiGzDecoder::new(fs_err::File::open(packed.archive()).unwrap());
    let mut archive = tar::Archive::new(gzip);
    let seen: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            (
                name.trim_end_matches('/').to_owned(),
                entry.header().entry_type(),
                entry.size(),
            )
        })
        .collect();
    let named: Vec<_> = packed
        .manifest
        .entries()
        .iter()
        .map(|entry| {
            let kind = match entry.kind {
                Kind::File { .. } => tar::EntryType::Regular,
                Kind::Directory => tar::EntryType::Directory,
                Kind::Symlink { .. } => tar::EntryType::Symlink,
            };
            (entry.path.to_string(), kind, entry.kind.size())
        })
        .collect();
    assert_eq!(seen, named);
}

#[test]
fn times_owners_order_and_write_bits_do_not_change_the_digest() {
    let (one, other) = (scratch(), scratch());
    file(one.path(), "a", b"1");
    program(one.path(), "b/c", b"2");
    link(one.path(), "d", "a");
    link(other.path(), "d", "a");
    program(other.path(), "b/c", b"2");
    file(other.path(), "a", b"1");
    set_mode(&other.path().join("a"), 0o600);
    set_mode(&other.path().join("b/c"), 0o700);
    set_mode(&other.path().join("b"), 0o777);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    fs_err::File::options()
        .write(true)
        .open(other.path().join("a"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    if fs_err::metadata(other.path()).unwrap().uid() == 0 {
        std::os::unix::fs::chown(other.path().join("a"), Some(4321), Some(1234)).unwrap();
    }
    assert_eq!(
        scan(one.path()).unwrap().digest(),
        scan(other.path()).unwrap().digest()
    );
    set_mode(&other.path().join("a"), 0o755);
    assert_ne!(
        scan(one.path()).unwrap().digest(),
        scan(other.path()).unwrap().digest()
    );
}

#[test]
fn packing_twice_gives_the_same_bytes_and_levels_change_only_the_archive() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    let again = packed.home.path().join("again");
    let packing = pack(
        &packed.tree(),
        &packed.manifest,
        &again,
        &SMALL_MEMBERS,
        &Watch::none(),
    )
    .unwrap();
    assert_eq!(packing, packed.packing);
    assert_eq!(
        fs_err::read(again).unwrap(),
        fs_err::read(packed.archive()).unwrap()
    );
    let best = packed.home.path().join("best");
    let options = PackOptions {
        level: 9,
        ..SMALL_MEMBERS
    };
    let packing = pack(&packed.tree(), &packed.manifest, &best, &options, &Watch::none()).unwrap();
    assert_ne!(packing.archive(), packed.packing.archive());
}

#[test]
fn an_empty_tree_is_a_release_too() {
    let packed = Packed::new(|_| (), &PackOptions::default());
    packed.unpack().unwrap();
    verify(&packed.dest(), &packed.manifest, &[], &Watch::none()).unwrap();
}

#[test]
fn a_tree_that_changed_is_not_packed_and_leaves_no_archive() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("content", |tree| file(tree, "README", b"UPPER")),
        ("longer", |tree| file(tree, "README", b"upper and more")),
        ("shorter", |tree| file(tree, "README", b"up")),
        ("mode", |tree| set_mode(&tree.join("README"), 0o755)),
        ("link", |tree| {
            fs_err::remove_file(tree.join("current")).unwrap();
            link(tree, "current", "readme");
        }),
        ("kind", |tree| {
            fs_err::remove_dir_all(tree.join("nothing/in/here")).unwrap();
            file(tree, "nothing/in/here", b"");
        }),
    ];
    for (name, change) in changes {
        let packed = Packed::new(full_tree, &SMALL_MEMBERS);
        change(&packed.tree());
        let out = packed.home.path().join("out");
        let error = pack(
            &packed.tree(),
            &packed.manifest,
            &out,
            &SMALL_MEMBERS,
            &Watch::none(),
        )
        .unwrap_err();
        assert!(matches!(error, Error::Changed { .. }), "{name}: {error}");
        assert!(!out.exists(), "{name}");
    }
}

#[test]
fn work_stops_on_request_and_tells_how_far_it_is() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    let handled = AtomicU64::new(0);
    let count = |bytes| {
        handled.fetch_add(bytes, Ordering::Relaxed);
    };
    let watch = Watch::none().on_progress(&count);
    let limits = Limits::default();
    unpack(
        &packed.archive(),
        &packed.packing,
        &packed.manifest,
        &packed.dest(),
        &limits,
        &watch,
    )
    .unwrap();
    assert_eq!(handled.load(Ordering::Relaxed), packed.manifest.total_bytes());

    let stopped = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Stopped)), "{result:?}");
    let watch = Watch::none().stop_when(&|| true);
    let out = packed.home.path().join("out");
    stopped(pack(&packed.tree(), &packed.manifest, &out, &SMALL_MEMBERS, &watch).map(drop));
    assert!(!out.exists());
    stopped(unpack(
        &packed.archive(),
        &packed.packing,
        &packed.manifest,
        &out,
        &limits,
        &watch,
    ));
    stopped(verify(&packed.dest(), &packed.manifest, &[], &watch));
}

#[test]
fn limits_are_checked_before_anything_is_written() {
    let packed = Packed::new(full_tree, &SMALL_MEMBERS);
    for limits in [
        Limits {
            max_entries: 3,
            ..Limits::default()
        },
        Limits {
            max_bytes: 1000,
            ..Limits::default()
        },
    ] {
        let result = unpack(
            &packed.archive(),
            &packed.packing,
            &packed.manifest,
            &packed.dest(),
            &limits,
            &Watch::none(),
        );
        assert!(matches!(result, Err(Error::TooLarge { .. })));
        assert!(!packed.dest().exists());
    }
}
