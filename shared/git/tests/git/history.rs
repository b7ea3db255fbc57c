//! Ref -> commit, lists of refs and commits, as people would expect them.

use pointsman_git::{CheckoutOptions, Error, RefKind};

use crate::kit::{World, commit, gits, reference};

#[test]
fn tags_branches_and_prefixes_resolve() {
    for git in gits() {
        let world = World::new(&git);
        let first = world.simple("one");
        world.run(&["tag", "1.0.0"]);
        let second = world.simple("two");
        world.run(&["tag", "-a", "1.1.0", "-m", "annotated"]);
        world.run(&["tag", "-a", "nested", "-m", "tag of a tag", "1.1.0"]);
        world.run(&["branch", "feature/login", first.as_str()]);
        world.run(&["tag", "blob", "HEAD:file"]);
        let mirror = world.fetched();
        let resolve = |name: &str| {
            mirror
                .resolve(&reference(name))
                .unwrap_or_else(|error| panic!("{error}"))
        };
        for (name, kind, commit) in [
            ("1.0.0", RefKind::Tag, &first),
            ("1.1.0", RefKind::Tag, &second),
            ("nested", RefKind::Tag, &second),
            ("main", RefKind::Branch, &second),
            ("feature/login", RefKind::Branch, &first),
            (first.as_str(), RefKind::Commit, &first),
            (&second.as_str()[..7], RefKind::Commit, &second),
            (&second.as_str()[..9].to_uppercase(), RefKind::Commit, &second),
        ] {
            let resolved = resolve(name);
            assert_eq!((resolved.kind, &resolved.commit), (kind, commit), "{name}");
            assert_eq!(resolved.label.is_some(), kind == RefKind::Tag);
        }
        for unknown in ["blob", "1.0", "refs/heads/main", "0000000", "HEAD"] {
            assert_eq!(
                mirror.resolve(&reference(unknown)).expect_err(unknown).kind(),
                "unknown_ref"
            );
        }
        let error = mirror
            .resolve(&reference("1.0.1"))
            .expect_err("unknown")
            .to_string();
        assert!(error.contains("did you mean 1.0.0, 1.1.0?"), "{error}");
    }
}

#[test]
fn two_meanings_are_an_error_that_lists_both() {
    let world = World::new(&gits()[0]);
    let first = world.simple("one");
    world.run(&["tag", "same"]);
    world.run(&["branch", "same"]);
    world.run(&["branch", "beta"]);
    let second = world.simple("two");
    world.run(&["tag", "beta"]);
    let prefix = &first.as_str()[..8];
    world.run(&["branch", prefix]);
    let mirror = world.fetched();
    assert_eq!(
        mirror.resolve(&reference("same")).expect("one commit").kind,
        RefKind::Tag
    );
    let Err(Error::AmbiguousRef { hits, .. }) = mirror.resolve(&reference("beta")) else {
        panic!("ambiguous")
    };
    assert_eq!(
        hits.iter().map(|hit| (hit.kind, &hit.commit)).collect::<Vec<_>>(),
        [(RefKind::Tag, &second), (RefKind::Branch, &first)]
    );
    let error = mirror
        .resolve(&reference(prefix))
        .expect_err("branch and commit differ");
    assert_eq!(error.kind(), "ambiguous_ref");
}

#[test]
fn refs_follow_the_repository_even_when_it_changes_its_mind() {
    let world = World::new(&gits()[0]);
    world.simple("one");
    world.run(&["branch", "a"]);
    world.run(&["tag", "moving"]);
    let mirror = world.fetched();
    let second = world.simple("two");
    world.run(&["tag", "--force", "moving"]);
    world.run(&["branch", "-D", "a"]);
    world.run(&["branch", "a/b"]);
    world.run(&["update-ref", "refs/heads/wip@home", "HEAD"]);
    mirror.fetch().expect("fetches");
    let refs = mirror.refs().expect("lists");
    let mut names: Vec<_> = refs.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a/b", "main", "moving", "wip@home"]);
    assert!(
        refs.iter()
            .all(|entry| entry.commit == second && entry.committed_at == 1_700_000_100)
    );
}

#[test]
fn commits_come_and_go() {
    let world = World::new(&gits()[0]);
    let base = world.simple("base");
    let old = world.simple("old work");
    world.run(&["checkout", "--quiet", "-f", "-b", "other", base.as_str()]);
    world.simple("new work 1");
    let new = world.simple("new work 2");
    let mirror = world.fetched();
    let changes = mirror.changes(&old, &new, 100).expect("lists");
    let subjects =
        |commits: &[pointsman_git::Commit]| commits.iter().map(|c| c.subject.clone()).collect::<Vec<_>>();
    assert_eq!(subjects(&changes.come), ["new work 2", "new work 1"]);
    assert_eq!(subjects(&changes.go), ["old work"]);
    assert_eq!(
        subjects(&mirror.log(None, &new, 2).expect("lists")),
        ["new work 2", "new work 1"]
    );
    assert_eq!(changes.go[0].author, "Ada");
    assert_eq!(changes.go[0].authored_at, 1_700_000_000);
    assert_eq!(mirror.commit_time(&new).expect("reads"), 1_700_000_100);
    let unknown = commit(&"1".repeat(40));
    assert_eq!(
        mirror.log(Some(&unknown), &new, 1).expect_err("unknown").kind(),
        "unknown_commit"
    );
}

#[test]
fn commits_outside_branches_are_fetched_by_id() {
    for git in gits() {
        let world = World::new(&git);
        world.simple("one");
        let mirror = world.fetched();
        let later = world.simple("two");
        mirror.ensure_commit(&later).expect("one fetch brings it");
        let lost = world.simple("three");
        world.run(&["reset", "--quiet", "--soft", "HEAD~1"]);
        mirror.ensure_commit(&lost).expect("by its id");
        assert_eq!(
            mirror.resolve(&reference(lost.as_str())).expect("is here").commit,
            lost
        );
        mirror.fetch().expect("fetches");
        mirror.ensure_commit(&lost).expect("stays");
        for unknown in ["1".repeat(40), "1".repeat(64)] {
            assert_eq!(
                mirror
                    .ensure_commit(&commit(&unknown))
                    .expect_err("unknown")
                    .kind(),
                "unknown_commit"
            );
        }
    }
}

#[test]
fn heads_empty_and_shallow_repositories() {
    for git in gits() {
        let world = World::new(&git);
        let mirror = world.fetched();
        assert_eq!(mirror.head().expect("asks"), None);
        assert_eq!(mirror.refs().expect("lists"), []);
        for number in 0..4 {
            world.simple(&number.to_string());
        }
        let head = mirror.head().expect("asks").expect("has one");
        assert_eq!(
            (head.branch.as_deref(), &head.commit),
            (Some("main"), &world.head())
        );
        world.run(&["checkout", "--quiet", "--detach", "-f"]);
        assert_eq!(mirror.head().expect("asks").expect("has one").branch, None);

        let shallow = World::new(&git);
        fs_err::remove_dir_all(shallow.source()).expect("removes");
        let from = format!("file://{}", world.source().display());
        shallow.feed(
            shallow.folder.path(),
            &["clone", "--quiet", "--depth=2", &from, "source"],
            b"",
        );
        let mirror = shallow.fetched();
        assert_eq!(mirror.log(None, &shallow.head(), 10).expect("lists").len(), 2);
        mirror
            .checkout(
                &shallow.head(),
                &shallow.destination(),
                &CheckoutOptions::default(),
            )
            .expect("checks out");
    }
}
