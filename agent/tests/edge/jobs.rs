//! Jobs for the tests: a repository to build from, and bodies for a host.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::agent::Host;

/// Makes a repository with one commit in `folder`; says which commit.
pub fn repository(folder: &Path, files: &[(&str, &str)]) -> String {
    fs_err::create_dir_all(folder).unwrap();
    for (name, content) in files {
        fs_err::write(folder.join(name), content).unwrap();
    }
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(
        folder,
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-q",
            "-m",
            "first",
        ],
    );
    git(folder, &["rev-parse", "HEAD"])
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Turns the sample build into one of the host's own repository with these shell steps.
pub fn build_of(host: &Host, steps: &[&str]) -> impl FnOnce(&mut Value) + use<> {
    let folder = host.path("repository");
    let commit = if folder.exists() {
        git(&folder, &["rev-parse", "HEAD"])
    } else {
        repository(&folder, &[("index.html", "one"), ("README", "read me")])
    };
    let url = format!("file://{}", folder.display());
    let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    move |body| {
        let order = &mut body["order"];
        order["repository"] = url.into();
        order["commit"] = commit.into();
        order["subdirectory"] = Value::Null;
        order["shared"] = json!([]);
        order["recipe"] = json!({
            "steps": steps, "cache": [], "cache_key": [], "include": [], "timeout_s": 60, "silence_timeout_s": 60,
        });
    }
}

/// A build that runs until `file` exists.
pub fn build_until(host: &Host, file: &str) -> impl FnOnce(&mut Value) + use<> {
    let step = format!(
        "while [ ! -e {} ]; do sleep 0.05; done",
        host.path(file).display()
    );
    build_of(host, &[&step])
}
