//! The demo, as a script would run it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::leftovers::{folder, processes_in};

/// Runs the demo to its end; its summary and whether it succeeded.
fn demo(arguments: &[&str]) -> (Value, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_pointsman-sandbox"))
        .args(["demo", "--once", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let summary = serde_json::from_slice(&output.stdout);
    let summary = summary.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (summary, output.status.success())
}

/// Of each step that puts something live: its name, the release, and how many hosts showed it.
fn told(summary: &Value) -> Vec<(&str, &str, usize)> {
    let steps = summary["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step.get("live").is_some());
    steps
        .map(|step| {
            let well = |host: &&Value| host["faults"].as_array().is_some_and(Vec::is_empty);
            let hosts = step["hosts"].as_array().unwrap().iter().filter(well).count();
            (
                step["name"].as_str().unwrap(),
                step["live"]["label"].as_str().unwrap(),
                hosts,
            )
        })
        .collect()
}

#[test]
fn the_sample_goes_live_fails_comes_back_and_leaves_nothing() {
    let (summary, succeeded) = demo(&[]);
    let story = [
        ("deploy 1.0.0", "1.0.0", 3),
        ("deploy 1.1.0", "1.1.0", 3),
        ("deploy the broken 1.2.0", "1.1.0", 3),
        ("roll back by hand", "1.0.0", 3),
    ];
    assert_eq!(told(&summary), story, "{summary:#}");
    assert!(succeeded && summary["ok"] == true, "{summary:#}");
    let place = Path::new(summary["dir"].as_str().unwrap());
    assert!(!place.exists(), "{} is gone", place.display());
    assert_eq!(processes_in(place), []);
}

#[test]
fn a_repository_of_the_reader_arrives_byte_for_byte_and_is_kept() {
    let folder = folder();
    let repository = folder.path().join("My Shop");
    let git = |arguments: &[&str]| {
        let author = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "-C",
            repository.to_str().unwrap(),
        ];
        assert!(
            Command::new("git")
                .args(author)
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    };
    fs_err::create_dir_all(repository.join("a b/ü")).unwrap();
    git(&["init", "--quiet"]);
    fs_err::write(repository.join("a b/ü/ß.txt"), "one").unwrap();
    fs_err::write(repository.join("README"), "upper").unwrap();
    fs_err::write(repository.join("readme"), "lower").unwrap();
    fs_err::write(
        repository.join(".gitattributes"),
        "secret export-ignore\n*.txt text eol=crlf\n",
    )
    .unwrap();
    fs_err::write(repository.join("secret"), "$Id$").unwrap();
    fs_err::write(repository.join("run"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("a b/ü/ß.txt", repository.join("link")).unwrap();
    git(&["add", "--all"]);
    git(&["update-index", "--chmod=+x", "run"]);
    let gitlink = format!("160000,{},vendor", "1".repeat(40));
    git(&["update-index", "--add", "--cacheinfo", &gitlink]);
    git(&["commit", "--quiet", "--message", "one"]);
    git(&["tag", "v1"]);

    let kept = folder.path().join("kept");
    let (summary, succeeded) = demo(&[
        "--hosts",
        "1",
        "--repo",
        repository.to_str().unwrap(),
        "--ref",
        "v1",
        "--keep",
        kept.to_str().unwrap(),
    ]);
    assert!(succeeded, "{summary:#}");
    assert_eq!(summary["project"], "my-shop");
    let tree = &summary["steps"].as_array().unwrap().last().unwrap()["hosts"][0]["tree"];
    let counted = ["files", "executables", "links", "gitlinks"].map(|kind| tree[kind].as_u64().unwrap());
    assert_eq!(counted, [6, 1, 1, 1], "{summary:#}");
    let text = fs_err::read_to_string(kept.join("web-1/my-shop/current/a b/ü/ß.txt")).unwrap();
    assert_eq!(text, "one");
}
