//! Another process that does one thing and may die at it: this test binary, started again on one ignored test.
//!
//! What it shall do stands in `POINTSMAN_TEST_ACT`; crash points are armed in its environment only.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use pointsman_agent::journal::StateFolder;
use pointsman_agent::recovery::{Patience, recover};

use crate::world::{long_lease, patient, processes};

/// Waiting times that suit tests.
pub const SHORT: Patience = Patience {
    grace: Duration::from_millis(200),
    refusal: Duration::from_secs(10),
};

/// Starts this binary as an actor.
pub fn start(act: &str, folder: &Path, crash: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "actor::act",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
        .env("POINTSMAN_TEST_ACT", act)
        .env("POINTSMAN_TEST_FOLDER", folder);
    if let Some(point) = crash {
        command.env("POINTSMAN_CRASH", point);
    }
    command.stdout(std::process::Stdio::null()).spawn().unwrap()
}

/// Lets an actor do its thing to the end.
pub fn perform(act: &str, folder: &Path, crash: Option<&str>) -> ExitStatus {
    start(act, folder, crash).wait().unwrap()
}

#[tokio::test]
#[ignore = "started by other tests as a process of its own"]
async fn act() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only way to tell another process what to do"
    )]
    let variable = |name| std::env::var(name).unwrap();
    let folder = PathBuf::from(variable("POINTSMAN_TEST_FOLDER"));
    let state = StateFolder::open(&folder.join("state")).unwrap();
    let act = variable("POINTSMAN_TEST_ACT");
    match act.as_str() {
        "recover" => drop(recover(&state, SHORT).await),
        "hold child" => hold_child(&state, &folder).await,
        other => panic!("an actor does not know how to {other}"),
    }
}

/// Runs a child with a grandchild until somebody kills us.
async fn hold_child(state: &StateFolder, folder: &Path) {
    let (_keeper, lease) = long_lease();
    let command = pointsman_agent::process::Command {
        argv: [
            "/bin/sh",
            "-c",
            "sleep 1000 & echo $! > grandchild; echo $$ > child; wait",
        ]
        .map(str::to_owned)
        .to_vec(),
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        cwd: folder.to_owned(),
    };
    processes(state)
        .run(&command, &patient(), &lease, &mut |_| {})
        .await
        .unwrap();
}
