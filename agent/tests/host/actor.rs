//! Another process that does one thing and may die at it: this test binary, started again on one test that does nothing by itself.
//!
//! What it shall do stands in `POINTSMAN_TEST_ACT`; crash points are armed in its environment only.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use pointsman_agent::journal::StateFolder;
use pointsman_agent::recovery::{Patience, recover};

use crate::machine::Machine;
use crate::world::{long_lease, patient, processes};

/// Waiting times that suit tests.
pub const SHORT: Patience = Patience {
    grace: Duration::from_millis(200),
    refusal: Duration::from_secs(10),
};

/// A job for an actor, left in `act.json`.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Act {
    pub job: u128,
    pub epoch: u32,
    pub order: serde_json::Value,
}

/// Lets another process do a job and die at a crash point; says whether it died there.
pub fn dies_doing(folder: &Path, act: &Act, crash: &str) -> bool {
    fs_err::write(folder.join("act.json"), serde_json::to_vec(act).unwrap()).unwrap();
    let status = perform("do job", folder, Some(crash));
    assert!(status.success() || status.signal() == Some(9), "{status:?}");
    status.signal() == Some(9)
}

/// Starts this binary as an actor.
pub fn start(act: &str, folder: &Path, crash: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "actor::act", "--nocapture", "--test-threads=1"]);
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
async fn act() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only way to tell another process what to do"
    )]
    let variable = |name| std::env::var(name).ok();
    let (Some(folder), Some(act)) = (variable("POINTSMAN_TEST_FOLDER"), variable("POINTSMAN_TEST_ACT"))
    else {
        return;
    };
    let folder = PathBuf::from(folder);
    let state = StateFolder::open(&folder.join("state")).unwrap();
    match act.as_str() {
        "recover" => drop(recover(&state, SHORT).await),
        "hold child" => hold_child(&state, &folder).await,
        "do job" => {
            drop(state);
            let act: Act = serde_json::from_slice(&fs_err::read(folder.join("act.json")).unwrap()).unwrap();
            drop(Machine::at(&folder).perform(act.job, act.epoch, &act.order).await);
        }
        other => panic!("an actor does not know how to {other}"),
    }
}

/// Runs a child with a grandchild that ignores TERM, until somebody kills us.
async fn hold_child(state: &StateFolder, folder: &Path) {
    let (_keeper, lease) = long_lease();
    let command = pointsman_agent::process::Command {
        argv: [
            "/bin/sh",
            "-c",
            "(trap '' TERM; sh -c 'echo $PPID' > grandchild; exec sleep 1000) & echo $$ > child; wait",
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
