//! Measures this crate against `tar | gzip` and `tar xzf` on a given tree: `measure TREE EMPTY_FOLDER`.
//!
//! Every run writes to fresh places and deletes nothing, because deleting makes later file creation slow on some disks.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use pointsman_archive::{Error, Limits, Manifest, PackOptions, Selection, Watch, pack, unpack, verify};

#[expect(
    clippy::print_stdout,
    reason = "a table for people is what this program is for"
)]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what:<28} {:>8.3} s", start.elapsed().as_secs_f64());
    result
}

fn shell(script: &str) -> std::io::Result<()> {
    let status = Command::new("sh").args(["-c", script]).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("`{script}` failed")))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [tree, out] = arguments.as_slice() else {
        return Err("usage: measure TREE EMPTY_FOLDER".into());
    };
    let (tree, out) = (Path::new(tree), Path::new(out));
    let watch = Watch::none();
    let manifest = timed("scan", || Manifest::scan(tree, &Selection::default(), &watch))?;
    for level in [1, 6] {
        let archive = out.join(format!("level-{level}"));
        let options = PackOptions {
            level,
            ..PackOptions::default()
        };
        let packing = timed(&format!("pack, level {level}"), || {
            pack(tree, &manifest, &archive, &options, &watch)
        })?;
        let (theirs, place) = (
            out.join(format!("theirs-{level}")),
            out.join(format!("tree-{level}")),
        );
        let script = format!(
            "tar -C '{}' -cf - . | gzip -{level} > '{}'",
            tree.display(),
            theirs.display()
        );
        timed(&format!("tar | gzip -{level}"), || shell(&script))?;
        timed("unpack, synced", || -> Result<(), Error> {
            unpack(&archive, &packing, &manifest, &place, &Limits::default(), &watch)
        })?;
        let copy = out.join(format!("copy-{level}"));
        let script = format!(
            "mkdir '{0}' && tar -C '{0}' -xzf '{1}' && sync -f '{0}'",
            copy.display(),
            archive.display()
        );
        timed("tar xzf; sync -f", || shell(&script))?;
        timed("verify", || verify(&place, &manifest, &[], &watch))?;
    }
    Ok(())
}
