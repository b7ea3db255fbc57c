//! A disk that is full says so, in its own words, and nothing else is blamed.

use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_archive::{Error, Limits, PackOptions, Watch, pack, unpack};

use crate::trees::{Packed, file};

/// A small file system of its own, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, options: &str) -> Option<Self> {
        fs_err::create_dir(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_path_buf())),
            _ => {
                println!("skipped: this user cannot mount a small tmpfs");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount")
            .arg(&self.0)
            .status()
            .is_ok_and(|status| status.success());
        assert!(unmounted, "{} stays mounted", self.0.display());
    }
}

fn noise(length: u32) -> Vec<u8> {
    (0..length)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 31).to_le_bytes())
        .collect()
}

#[test]
fn no_space_and_no_inodes_are_a_full_disk() {
    let plant = |tree: &Path| (0..20).for_each(|n| file(tree, &format!("f{n}"), &noise(10_000)));
    let packed = Packed::new(
        plant,
        &PackOptions {
            member_bytes: 100_000,
            ..PackOptions::default()
        },
    );
    for options in ["size=256k,mode=755", "size=10m,nr_inodes=12,mode=755"] {
        let Some(disk) = SmallDisk::mount(&packed.home.path().join("small"), options) else {
            return;
        };
        let dest = disk.0.join("dest");
        let result = unpack(
            &packed.archive(),
            &packed.packing,
            &packed.manifest,
            &dest,
            &Limits::default(),
            &Watch::none(),
        );
        assert!(
            matches!(result, Err(Error::DiskFull { .. })),
            "{options}: {result:?}"
        );
        drop(disk);
        fs_err::remove_dir(packed.home.path().join("small")).unwrap();
    }
    let Some(disk) = SmallDisk::mount(&packed.home.path().join("small"), "size=64k") else {
        return;
    };
    let out = disk.0.join("archive");
    let result = pack(
        &packed.tree(),
        &packed.manifest,
        &out,
        &PackOptions::default(),
        &Watch::none(),
    );
    assert!(matches!(result, Err(Error::DiskFull { .. })), "{result:?}");
    assert!(!out.exists());
}
