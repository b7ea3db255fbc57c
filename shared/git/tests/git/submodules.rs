//! Submodules: their pinned commits are written where the tree has them, from addresses that are allowed, and nothing that
//! `.gitmodules` says is believed beyond that.

use std::path::{Path, PathBuf};

use pointsman_git::{CheckoutOptions, Mirror, PlacedSubmodule, Submodules, Transport};
use pointsman_shared::repository::{CommitId, RepositoryUrl};

use crate::kit::{World, gits};

fn opened(world: &World, transport: &Transport, url: &RepositoryUrl) -> pointsman_git::Result<Mirror> {
    let name: String = url
        .to_string()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    Mirror::open(&world.folder.path().join("mirrors").join(name), url, transport)
}

/// Checks out with submodules to a folder of this name.
fn checked_out(
    world: &World,
    commit: &CommitId,
    subdirectory: Option<&str>,
    name: &str,
    transport: &Transport,
) -> pointsman_git::Result<(PathBuf, Vec<PlacedSubmodule>)> {
    let options = CheckoutOptions {
        subdirectory: subdirectory.map(str::to_owned),
        ..CheckoutOptions::default()
    };
    let destination = world.folder.path().join(name);
    let mirror = opened(world, &world.transport(), &world.url())?;
    mirror.ensure_commit(commit)?;
    let written = mirror.checkout(commit, &destination, &options)?;
    let open = |url: &RepositoryUrl| opened(world, transport, url);
    let submodules = Submodules { open: &open, options };
    let placed = mirror.checkout_submodules(commit, &written.gitlinks, &destination, &submodules)?;
    Ok((destination, placed))
}

fn module(name: &str, path: &str, url: &str) -> String {
    format!("[submodule \"{name}\"]\n\tpath = {path}\n\turl = {url}\n")
}

/// A commit with a submodule at `path`.
fn holding(world: &World, modules: &str, path: &str, pinned: &CommitId) -> CommitId {
    world.commit(
        "holds a submodule",
        &[
            ("100644", b".gitmodules", modules.as_bytes()),
            ("100644", b"file", b"outer"),
            ("160000", path.as_bytes(), pinned.as_str().as_bytes()),
        ],
    )
}

fn read(folder: &Path, file: &str) -> String {
    fs_err::read_to_string(folder.join(file)).expect(file)
}

#[test]
fn pinned_commits_are_written_into_each_other() {
    for git in gits() {
        let (outer, inner, deep) = (World::new(&git), World::new(&git), World::new(&git));
        let pinned_deep = deep.commit(
            "deep",
            &[("100755", b"run", b"deep"), ("120000", b"link", b"run")],
        );
        let relative = format!(
            "../../{}/source",
            deep.folder.path().file_name().expect("a name").display()
        );
        let pinned = holding(
            &inner,
            &module("deep", "in/deep", &relative),
            "in/deep",
            &pinned_deep,
        );
        // A commit that no branch leads to any more is still the pinned one.
        inner.run(&["reset", "--quiet", "--soft", "HEAD"]);
        inner.simple("newer");
        let url = inner.url().to_string();
        let commit = holding(&outer, &module("web lib", "web/lib", &url), "web/lib", &pinned);
        let (whole, placed) =
            checked_out(&outer, &commit, None, "whole", &outer.transport()).expect("placed");
        let told: Vec<_> = placed
            .iter()
            .map(|one| (one.path.as_str(), &one.url, &one.commit))
            .collect();
        assert_eq!(
            told,
            [
                ("web/lib", &inner.url(), &pinned),
                ("web/lib/in/deep", &deep.url(), &pinned_deep)
            ]
        );
        assert_eq!(read(&whole, "web/lib/file"), "outer");
        assert_eq!(read(&whole, "web/lib/in/deep/link"), "deep");
        assert!(!whole.join("web/lib/.git").exists());
        let (again, _) = checked_out(&outer, &commit, None, "again", &outer.transport()).expect("placed");
        assert_eq!(outer.found(&whole), outer.found(&again), "the same bytes");
        let (part, placed) =
            checked_out(&outer, &commit, Some("web"), "part", &outer.transport()).expect("placed");
        assert_eq!(placed[0].path, "lib");
        assert_eq!(read(&part, "lib/in/deep/run"), "deep");
    }
}

#[test]
fn what_failed_is_named_with_path_address_and_commit() {
    let (outer, inner) = (World::new(&gits()[0]), World::new(&gits()[0]));
    let pinned = inner.simple("one");
    let missing: CommitId = "12".repeat(20).parse().expect("a commit");
    let url = inner.url().to_string();
    let closed = Transport {
        allow_file: false,
        hosts: vec!["git.acme.example".to_owned()],
        ..outer.transport()
    };
    let open = outer.transport();
    for (name, url, pinned, transport, kind) in [
        ("gone", url.as_str(), &missing, &open, "unknown_commit"),
        ("local", url.as_str(), &pinned, &closed, "repository_not_allowed"),
        (
            "other",
            "https://github.com/acme/lib",
            &pinned,
            &closed,
            "repository_not_allowed",
        ),
        (
            "inner",
            "https://127.0.0.1/lib",
            &pinned,
            &open,
            "repository_not_allowed",
        ),
    ] {
        let commit = holding(&outer, &module("lib", "web/lib", url), "web/lib", pinned);
        let error = checked_out(&outer, &commit, None, name, transport).expect_err(name);
        assert_eq!(error.kind(), kind, "{error}");
        let told = error.to_string();
        for words in ["web/lib", url, pinned.short()] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

/// What is wrong with a commit; git's own checks may find it before ours do.
fn is_refused(outer: &World, commit: &CommitId, name: &str) -> String {
    let error = checked_out(outer, commit, None, name, &outer.transport()).expect_err(name);
    let kinds = ["repository_unsound", "unusable_submodule", "unusable_path"];
    assert!(kinds.contains(&error.kind()), "{name}: {error}");
    error.to_string()
}

/// CVE-2018-11235, CVE-2018-17456 and their relatives.
#[test]
fn traps_in_gitmodules_are_refused_and_nothing_runs() {
    let inner = World::new(&gits()[0]);
    let pinned = inner.simple("one");
    let pwned = inner.folder.path().join("pwned");
    let touch = format!("touch {}", pwned.display());
    let url = inner.url().to_string();
    let update = module("lib", "lib", &url) + &format!("\tupdate = !{touch}\n");
    let include = format!(
        "[include]\n\tpath = {}\n",
        inner.source().join(".git/config").display()
    );
    for (name, text) in [
        ("name", module("../../hooks", "lib", &url)),
        ("option", module("lib", "lib", &format!("-u./{touch}"))),
        ("path", module("lib", "-u./lib", &url)),
        (
            "proxy",
            module("lib", "lib", &format!("ssh://-oProxyCommand={touch}/lib")),
        ),
        ("ext", module("lib", "lib", &format!("ext::sh -c {touch}"))),
        ("plain", module("lib", "lib", "http://git.acme.example/lib")),
        ("leaves", module("lib", "lib", &"../".repeat(20))),
        ("update", update),
        ("include", include),
        ("other path", module("lib", "../lib", &url)),
        ("none", String::new()),
    ] {
        let outer = World::new(&gits()[0]);
        let commit = holding(&outer, &text, "lib", &pinned);
        is_refused(&outer, &commit, name);
        assert!(!pwned.exists(), "{name} was executed");
    }
}

#[test]
fn a_list_that_is_a_link_is_not_followed_and_one_that_nobody_asks_for_does_nothing() {
    let (outer, inner) = (World::new(&gits()[0]), World::new(&gits()[0]));
    let pinned = inner.simple("one");
    // What is wrong only for whoever follows it: git takes the repository, and so does a checkout without submodules.
    let commit = holding(
        &outer,
        &module("lib", "lib", "http://git.acme.example/lib"),
        "lib",
        &pinned,
    );
    let mirror = opened(&outer, &outer.transport(), &outer.url()).expect("opens");
    mirror.ensure_commit(&commit).expect("fetches");
    let plain = mirror.checkout(&commit, &outer.destination(), &CheckoutOptions::default());
    assert_eq!(plain.expect("checks out").gitlinks[0].path, "lib");

    let target = outer.feed(&outer.source(), &["hash-object", "-w", "--stdin"], b"file");
    let target = String::from_utf8(target).expect("an id");
    let entries = format!(
        "120000 blob {}\t.gitmodules\n160000 commit {pinned}\tlib\n",
        target.trim()
    );
    let tree = outer.feed(&outer.source(), &["mktree", "--missing"], entries.as_bytes());
    let tree = String::from_utf8(tree).expect("an id");
    let link = outer.run(&["commit-tree", "-m", "a link", tree.trim()]);
    outer.run(&["update-ref", "refs/heads/main", &link]);
    let told = is_refused(&outer, &link.parse().expect("a commit"), "link");
    assert!(
        told.contains("it is not a file") || told.contains("gitmodulesSymlink"),
        "{told}"
    );
}

#[test]
fn depths_end_somewhere() {
    let git = &gits()[0];
    let mut pinned = None;
    let mut worlds: Vec<World> = Vec::new();
    for _ in 0..10 {
        let world = World::new(git);
        let commit = match (&pinned, worlds.last()) {
            (Some(pinned), Some(inner)) => {
                holding(&world, &module("m", "m", &inner.url().to_string()), "m", pinned)
            }
            (_, _) => world.simple("innermost"),
        };
        pinned = Some(commit);
        worlds.push(world);
    }
    let (outer, commit) = (worlds.last().expect("ten"), pinned.expect("ten"));
    let error = checked_out(outer, &commit, None, "deep", &outer.transport()).expect_err("nine deep");
    assert!(error.to_string().contains("more than 8 deep"), "{error}");
    let (eight, commit) = (&worlds[8], worlds[8].head());
    let (_, placed) = checked_out(eight, &commit, None, "deep", &eight.transport()).expect("eight deep");
    assert_eq!(placed.len(), 8);
}
