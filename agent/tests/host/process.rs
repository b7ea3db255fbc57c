//! Children: how they start, what they see, how they end.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pointsman_agent::lease::{BootInstant, lease};
use pointsman_agent::process::{Limits, Line, OutputLimits, ProcessError};
use pointsman_shared::outcome::ExitReason;
use pointsman_shared::wire::logs::LogSource;

use crate::world::{World, eventually, gate, lives, patient, pid_in};

#[tokio::test]
async fn a_child_sees_its_environment_its_folder_and_an_empty_input() {
    let mut world = World::new();
    let mut command =
        world.script("env | sort; pwd; cat; echo bad >&2; ps -o pgid= -o sid= -p $$ | xargs; echo $$");
    command.env.push(("COLOUR".to_owned(), "green".to_owned()));
    let ended = world.run(&command, &patient()).await.unwrap();
    assert!(ended.success(), "{ended:?}");
    let folder = world.folder.path().display().to_string();
    let texts = world.texts();
    assert!(
        texts.contains(&"COLOUR=green") && texts.contains(&"PATH=/usr/bin:/bin"),
        "{texts:?}"
    );
    let variables: Vec<_> = texts.iter().filter(|text| text.contains('=')).collect();
    // The shell itself adds PWD (and its own OLDPWD, SHLVL, _).
    assert!(
        variables.iter().all(
            |v| ["COLOUR", "PATH", "PWD", "OLDPWD", "SHLVL", "_"].contains(&v.split('=').next().unwrap())
        ),
        "{variables:?}"
    );
    assert!(texts.contains(&folder.as_str()));
    assert!(world.lines.contains(&Line::Text {
        source: LogSource::Err,
        text: "bad".to_owned()
    }));
    let own = texts.last().unwrap();
    assert!(
        texts.contains(&format!("{own} {own}").as_str()),
        "leads its group and session: {texts:?}"
    );
    assert!(
        world.state.groups.all().is_empty(),
        "a child that is gone is forgotten"
    );
}

#[tokio::test]
async fn status_signal_and_reason_are_three_things() {
    let mut world = World::new();
    let exit = world.run(&world.script("exit 3"), &patient()).await.unwrap().exit;
    assert_eq!(
        (exit.status, exit.signal, exit.reason),
        (Some(3), None, ExitReason::Finished)
    );
    let exit = world
        .run(&world.script("kill -SEGV $$"), &patient())
        .await
        .unwrap()
        .exit;
    assert_eq!(
        (exit.status, exit.signal, exit.reason),
        (None, Some(11), ExitReason::Finished)
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_did_not_start() {
    let mut world = World::new();
    let mut command = world.script("");
    command.argv = vec!["no-such-program".to_owned(), "--flag".to_owned()];
    let error = world.run(&command, &patient()).await.unwrap_err();
    assert!(matches!(error, ProcessError::Program { .. }), "{error:?}");
    assert!(error.to_string().contains("No such file"), "{error}");
    command.cwd = world.path("nowhere");
    let error = world.run(&command, &patient()).await.unwrap_err();
    assert!(matches!(error, ProcessError::Spawn { .. }), "{error:?}");
    assert!(world.state.groups.all().is_empty());
}

#[tokio::test]
async fn a_silent_child_is_ended_and_a_talking_one_is_not() {
    let mut world = World::new();
    let limits = Limits {
        silence: Some(Duration::from_millis(400)),
        ..patient()
    };
    let talking = world.script("for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done");
    assert!(world.run(&talking, &limits).await.unwrap().success());
    let exit = world
        .run(&world.script("echo once; sleep 60"), &limits)
        .await
        .unwrap()
        .exit;
    assert_eq!((exit.signal, exit.reason), (Some(15), ExitReason::Silent));
}

#[tokio::test]
async fn a_child_that_ignores_term_is_killed_after_the_grace() {
    let mut world = World::new();
    let limits = Limits {
        total: Duration::from_millis(300),
        ..patient()
    };
    let deaf = world.script("trap '' TERM; while :; do sleep 0.05; done");
    let exit = world.run(&deaf, &limits).await.unwrap().exit;
    assert_eq!((exit.signal, exit.reason), (Some(9), ExitReason::TimedOut));
    let polite = world.script("trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done");
    let exit = world.run(&polite, &limits).await.unwrap().exit;
    assert_eq!(
        (exit.status, exit.reason),
        (Some(0), ExitReason::TimedOut),
        "its status and our reason"
    );
    assert!(
        world.texts().contains(&"bye"),
        "what it says while it ends is kept"
    );
}

#[tokio::test]
async fn a_grandchild_that_left_and_keeps_the_pipes_open_does_not_hang_us() {
    let mut world = World::new();
    let begun = Instant::now();
    let daemon = world.script("setsid sh -c 'echo $$ > daemon; exec sleep 1000' & while [ ! -s daemon ]; do sleep 0.01; done; echo done");
    assert!(world.run(&daemon, &patient()).await.unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(world.texts(), ["done"]);
    let pid = pid_in(&world.path("daemon"));
    assert!(lives(pid), "a process of another session is not ours to end");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid.cast_signed()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

#[tokio::test]
async fn what_a_child_leaves_in_its_group_ends_with_it() {
    let mut world = World::new();
    let script = "sh -c 'trap \"\" TERM; echo $$ > left; while :; do sleep 0.05; done' & while [ ! -s left ]; do sleep 0.01; done";
    assert!(
        world
            .run(&world.script(script), &patient())
            .await
            .unwrap()
            .success()
    );
    assert!(!lives(pid_in(&world.path("left"))));
}

#[tokio::test]
async fn a_flood_is_kept_in_part_and_ended_at_the_hard_limit() {
    let mut world = World::new();
    let output = OutputLimits {
        line: 1024,
        kept: 10_000,
        hard: 2_000_000,
    };
    let limits = Limits { output, ..patient() };
    let exit = world.run(&world.script("yes flood"), &limits).await.unwrap().exit;
    assert_eq!(exit.reason, ExitReason::OutputLimit);
    let kept: usize = world.texts().iter().map(|text| text.len() + 1).sum();
    assert!(kept <= 10_000, "{kept}");
    assert!(
        matches!(world.lines.last(), Some(Line::Gap { lines, .. }) if *lines > 100_000),
        "{:?}",
        world.lines.last()
    );
}

#[tokio::test]
async fn cancelling_and_losing_the_lease_end_a_child_for_different_reasons() {
    let mut world = World::new();
    let (keeper, held) = crate::world::long_lease();
    let sleeper = world.script("echo $$ > child; sleep 60");
    let (file, limits) = (world.path("child"), patient());
    let (ended, ()) = tokio::join!(world.run_under(&sleeper, &limits, &held), async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        keeper.cancel("not needed".to_owned());
    });
    assert_eq!(ended.unwrap().exit.reason, ExitReason::Cancelled);
    let (_keeper, short) = lease(BootInstant::now().plus(Duration::from_millis(200)));
    let ended = world.run_under(&sleeper, &patient(), &short).await.unwrap();
    assert_eq!(ended.exit.reason, ExitReason::LeaseLost);
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_behind() {
    let mut world = World::new();
    let file = world.path("child");
    let sleeper = world.script("echo $$ > child; sleep 60");
    let limits = patient();
    let run = tokio::time::timeout(Duration::from_secs(1), world.run(&sleeper, &limits));
    assert!(run.await.is_err());
    let pid = pid_in(&file);
    eventually("the child is dead", || !lives(pid));
}

#[test]
fn a_gate_whose_agent_dies_never_becomes_its_program() {
    let folder = tempfile::tempdir().unwrap();
    let ran = folder.path().join("ran");
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut gate = std::process::Command::new(gate())
        .args(["gate", "--", "touch"])
        .arg(&ran)
        .stdin(OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    let mut ready = [0];
    ours.read_exact(&mut ready).unwrap();
    drop(ours);
    let status = gate.wait().unwrap();
    assert_eq!(status.code(), Some(127));
    assert!(!ran.exists());
}

#[test]
fn a_gate_refuses_any_word_but_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let ran = folder.path().join("ran");
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut gate = std::process::Command::new(gate())
        .args(["gate", "--", "touch"])
        .arg(&ran)
        .stdin(OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    ours.write_all(b"x").unwrap();
    assert_eq!(gate.wait().unwrap().code(), Some(127));
    assert!(!ran.exists());
}
