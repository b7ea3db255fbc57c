//! A checkout equals `git ls-tree -rz`, whatever the tree holds; what cannot be is refused by name.

use pointsman_git::{CheckoutOptions, Error, Mirror};
use pointsman_shared::repository::CommitId;

use crate::kit::{World, commit, gits};

const GITLINK: &[u8] = b"1111111111111111111111111111111111111111";

fn check_out(mirror: &Mirror, world: &World, commit: &CommitId) -> Result<(), Error> {
    mirror
        .checkout(commit, &world.destination(), &CheckoutOptions::default())
        .map(drop)
}

#[test]
fn nasty_trees_come_out_byte_for_byte() {
    for git in gits() {
        let world = World::new(&git);
        let deep = format!("{}leaf", "d/".repeat(60));
        let long = "x".repeat(255);
        let everything: Vec<u8> = (0..=255).collect();
        let commit = world.commit(
            "nasty",
            &[
                ("100644", b".gitattributes", b"* text=auto eol=crlf\nsecret export-ignore\n*.bin filter=lfs diff=lfs\nversion export-subst ident\n"),
                ("100644", b"unix.txt", b"one\ntwo\n"),
                ("100644", b"dos.txt", b"one\r\ntwo\r\n"),
                ("100644", b"secret", b"not exported"),
                ("100644", b"version", b"$Format:%H$ $Id$\n"),
                ("100644", b"pointer.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
                ("100644", b"everything", &everything),
                ("100755", b"bin/run", b"#!/bin/sh\n"),
                ("120000", b"bin/link", b"../unix.txt"),
                ("120000", b"dangling", b"nowhere/at all"),
                ("120000", b"absolute", b"/etc/passwd"),
                ("120000", b"raw", b"gr\xf6\xdfe"),
                ("100644", b"with space/ and more ", b"space"),
                ("100644", "größe/straße.txt".as_bytes(), "ü".as_bytes()),
                ("100644", "gro\u{308}ße/x".as_bytes(), b"decomposed"),
                ("100644", b"case/README", b"upper"),
                ("100644", b"case/readme", b"lower"),
                ("100644", b"-rf", b"hyphen"),
                ("100644", b"quote\"'`$(id)\\", b"quote"),
                ("100644", b"empty", b""),
                ("100644", deep.as_bytes(), b"deep"),
                ("100644", long.as_bytes(), b"long"),
                ("160000", b"vendor/module", GITLINK),
                ("100644", b".gitmodules", b"[submodule \"m\"]\n\tpath = vendor/module\n\turl = /nonexistent\n"),
            ],
        );
        let mirror = world.fetched();
        let done = mirror
            .checkout(&commit, &world.destination(), &CheckoutOptions::default())
            .expect("checks out");
        assert_eq!(
            world.found(&world.destination()),
            world.listed(&world.source(), commit.as_str())
        );
        assert_eq!(
            (done.links, done.gitlinks.len(), done.gitlinks[0].path.as_str()),
            (4, 1, "vendor/module")
        );
        assert_eq!(done.files, 19);
    }
}

#[test]
fn ten_thousand_files_and_a_large_one() {
    let world = World::new(&gits()[0]);
    let mut stream =
        b"commit refs/heads/main\ncommitter B <b@example.org> 1700000000 +0000\ndata 1\nx\n".to_vec();
    for number in 0..10_000 {
        let text = format!("file {number}\n").repeat(number % 200);
        let mode = if number % 7 == 0 { "100755" } else { "100644" };
        let head = format!(
            "M {mode} inline folder{}/sub{}/{number}.txt\ndata {}\n",
            number % 97,
            number % 11,
            text.len()
        );
        stream.extend([head.as_bytes(), text.as_bytes(), b"\n"].concat());
    }
    let large: Vec<u8> = (0..20_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    stream.extend(
        [
            format!("M 100644 inline large\ndata {}\n", large.len()).as_bytes(),
            &large,
            b"\n",
        ]
        .concat(),
    );
    world.feed(&world.source(), &["fast-import", "--quiet"], &stream);
    let commit = world.head();
    let mirror = world.fetched();
    for threads in [1, 4] {
        let destination = world.folder.path().join(format!("with {threads} threads"));
        let options = CheckoutOptions {
            threads,
            ..CheckoutOptions::default()
        };
        let done = mirror
            .checkout(&commit, &destination, &options)
            .expect("checks out");
        assert_eq!(done.files, 10_001);
        assert!(world.found(&destination) == world.listed(&world.source(), commit.as_str()));
    }
}

#[test]
fn a_folder_of_the_repository_can_be_the_root() {
    let world = World::new(&gits()[0]);
    let commit = world.commit(
        "folders",
        &[
            ("100644", b"apps/shop/index.html", b"shop"),
            ("100755", b"apps/shop/bin/x", b"x"),
            ("100644", b"other", b"o"),
        ],
    );
    let mirror = world.fetched();
    let options = |folder: &str| CheckoutOptions {
        subdirectory: Some(folder.to_owned()),
        ..CheckoutOptions::default()
    };
    mirror
        .checkout(&commit, &world.destination(), &options("apps/shop"))
        .expect("checks out");
    let tree = format!("{commit}:apps/shop");
    assert_eq!(
        world.found(&world.destination()),
        world.listed(&world.source(), &tree)
    );
    for missing in ["apps/blog", "other", "apps/shop/index.html/x", "..", "/", ""] {
        let place = world.folder.path().join("elsewhere");
        let error = mirror
            .checkout(&commit, &place, &options(missing))
            .expect_err(missing);
        assert_eq!(error.kind(), "no_such_folder", "{missing:?}: {error}");
        assert!(!place.exists());
    }
}

#[test]
fn unsafe_names_are_refused_and_shown_escaped() {
    let world = World::new(&gits()[0]);
    let mirror = world.mirror();
    for (path, shown) in [
        (&b"web/gr\xf6\xdfe.txt"[..], r"web/gr\xf6\xdfe.txt"),
        (b"a\nb", r"a\nb"),
        (b"\x1b[31m", r"\x1b[31m"),
    ] {
        let commit = world.commit("bad name", &[("100644", b"good", b"g"), ("100644", path, b"x")]);
        mirror.fetch().expect("fetches");
        let error = check_out(&mirror, &world, &commit).expect_err("refused");
        assert_eq!(error.kind(), "unusable_path");
        assert!(error.to_string().contains(shown), "{error}");
        assert!(!world.destination().exists(), "nothing is left behind");
    }
}

/// Git's own checks refuse such objects on the way in; these are put into the mirror by hand.
#[test]
fn trees_that_git_would_refuse_are_refused_here_too() {
    let world = World::new(&gits()[0]);
    world.simple("x");
    let mirror = world.fetched();
    let blob = world.feed(&world.repository(), &["hash-object", "-w", "--stdin"], b"/tmp");
    let blob = String::from_utf8(blob).expect("an id").trim().to_owned();
    let raw: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).expect("hex"))
        .collect();
    let entry = |mode_and_name: &str| [mode_and_name.as_bytes(), b"\0", &raw].concat();
    for (tree, why) in [
        (entry("100644 .git"), ".git"),
        (entry("100644 .GiT"), ".git"),
        (entry("100644 .."), "leave its folder"),
        (entry("100644 a/b"), "leave its folder"),
        (entry("100644 /etc/x"), "leave its folder"),
        ([entry("120000 a"), entry("100644 a")].concat(), "twice"),
        ([entry("100644 a"), entry("100644 a")].concat(), "twice"),
    ] {
        let arguments = ["hash-object", "-w", "--literally", "-t", "tree", "--stdin"];
        let id = String::from_utf8(world.feed(&world.repository(), &arguments, &tree)).expect("an id");
        let made = world.feed(&world.repository(), &["commit-tree", id.trim(), "-m", "bad"], b"");
        let made = commit(String::from_utf8(made).expect("an id").trim());
        let error = check_out(&mirror, &world, &made).expect_err(why);
        assert!(
            error.kind() == "unusable_path" && error.to_string().contains(why),
            "{error}"
        );
        assert!(!world.destination().exists());
    }
}

#[test]
fn the_destination_must_be_new_or_empty() {
    let world = World::new(&gits()[0]);
    let commit = world.simple("x");
    let mirror = world.fetched();
    fs_err::create_dir(world.destination()).expect("makes");
    check_out(&mirror, &world, &commit).expect("an empty folder is fine");
    let error = check_out(&mirror, &world, &commit).expect_err("not empty");
    assert_eq!(error.kind(), "storage");
    assert!(world.destination().join("file").exists(), "what was there stays");
    let link = world.folder.path().join("link");
    std::os::unix::fs::symlink(world.destination(), &link).expect("links");
    let error = mirror
        .checkout(&commit, &link, &CheckoutOptions::default())
        .expect_err("a link");
    assert_eq!(error.kind(), "storage");
}

#[test]
fn files_are_read_up_to_a_limit() {
    let world = World::new(&gits()[0]);
    let commit = world.commit(
        "recipe",
        &[
            ("100644", b"a/pointsman.toml", b"[build]\n"),
            ("120000", b"l", b"a"),
        ],
    );
    let mirror = world.fetched();
    let read = |path, limit| mirror.read_blob(&commit, path, limit);
    assert_eq!(
        read("a/pointsman.toml", 8).expect("reads"),
        Some(b"[build]\n".to_vec())
    );
    assert_eq!(read("pointsman.toml", 8).expect("reads"), None);
    assert_eq!(
        read("a/pointsman.toml", 7).expect_err("large").kind(),
        "too_large"
    );
    assert_eq!(read("a", 8).expect_err("folder").kind(), "unusable_path");
    assert_eq!(read("l", 8).expect_err("link").kind(), "unusable_path");
}
