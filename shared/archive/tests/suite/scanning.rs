//! What a build's tree may hold, and how a selection is read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use pointsman_archive::{Error, Manifest, Selection, Watch};

use crate::trees::{file, folder, full_tree, link, path, scan, scratch};

fn select(
    root: &std::path::Path,
    include: &[&str],
    exclude: &[&str],
    shared: &[&str],
) -> Result<Vec<String>, Error> {
    let paths = |texts: &[&str]| texts.iter().map(|text| path(text)).collect();
    let include = include.iter().map(|text| (*text).to_owned()).collect();
    let selection = Selection {
        include,
        exclude: paths(exclude),
        shared: paths(shared),
    };
    let manifest = Manifest::scan(root, &selection, &Watch::none())?;
    Ok(manifest
        .entries()
        .iter()
        .map(|entry| entry.path.to_string())
        .collect())
}

fn site() -> tempfile::TempDir {
    let home = scratch();
    file(home.path(), ".git/config", b"");
    file(home.path(), ".gitignore", b"");
    file(home.path(), "dist/app.js", b"");
    file(home.path(), "dist/css/app.css", b"");
    folder(home.path(), "dist/empty");
    file(home.path(), "node_modules/x/index.js", b"");
    file(home.path(), "server/main.js", b"");
    home
}

#[test]
fn everything_but_the_excluded_folders() {
    let names = select(site().path(), &[], &[".git", "node_modules"], &[]).unwrap();
    let all = [
        ".gitignore",
        "dist",
        "dist/app.js",
        "dist/css",
        "dist/css/app.css",
        "dist/empty",
        "server",
        "server/main.js",
    ];
    assert_eq!(names, all);
}

#[test]
fn patterns_take_files_with_their_parents_and_folders_whole() {
    let site = site();
    let names = |include: &[&str]| select(site.path(), include, &[".git"], &[]).unwrap();
    assert_eq!(names(&["dist/css/*"]), ["dist", "dist/css", "dist/css/app.css"]);
    assert_eq!(
        names(&["dist/**"]),
        [
            "dist",
            "dist/app.js",
            "dist/css",
            "dist/css/app.css",
            "dist/empty"
        ]
    );
    assert_eq!(names(&["./dist/"]), names(&["dist/**"]));
    assert_eq!(names(&["*/main.js"]), ["server", "server/main.js"]);
    assert_eq!(
        names(&["**/*.css", ".gitignore"]),
        [".gitignore", "dist", "dist/css", "dist/css/app.css"]
    );
}

#[test]
fn patterns_without_a_hit_or_a_meaning_are_errors() {
    let site = site();
    let error = |include: &str| select(site.path(), &["dist/**", include], &[], &[]).unwrap_err();
    assert!(matches!(error("public/**"), Error::NothingMatches { pattern } if pattern == "public/**"));
    for pattern in ["/dist", "../x", "", "a{b", "[z-a]"] {
        assert!(
            matches!(error(pattern), Error::InvalidPattern { .. }),
            "{pattern}"
        );
    }
}

#[test]
fn what_no_release_can_hold_is_named() {
    let fifo = scratch();
    assert!(
        Command::new("mkfifo")
            .arg(fifo.path().join("queue"))
            .status()
            .unwrap()
            .success()
    );
    assert!(
        matches!(scan(fifo.path()), Err(Error::UnsupportedFile { path, kind: "a fifo" }) if path == "queue")
    );
    let socket = scratch();
    let _listener = UnixListener::bind(socket.path().join("s")).unwrap();
    assert!(matches!(
        scan(socket.path()),
        Err(Error::UnsupportedFile { kind: "a socket", .. })
    ));
    for name in [&b"caf\xe9"[..], b"new\nline", b"\x1b[31m"] {
        let home = scratch();
        fs_err::write(home.path().join(OsStr::from_bytes(name)), b"").unwrap();
        let error = scan(home.path()).unwrap_err();
        assert!(matches!(error, Error::InvalidPath { .. }), "{error}");
        assert!(!error.to_string().contains(['\n', '\x1b']), "{error}");
    }
}

#[test]
fn links_that_leave_fail_with_path_and_remedy() {
    for (name, target) in [("a", "/etc/passwd"), ("b/c", "../../x"), ("b/d", "up/../../y")] {
        let home = scratch();
        link(home.path(), "b/up", "..");
        link(home.path(), name, target);
        let error = scan(home.path()).unwrap_err();
        assert!(
            matches!(&error, Error::LinkLeaves { path, .. } if path == name),
            "{error}"
        );
        assert!(error.to_string().contains("make the link relative"), "{error}");
    }
}

#[test]
fn the_tree_leaves_shared_paths_free() {
    let home = scratch();
    full_tree(home.path());
    for (shared, culprit) in [
        ("bin", "bin"),
        ("nothing/in", "nothing/in"),
        ("README", "README"),
        ("empty/x", "empty"),
    ] {
        let error = select(home.path(), &[], &[], &[shared]).unwrap_err();
        assert!(
            matches!(&error, Error::SharedConflict { path, .. } if path == culprit),
            "{error}"
        );
    }
    select(home.path(), &[], &[], &["storage", "bin/local", "REAdme"]).unwrap();
    link(home.path(), "public", "storage/app");
    select(home.path(), &[], &[], &["storage"]).unwrap();
    link(home.path(), "sly", "storage/../../x");
    assert!(matches!(scan(home.path()), Err(Error::LinkLeaves { .. })));
}

#[test]
fn the_top_must_be_a_folder_and_no_link_to_one() {
    let home = scratch();
    folder(home.path(), "real");
    link(home.path(), "alias", "real");
    file(home.path(), "file", b"");
    for name in ["alias", "file", "missing"] {
        assert!(
            matches!(scan(&home.path().join(name)), Err(Error::Io { .. })),
            "{name}"
        );
    }
}
