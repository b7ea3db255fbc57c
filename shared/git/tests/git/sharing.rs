//! One mirror folder, many users: threads, processes, and one that is killed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pointsman_git::{CheckoutOptions, Mirror};

use crate::kit::{World, gits, reference};

/// Not a test of its own: other tests run it as a process (`FETCH` = the mirror's folder, address and git program).
#[test]
fn child_that_fetches() {
    let Some(told) = std::env::var_os("FETCH") else {
        return;
    };
    let mut told = told.to_str().expect("text").split('\n');
    let (folder, url, git) = (
        told.next().expect("folder"),
        told.next().expect("url"),
        told.next().expect("git"),
    );
    let transport = pointsman_git::Transport {
        git: git.into(),
        allow_file: true,
        hosts: Vec::new(),
        home: "/nonexistent".into(),
        key: None,
        timeout: Duration::from_mins(1),
        stop: pointsman_git::Stop::default(),
    };
    let mirror = Mirror::open(folder.as_ref(), &url.parse().expect("an address"), &transport).expect("opens");
    mirror.fetch().expect("fetches");
}

pub fn child(world: &World, git: &std::path::Path) -> Command {
    let told = format!(
        "{}\n{}\n{}",
        world.mirror_folder().display(),
        world.url(),
        git.display()
    );
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "sharing::child_that_fetches"])
        .env("FETCH", told)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn threads_and_processes_share_one_mirror() {
    for git in gits() {
        let world = World::new(&git);
        let commit = world.simple("one");
        world.run(&["tag", "1.0.0"]);
        let mut children: Vec<_> = (0..3)
            .map(|_| child(&world, &git).spawn().expect("starts"))
            .collect();
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (world, commit) = (&world, &commit);
                scope.spawn(move || {
                    let mirror = world.mirror();
                    mirror.fetch().expect("fetches");
                    assert_eq!(
                        &mirror.resolve(&reference("1.0.0")).expect("resolves").commit,
                        commit
                    );
                    let destination = world.folder.path().join(number.to_string());
                    mirror
                        .checkout(commit, &destination, &CheckoutOptions::default())
                        .expect("checks out");
                });
            }
        });
        for child in &mut children {
            assert!(child.wait().expect("ends").success());
        }
        assert!(
            !world.mirror_folder().join("broken.git").exists(),
            "nobody saw damage"
        );
    }
}

/// The `git` of a killed process lives on for a while; the next fetch waits for it instead of writing beside it.
#[test]
fn a_killed_process_does_not_spoil_the_mirror() {
    for git in gits() {
        let world = World::new(&git);
        let commit = world.simple("one");
        let (started, ended) = (
            world.folder.path().join("started"),
            world.folder.path().join("ended"),
        );
        let slow = world.script(&format!(
            "touch '{}'; sleep 1; '{}' \"$@\"; touch '{}'",
            started.display(),
            git.display(),
            ended.display()
        ));
        let mut killed = child(&world, &slow).spawn().expect("starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !started.exists() {
            assert!(Instant::now() < deadline, "the child never fetched");
            std::thread::sleep(Duration::from_millis(5));
        }
        killed.kill().expect("kills");
        killed.wait().expect("reaps");
        assert!(!ended.exists());
        let mirror = world.fetched();
        assert!(ended.exists(), "we waited for the orphan");
        assert_eq!(
            mirror.resolve(&reference("main")).expect("resolves").commit,
            commit
        );
    }
}

#[test]
fn a_fetch_that_hangs_ends_in_time_and_with_all_its_processes() {
    let world = World::new(&gits()[0]);
    let pid = world.folder.path().join("pid");
    let hanging = world.script(&format!("sleep 300 & echo $! > '{}'; wait", pid.display()));
    let transport = pointsman_git::Transport {
        git: hanging,
        timeout: Duration::from_millis(500),
        ..world.transport()
    };
    let error = world.mirror_with(&transport).fetch().expect_err("too slow");
    assert_eq!(error.kind(), "timeout");
    let pid = fs_err::read_to_string(pid).expect("it started");
    let stat = format!("/proc/{}/stat", pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    while fs_err::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z ")) {
        assert!(Instant::now() < deadline, "it survived");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stop_ends_waiting_fetching_and_writing() {
    let world = World::new(&gits()[0]);
    let commit = world.simple("one");
    let mirror = world.fetched();
    let transport = pointsman_git::Transport {
        stop: pointsman_git::Stop::default(),
        ..world.transport()
    };
    let stopped = world.mirror_with(&transport);
    transport.stop.request();
    assert_eq!(stopped.fetch().expect_err("stopped").kind(), "stopped");
    let written = stopped.checkout(&commit, &world.destination(), &CheckoutOptions::default());
    assert_eq!(written.expect_err("stopped").kind(), "stopped");
    assert!(!world.destination().exists());
    mirror.fetch().expect("others go on");
}

#[test]
fn a_missing_program_is_named() {
    let world = World::new(&gits()[0]);
    let transport = pointsman_git::Transport {
        git: "/nonexistent/git".into(),
        ..world.transport()
    };
    let error = world.mirror_with(&transport).fetch().expect_err("no git");
    assert!(
        error.kind() == "no_git" && error.to_string().contains("/nonexistent/git"),
        "{error}"
    );
    assert!(world.transport().version().expect("runs").text.starts_with("2."));
}
