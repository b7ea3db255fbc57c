//! Measures this crate against `tar | gzip` and `tar xzf` on a given tree: `measure TREE EMPTY_FOLDER`.
//!
//! Every run writes to fresh places and deletes nothing, because deleting makes later file creation slow on some disks.
//! Unpacking is done several times, in turn with `tar`, and the medians count: a busy machine then harms both alike.
//! Beside the time that passed stands the processors' time, of all threads and children, which it harms least.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use pointsman_archive::{Limits, Manifest, PackOptions, Packing, Selection, Watch, pack, unpack, verify};

/// Odd, so that the median is one of the runs.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [tree, out] = arguments.as_slice() else {
        return Err("usage: measure TREE EMPTY_FOLDER".into());
    };
    let (tree, out) = (Path::new(tree), Path::new(out));
    let (cost, manifest) = timed(|| Manifest::scan(tree, &Selection::default(), &Watch::none()));
    let manifest = manifest?;
    row("scan", cost);
    for level in [1, 6] {
        let packing = pack_both(tree, out, &manifest, level)?;
        unpack_both(out, &manifest, &packing, level)?;
    }
    Ok(())
}

/// Packs with this crate and with `tar | gzip`.
fn pack_both(tree: &Path, out: &Path, manifest: &Manifest, level: u32) -> Result<Packing, Box<dyn Error>> {
    let archive = out.join(format!("level-{level}"));
    let options = PackOptions {
        level,
        ..PackOptions::default()
    };
    let (ours, packing) = timed(|| pack(tree, manifest, &archive, &options, &Watch::none()));
    let script = format!(
        "tar -C '{}' -cf - . | gzip -{level} > '{}'",
        tree.display(),
        out.join(format!("theirs-{level}")).display()
    );
    let (theirs, done) = timed(|| shell(&script));
    done?;
    row(&format!("pack, level {level}"), ours);
    row(&format!("tar | gzip -{level}"), theirs);
    Ok(packing?)
}

/// Unpacks the archive of `level` with this crate and with `tar`, in turn, and verifies what came out.
fn unpack_both(out: &Path, manifest: &Manifest, packing: &Packing, level: u32) -> Result<(), Box<dyn Error>> {
    let (watch, limits) = (Watch::none(), Limits::default());
    let archive = out.join(format!("level-{level}"));
    let (mut ours, mut theirs, mut verified) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let place = out.join(format!("tree-{level}-{round}"));
        let (cost, done) = timed(|| unpack(&archive, packing, manifest, &place, &limits, &watch));
        done?;
        ours.push(cost);
        let copy = out.join(format!("copy-{level}-{round}"));
        let script = format!(
            "mkdir '{0}' && tar -C '{0}' -xzf '{1}' && sync -f '{0}'",
            copy.display(),
            archive.display()
        );
        let (cost, done) = timed(|| shell(&script));
        done?;
        theirs.push(cost);
        let (cost, done) = timed(|| verify(&place, manifest, &[], &watch));
        done?;
        verified.push(cost);
    }
    row("unpack, synced", median(&ours));
    row("tar xzf; sync -f", median(&theirs));
    row("verify", median(&verified));
    Ok(())
}

/// What some work took, in seconds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    passed: f64,
    processors: f64,
}

fn timed<T>(work: impl FnOnce() -> T) -> (Cost, T) {
    let (start, before) = (Instant::now(), processor_seconds());
    let result = work();
    let cost = Cost {
        passed: start.elapsed().as_secs_f64(),
        processors: processor_seconds() - before,
    };
    (cost, result)
}

/// What this process and its finished children have used so far; nothing where the kernel does not say.
fn processor_seconds() -> f64 {
    let stat = fs_err::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // utime, stime, cutime and cstime, in hundredths: proc_pid_stat(5), where the state after the name is field 3.
    let ticks: f64 = after_name
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

fn median(runs: &[Cost]) -> Cost {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Cost {
        passed: middle(runs.iter().map(|run| run.passed).collect()),
        processors: middle(runs.iter().map(|run| run.processors).collect()),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a table for people is what this program is for"
)]
fn row(what: &str, cost: Cost) {
    println!(
        "{what:<24} {:>8.3} s, processors {:>8.2} s",
        cost.passed, cost.processors
    );
}

fn shell(script: &str) -> std::io::Result<()> {
    let status = Command::new("sh").args(["-c", script]).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("`{script}` failed")))
    }
}
