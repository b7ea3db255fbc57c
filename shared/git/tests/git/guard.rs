//! Nothing that a repository, an address or the environment says is ever executed, and only allowed places are asked.

use std::path::Path;
use std::time::Duration;

use pointsman_git::{CheckoutOptions, Mirror, Transport};
use pointsman_shared::repository::RepositoryUrl;

use crate::kit::{World, gits, reference};
use crate::sharing;

fn open(world: &World, url: &str, transport: &Transport) -> Result<Mirror, pointsman_git::Error> {
    let url: RepositoryUrl = url.parse().expect("an address");
    Mirror::open(&world.folder.path().join("other"), &url, transport)
}

#[test]
fn only_allowed_places_are_asked() {
    let world = World::new(&gits()[0]);
    let closed = Transport {
        allow_file: false,
        ..world.transport()
    };
    let listed = Transport {
        hosts: vec!["git.acme.example".to_owned()],
        ..world.transport()
    };
    for (transport, url) in [
        (&closed, "/srv/git/shop"),
        (&closed, "file:///srv/git/shop"),
        (&closed, "https://127.0.0.1:8443/shop"),
        (&closed, "git@localhost:shop"),
        (&closed, "https://169.254.169.254/latest"),
        (&listed, "https://github.com/acme/shop"),
    ] {
        let error = open(&world, url, transport).expect_err(url);
        assert_eq!(error.kind(), "repository_not_allowed", "{url}");
    }
    open(&world, "https://GIT.acme.example/shop", &listed).expect("is listed");
    open(&world, "https://github.com/acme/shop", &closed).expect("all public servers");
}

#[test]
fn servers_that_do_not_answer_are_named() {
    for git in gits() {
        let world = World::new(&git);
        let transport = Transport {
            git,
            hosts: vec!["127.0.0.1".to_owned()],
            home: world.folder.path().join("it's a 100% \u{fc}gly home"),
            timeout: Duration::from_mins(1),
            ..world.transport()
        };
        for url in [
            "https://127.0.0.1:1/shop",
            "ssh://git@127.0.0.1:1/shop",
            "git@127.0.0.1:shop",
        ] {
            if url.contains("git@127.0.0.1:shop") && std::net::TcpStream::connect(("127.0.0.1", 22)).is_ok() {
                continue;
            }
            let error = open(&world, url, &transport)
                .expect("allowed")
                .fetch()
                .expect_err("nobody listens");
            assert_eq!(error.kind(), "repository_unreachable");
            assert!(error.to_string().contains(url), "{error}");
            fs_err::remove_dir_all(world.folder.path().join("other")).expect("clears");
        }
    }
}

/// Folder names are the one part of an address with free letters.
#[test]
fn strange_folder_names_are_only_names() {
    for git in gits() {
        let world = World::new(&git);
        let commit = world.simple("one");
        let pwned = world.folder.path().join("pwned");
        for name in [
            "--upload-pack=touch pwned;false",
            "-oProxyCommand=touch pwned",
            "ext::touch pwned",
            "a:b",
            "git@host:path",
            "$(touch pwned)",
            "`touch pwned`",
            "a;touch pwned",
            "a|touch pwned",
            "a b",
            "it's",
            "quo\"te",
            "back\\slash",
            "50%25",
            "größe",
            "*",
            "file:",
            "http::",
            "#x",
            "~root",
            "[core]",
            "a.bundle",
        ] {
            let place = world.folder.path().join(name);
            fs_err::rename(world.source(), &place).expect("moves");
            let url = format!("{}", place.display());
            let mirror = open(&world, &url, &world.transport()).expect("allowed");
            mirror.fetch().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(mirror.resolve(&reference("main")).expect(name).commit, commit);
            fs_err::remove_dir_all(world.folder.path().join("other")).expect("clears");
            fs_err::remove_dir_all(world.source()).ok();
            fs_err::rename(&place, world.source()).expect("moves back");
            assert!(
                !pwned.exists() && !world.source().join("pwned").exists(),
                "{name} was executed"
            );
        }
    }
}

/// Names a program in every setting and hook of the source that git could believe.
fn set_traps(world: &World, touch: &str) {
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
        "filter.pwn.smudge",
        "filter.pwn.process",
        "diff.external",
        "diff.pwn.textconv",
        "credential.helper",
        "gpg.program",
        "remote.origin.uploadpack",
        "alias.upload-pack",
        "alias.fetch",
    ] {
        world.run(&["config", key, &format!("!{touch}")]);
    }
    world.run(&["config", "core.hooksPath", "hooks2"]);
    for hook in [
        "post-checkout",
        "reference-transaction",
        "pre-auto-gc",
        "post-update",
        "update",
        "fsmonitor-watchman",
    ] {
        let path = world.source().join(".git/hooks").join(hook);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("makes");
        fs_err::write(&path, format!("#!/bin/sh\n{touch}\n")).expect("writes");
        std::process::Command::new("chmod")
            .arg("755")
            .arg(&path)
            .status()
            .expect("chmod");
    }
}

/// Every setting of a repository that can name a program, and hooks, filters, submodules in it.
#[test]
fn a_hostile_repository_executes_nothing() {
    for git in gits() {
        let world = World::new(&git);
        let pwned = world.folder.path().join("pwned");
        let touch = format!("touch '{}'", pwned.display());
        let commit = world.commit(
            "hostile",
            &[
                ("100644", b".gitattributes", b"* filter=pwn diff=pwn merge=pwn\n"),
                ("160000", b"m", b"1111111111111111111111111111111111111111"),
                ("120000", b"hooks", b".git/hooks"),
                (
                    "100755",
                    b"hooks2/post-checkout",
                    format!("#!/bin/sh\n{touch}\n").as_bytes(),
                ),
            ],
        );
        set_traps(&world, &touch);
        let mirror = world.mirror();
        mirror.fetch().expect("fetches");
        mirror
            .checkout(&commit, &world.destination(), &CheckoutOptions::default())
            .expect("checks out");
        mirror.head().expect("asks");
        let modules = format!("[submodule \"m\"]\n\tpath = m\n\turl = ext::{touch}\n\tupdate = !{touch}\n");
        world.commit("worse", &[("100644", b".gitmodules", modules.as_bytes())]);
        assert_eq!(
            mirror.fetch().expect_err("git's own checks refuse it").kind(),
            "repository_unsound"
        );
        assert!(!pwned.exists(), "something was executed");
    }
}

/// A process that was started with a hostile environment and home fetches as if they were clean.
#[test]
fn the_environment_is_not_believed() {
    for git in gits() {
        let world = World::new(&git);
        let commit = world.simple("one");
        let pwned = world.folder.path().join("pwned");
        let touch = format!("touch '{}'", pwned.display());
        let home = world.folder.path().join("users home");
        fs_err::create_dir_all(&home).expect("makes");
        let settings = format!(
            "[core]\n\tfsmonitor = \"{touch}\"\n[uploadpack]\n\tpackObjectsHook = \"{touch};:\"\n[url \"/nonexistent\"]\n\tinsteadOf = /\n"
        );
        fs_err::write(home.join(".gitconfig"), &settings).expect("writes");
        let status = sharing::child(&world, &git)
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("GIT_DIR", "/nonexistent")
            .env("GIT_OBJECT_DIRECTORY", "/nonexistent")
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nonexistent")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "uploadpack.packObjectsHook")
            .env("GIT_CONFIG_VALUE_0", &touch)
            .env("GIT_SSH_COMMAND", &touch)
            .env("GIT_EXEC_PATH", "/nonexistent")
            .env("GIT_TRACE2_EVENT", &pwned)
            .env("LD_PRELOAD", "")
            .status()
            .expect("runs");
        assert!(status.success());
        assert_eq!(
            world
                .mirror()
                .resolve(&reference("main"))
                .expect("resolves")
                .commit,
            commit
        );
        assert!(!pwned.exists());
    }
}

/// `safe.directory`: a repository of another user can be read once the configuration permits local ones.
#[test]
fn repositories_of_other_users_are_read() {
    for git in gits() {
        for bare in [false, true] {
            let world = World::new(&git);
            let commit = world.simple("one");
            if bare {
                world.feed(
                    world.folder.path(),
                    &["clone", "--quiet", "--bare", "source", "bare"],
                    b"",
                );
            }
            let place = world.folder.path().join(if bare { "bare" } else { "source" });
            if !given_away(&place) {
                return;
            }
            let mirror = open(&world, place.to_str().expect("text"), &world.transport()).expect("allowed");
            mirror.fetch().expect("fetches");
            assert_eq!(
                mirror.resolve(&reference("main")).expect("resolves").commit,
                commit
            );
        }
    }
}

/// False where we may not give files away, that is, anywhere but as root.
fn given_away(folder: &Path) -> bool {
    std::process::Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(folder)
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn contents_that_git_refuses_are_told_apart_from_silence() {
    for git in gits() {
        let world = World::new(&git);
        world.simple("one");
        let blob = world.run(&["rev-parse", "HEAD:file"]);
        let raw: Vec<u8> = (0..40)
            .step_by(2)
            .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).expect("hex"))
            .collect();
        let tree = [b"100644 .git\0", &raw[..]].concat();
        let arguments = ["hash-object", "-w", "--literally", "-t", "tree", "--stdin"];
        let tree = String::from_utf8(world.feed(&world.source(), &arguments, &tree)).expect("an id");
        let bad = world.run(&["commit-tree", tree.trim(), "-m", "bad"]);
        world.run(&["update-ref", "refs/heads/bad", &bad]);
        let error = world.mirror().fetch().expect_err("refused");
        assert!(
            error.kind() == "repository_unsound" && error.to_string().contains("hasDotgit"),
            "{error}"
        );
    }
}

/// Old histories are full of such dates and addresses; nothing depends on them.
#[test]
fn untidy_old_commits_are_accepted() {
    for git in gits() {
        let world = World::new(&git);
        world.simple("one");
        let tree = world.run(&["rev-parse", "HEAD^{tree}"]);
        let text = format!(
            "tree {tree}\nauthor A <a@b> 1300000000 +051800\ncommitter B<b@b> 01300000000 +0000\n\nold\n"
        );
        let arguments = ["hash-object", "-w", "--literally", "-t", "commit", "--stdin"];
        let id = String::from_utf8(world.feed(&world.source(), &arguments, text.as_bytes())).expect("an id");
        world.run(&["update-ref", "refs/heads/old", id.trim()]);
        let mirror = world.fetched();
        assert_eq!(
            mirror
                .resolve(&reference("old"))
                .expect("resolves")
                .commit
                .as_str(),
            id.trim()
        );
    }
}
