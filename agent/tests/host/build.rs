//! Builds from real git repositories.

use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use pointsman_agent::executor::Execution;
use pointsman_agent::step::Object;
use pointsman_archive::{Kind, Manifest};
use pointsman_shared::digest::Digest;
use pointsman_shared::outcome::{ExitReason, Outcome, Phase, Product};

use crate::machine::{Machine, failure};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with one commit; answers with the commit.
fn repository(folder: &Path) -> String {
    fs_err::create_dir_all(folder.join("src")).unwrap();
    fs_err::write(folder.join("src/main.txt"), "main").unwrap();
    fs_err::write(folder.join("lock"), "1").unwrap();
    fs_err::os::unix::fs::symlink("src/main.txt", folder.join("link")).unwrap();
    fs_err::write(
        folder.join(".gitattributes"),
        "src export-ignore\n*.txt text eol=crlf\n",
    )
    .unwrap();
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "first"]);
    git(folder, &["rev-parse", "HEAD"])
}

fn order(folder: &Path, commit: &str, recipe: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "kind": "build", "release": ID, "release_number": 1, "label": "1.0.0",
        "repository": format!("file://{}", folder.display()), "subdirectory": null, "commit": commit,
        "recipe": recipe, "shared": [{"path": "storage", "folder": true}], "log_stream": ID,
    })
}

fn recipe(steps: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "steps": steps, "cache": ["kept"], "cache_key": ["lock"], "include": [], "timeout_s": 20,
        "silence_timeout_s": 20,
    })
}

/// The manifest that a successful build stored.
fn built(machine: &Machine, done: &Execution) -> Manifest {
    let Execution::Ended(Outcome::Succeeded {
        product:
            Product::Release {
                manifest,
                archive,
                packing,
                ..
            },
    }) = done
    else {
        panic!("{done:?}\n{}", machine.desk.log());
    };
    assert!(machine.desk.path(Object::Archive(*archive)).is_file());
    assert!(machine.desk.path(Object::Packing(*packing)).is_file());
    let bytes = fs_err::read(machine.desk.path(Object::Manifest(*manifest))).unwrap();
    assert_eq!(Digest::of(&bytes), *manifest);
    Manifest::parse(&bytes).unwrap()
}

fn paths(manifest: &Manifest) -> Vec<&str> {
    manifest
        .entries()
        .iter()
        .map(|entry| entry.path.as_str())
        .collect()
}

#[tokio::test]
async fn without_a_recipe_the_commit_is_the_release_byte_for_byte() {
    let machine = Machine::new().await;
    let source = machine.folder.join("repository");
    let commit = repository(&source);
    let done = machine
        .perform(1, 1, &order(&source, &commit, &serde_json::Value::Null))
        .await;
    let manifest = built(&machine, &done);
    assert_eq!(
        paths(&manifest),
        [".gitattributes", "link", "lock", "src", "src/main.txt"]
    );
    let file = &manifest.get("src/main.txt").unwrap().kind;
    assert!(
        matches!(file, Kind::File { digest, .. } if *digest == Digest::of(b"main")),
        "{file:?}"
    );
    let builds: Vec<_> = fs_err::read_dir(machine.folder.join("workshop/builds"))
        .unwrap()
        .collect();
    assert!(builds.is_empty(), "a finished build leaves no folder");
}

#[tokio::test]
async fn submodules_are_part_of_the_release_where_the_recipe_says_so() {
    let machine = Machine::new().await;
    let (library, source) = (machine.folder.join("library"), machine.folder.join("repository"));
    let pinned = repository(&library);
    repository(&source);
    let modules = "[submodule \"lib\"]\n\tpath = lib\n\turl = ../library\n";
    fs_err::write(source.join(".gitmodules"), modules).unwrap();
    git(
        &source,
        &[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{pinned},lib"),
        ],
    );
    git(&source, &["add", ".gitmodules"]);
    git(&source, &["commit", "-q", "-m", "with a library"]);
    let commit = git(&source, &["rev-parse", "HEAD"]);
    let mut recipe = recipe(&[]);
    let plain = machine.perform(1, 1, &order(&source, &commit, &recipe)).await;
    assert!(!paths(&built(&machine, &plain)).contains(&"lib/lock"));
    assert!(
        machine.desk.log().contains("`submodules = true`"),
        "{}",
        machine.desk.log()
    );
    recipe["submodules"] = true.into();
    let whole = machine.perform(2, 1, &order(&source, &commit, &recipe)).await;
    let manifest = built(&machine, &whole);
    assert!(paths(&manifest).contains(&"lib/lock"), "{:?}", paths(&manifest));
    let told = format!("submodule lib: file://{} at {pinned}", library.display());
    assert!(machine.desk.log().contains(&told), "{}", machine.desk.log());
    let again = machine.perform(3, 1, &order(&source, &commit, &recipe)).await;
    assert_eq!(built(&machine, &again).digest(), manifest.digest());
}

#[tokio::test]
async fn what_builds_leave_behind_goes_when_no_build_used_it_for_long() {
    let machine = Machine::new().await;
    let (old, new) = (machine.folder.join("old"), machine.folder.join("new"));
    let steps = ["mkdir -p kept && echo 7 > kept/count"];
    let commit = repository(&old);
    let first = machine
        .perform(1, 1, &order(&old, &commit, &recipe(&steps)))
        .await;
    built(&machine, &first);
    let folders = |name: &str| {
        let folder = machine.folder.join("workshop").join(name);
        fs_err::read_dir(folder).unwrap().count()
    };
    let caches = format!("caches/{ID}");
    assert_eq!((folders("mirrors"), folders(&caches)), (1, 1));
    machine.clock.put_forward(TimeDelta::days(31));
    repository(&new);
    fs_err::write(new.join("lock"), "2").unwrap();
    git(&new, &["commit", "-q", "-a", "-m", "second"]);
    let commit = git(&new, &["rev-parse", "HEAD"]);
    let second = machine
        .perform(2, 1, &order(&new, &commit, &recipe(&steps)))
        .await;
    built(&machine, &second);
    assert_eq!(
        (folders("mirrors"), folders(&caches)),
        (2, 2),
        "a build makes room only"
    );

    let collect = serde_json::json!({ "kind": "collect_workshop", "log_stream": ID });
    let done = machine.perform(3, 1, &collect).await;
    let Execution::Ended(Outcome::Succeeded {
        product: Product::WorkshopCollected { gone, more: 0, bytes },
    }) = &done
    else {
        panic!("{done:?}");
    };
    assert_eq!((folders("mirrors"), folders(&caches)), (1, 1));
    assert!(
        gone.len() == 2 && gone.iter().all(|gone| gone.reason == "unused for 31 d"),
        "{gone:?}"
    );
    assert!(*bytes > 0);
    let log = machine.desk.log();
    assert!(
        log.contains("mirror ") && log.contains("cache ") && log.contains("unused for 31 d"),
        "{log}"
    );
    let again = machine.perform(4, 1, &collect).await;
    assert!(
        matches!(again, Execution::Ended(Outcome::Succeeded { .. })),
        "{again:?}"
    );
    assert_eq!((folders("mirrors"), folders(&caches)), (1, 1));
}

#[tokio::test]
async fn steps_see_their_variables_and_the_cache_comes_back() {
    let machine = Machine::new().await;
    let source = machine.folder.join("repository");
    let commit = repository(&source);
    let steps = [
        "mkdir -p kept dist && cat kept/count > dist/before 2>/dev/null || true; echo 7 > kept/count",
        "echo \"$POINTSMAN_PROJECT $POINTSMAN_RELEASE_LABEL $POINTSMAN_COMMIT $COLOUR $SOURCE_DATE_EPOCH\" | tee dist/facts",
        "test -d \"$HOME\" && test -d \"$TMPDIR\" && test -z \"${POINTSMAN_TEST_FOLDER:-}\"",
    ];
    let first = machine
        .perform(1, 1, &order(&source, &commit, &recipe(&steps)))
        .await;
    let manifest = built(&machine, &first);
    assert!(
        !paths(&manifest)
            .iter()
            .any(|path| path.starts_with("kept") || path.starts_with(".git/"))
    );
    let time = git(&source, &["show", "-s", "--format=%ct", "HEAD"]);
    let facts = format!("shop 1.0.0 {commit} green {time}");
    assert!(machine.desk.log().contains(&facts), "{}", machine.desk.log());
    let second = machine
        .perform(2, 1, &order(&source, &commit, &recipe(&steps)))
        .await;
    let before = &built(&machine, &second).get("dist/before").unwrap().kind.clone();
    assert!(
        matches!(before, Kind::File { digest, .. } if *digest == Digest::of(b"7\n")),
        "{before:?}"
    );
}

#[tokio::test]
async fn failing_hanging_and_lost_builds_say_so() {
    let machine = Machine::new().await;
    let source = machine.folder.join("repository");
    let commit = repository(&source);
    let done = machine
        .perform(1, 1, &order(&source, &commit, &recipe(&["false; true"])))
        .await;
    let Execution::Ended(Outcome::Failed {
        phase, exit, message, ..
    }) = &done
    else {
        panic!("{done:?}")
    };
    assert_eq!((*phase, exit.as_ref().unwrap().status), (Phase::Build, Some(1)));
    insta::assert_snapshot!(message, @"`false; true` ended with status 1");
    let mut hanging = recipe(&["sleep 60"]);
    hanging["silence_timeout_s"] = 1.into();
    let done = machine.perform(2, 1, &order(&source, &commit, &hanging)).await;
    let Execution::Ended(Outcome::Failed { exit, message, .. }) = &done else {
        panic!("{done:?}")
    };
    assert_eq!(exit.as_ref().unwrap().reason, ExitReason::Silent);
    insta::assert_snapshot!(message, @"`sleep 60` printed nothing for 1s and was ended");
    let done = machine
        .perform(3, 1, &order(&source, &"b".repeat(40), &serde_json::Value::Null))
        .await;
    assert_eq!(failure(&done).0, "unknown_commit");
    let nowhere = order(&machine.folder.join("nowhere"), &commit, &serde_json::Value::Null);
    assert_eq!(
        failure(&machine.perform(4, 1, &nowhere).await).0,
        "repository_unreachable"
    );
    let steps = recipe(&["mkdir storage; touch storage/mine"]);
    let done = machine.perform(5, 1, &order(&source, &commit, &steps)).await;
    assert_eq!(failure(&done).0, "release_refused", "{done:?}");
    assert!(failure(&done).1.contains("storage"), "{done:?}");
}
