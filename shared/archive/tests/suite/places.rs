//! Where an archive may be read from and what it may be unpacked into.

use std::process::Command;

use pointsman_archive::{Error, PackOptions};

use crate::trees::{Packed, file, folder, link, program, set_mode};

fn packed() -> Packed {
    Packed::new(|tree| program(tree, "bin/run", b"run"), &PackOptions::default())
}

#[test]
fn only_a_fresh_private_folder_is_unpacked_into() {
    let release = packed();
    folder(&release.dest(), "");
    set_mode(&release.dest(), 0o755);
    assert!(matches!(
        release.unpack(),
        Err(Error::NotFresh {
            fault: "others may enter it",
            ..
        })
    ));
    set_mode(&release.dest(), 0o700);
    file(&release.dest(), "left-over", b"");
    assert!(matches!(
        release.unpack(),
        Err(Error::NotFresh {
            fault: "it is not empty",
            ..
        })
    ));
    fs_err::remove_file(release.dest().join("left-over")).unwrap();
    release.unpack().unwrap();
    assert!(
        matches!(release.unpack(), Err(Error::NotFresh { .. })),
        "twice into the same folder"
    );
}

#[test]
fn a_folder_of_another_user_is_not_unpacked_into() {
    let packed = packed();
    folder(&packed.dest(), "");
    set_mode(&packed.dest(), 0o700);
    if std::os::unix::fs::chown(packed.dest(), Some(4321), None).is_ok() {
        assert!(matches!(
            packed.unpack(),
            Err(Error::NotFresh {
                fault: "it belongs to another user",
                ..
            })
        ));
    } else {
        println!("skipped: this user cannot give folders away");
    }
}

#[test]
fn a_link_or_file_in_the_place_of_the_folder_is_refused() {
    let packed = packed();
    folder(packed.home.path(), "elsewhere");
    set_mode(&packed.home.path().join("elsewhere"), 0o700);
    link(packed.home.path(), "dest", "elsewhere");
    assert!(matches!(packed.unpack(), Err(Error::Io { .. })));
    assert_eq!(
        fs_err::read_dir(packed.home.path().join("elsewhere"))
            .unwrap()
            .count(),
        0
    );
    fs_err::remove_file(packed.dest()).unwrap();
    file(packed.home.path(), "dest", b"");
    assert!(matches!(packed.unpack(), Err(Error::Io { .. })));
}

#[test]
fn an_archive_is_a_regular_file_and_a_fifo_does_not_hold_the_work_up() {
    let packed = packed();
    let real = packed.home.path().join("real");
    fs_err::rename(packed.archive(), &real).unwrap();
    assert!(matches!(
        packed.unpack(),
        Err(Error::Io {
            action: "reading archive",
            ..
        })
    ));
    link(packed.home.path(), "archive", "real");
    assert!(matches!(
        packed.unpack(),
        Err(Error::Io {
            action: "reading archive",
            ..
        })
    ));
    fs_err::remove_file(packed.archive()).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(packed.archive())
            .status()
            .unwrap()
            .success()
    );
    assert!(matches!(packed.unpack(), Err(Error::ArchiveSize { .. })));
    assert!(!packed.dest().exists());
}
