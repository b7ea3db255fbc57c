//! A disk that fills up, at many levels: the live release stays, and the reason is said.

use std::process::Command;

use pointsman_shared::outcome::Outcome;

use pointsman_agent::executor::Execution;

use crate::machine::{Machine, Release, failure};

/// A small filesystem over a folder, unmounted when dropped.
struct Small(std::path::PathBuf);

impl Small {
    /// None where mounting is not allowed.
    fn over(folder: &std::path::Path, size: &str) -> Option<Self> {
        let options = format!("size={size},nr_inodes=4096,mode=0755");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder)
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then(|| Self(folder.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "{} stays mounted",
            self.0.display()
        );
    }
}

/// 1.3 MB that do not compress, so that archive and tree need their room both.
fn large_release(machine: &Machine) -> Release {
    let tree = machine.folder.join("large");
    fs_err::create_dir(&tree).unwrap();
    let mut noise = 1_u64;
    for name in 0..40_u8 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            noise.to_be_bytes()[0]
        })
        .take(32 * 1024)
        .collect();
        fs_err::write(tree.join(name.to_string()), bytes).unwrap();
    }
    machine.pack(2, &tree)
}

#[tokio::test]
async fn a_full_disk_never_touches_what_is_live() {
    let machine = Machine::new().await;
    fs_err::remove_dir_all(machine.in_root("")).unwrap();
    fs_err::create_dir(machine.in_root("")).unwrap();
    let Some(_small) = Small::over(&machine.in_root(""), "4m") else {
        println!("not run: mounting is not allowed here");
        return;
    };
    machine.adopt(0).await;
    let one = machine.release(1);
    machine.install(&one).await;
    machine.switch(&one, 1).await;
    let large = large_release(&machine);
    let (mut foreseen, mut met, mut installed) = (0, 0, 0);
    for (number, fill_kib) in (10_u128..).zip((0..=3900_u32).step_by(150)) {
        let filler = machine.in_root("filler");
        fs_err::write(&filler, vec![0; usize::try_from(fill_kib).unwrap() * 1024]).unwrap_or_default();
        // An understated size gets past the first look, so that writing itself meets the full disk.
        let mut order = large.install.clone();
        if number % 2 == 0 {
            order["archive_bytes"] = 0.into();
        }
        let done = machine.perform(number, 1, &order).await;
        if matches!(done, Execution::Ended(Outcome::Succeeded { .. })) {
            installed += 1;
        } else {
            let (code, message) = failure(&done);
            assert_eq!(code, "disk_full", "{fill_kib} KiB: {done:?}");
            let count = if message.contains("bytes are free") {
                &mut foreseen
            } else {
                &mut met
            };
            *count += 1;
        }
        assert_eq!(machine.current(), Some(one.folder.clone()), "{fill_kib} KiB");
        assert_eq!(
            fs_err::read_to_string(machine.in_root("current/version")).unwrap(),
            "1"
        );
        fs_err::remove_file(&filler).unwrap();
        let folder = machine.in_root(&format!("releases/{}", large.folder));
        if folder.exists() {
            fs_err::remove_dir_all(folder).unwrap();
        }
        let names = machine.root().releases().names().unwrap();
        assert_eq!(
            names,
            [one.folder.to_string()],
            "{fill_kib} KiB: nothing half-made stays"
        );
    }
    let counts = [foreseen, met, installed];
    assert!(
        counts.iter().all(|count| *count >= 2),
        "foreseen, met, installed: {counts:?}"
    );
}
