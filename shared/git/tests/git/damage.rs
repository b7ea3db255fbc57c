//! Mirrors that were killed, torn or lost their repository: they heal, or say plainly why they cannot.

use std::path::Path;

use pointsman_git::CheckoutOptions;

use crate::kit::{World, gits, reference};

fn pack_of(world: &World) -> std::path::PathBuf {
    let entries = fs_err::read_dir(world.repository().join("objects/pack")).expect("reads");
    let mut packs = entries.map(|entry| entry.expect("an entry").path());
    packs
        .find(|path| path.extension().is_some_and(|kind| kind == "pack"))
        .expect("a pack")
}

fn overwrite(path: &Path, bytes: &[u8]) {
    fs_err::remove_file(path).expect("removes");
    fs_err::write(path, bytes).expect("writes");
}

type Damage = fn(&World);

const DAMAGES: [(&str, Damage); 9] = [
    ("truncated pack", |world| {
        let pack = pack_of(world);
        let bytes = fs_err::read(&pack).expect("reads");
        overwrite(&pack, &bytes[..bytes.len() / 2]);
    }),
    ("garbled pack", |world| {
        let pack = pack_of(world);
        let mut bytes = fs_err::read(&pack).expect("reads");
        let end = bytes.len() - 20;
        bytes[12..end].fill(0x5a);
        overwrite(&pack, &bytes);
    }),
    ("empty pack", |world| overwrite(&pack_of(world), b"")),
    ("lost pack", |world| {
        fs_err::remove_file(pack_of(world)).expect("removes");
    }),
    ("lost objects", |world| {
        fs_err::remove_dir_all(world.repository().join("objects")).expect("removes");
    }),
    ("lost HEAD", |world| {
        fs_err::remove_file(world.repository().join("HEAD")).expect("removes");
    }),
    ("garbled config", |world| {
        overwrite(&world.repository().join("config"), b"[[[");
    }),
    ("lost refs", |world| {
        overwrite(&world.repository().join("packed-refs"), b"\0\0\0\0");
    }),
    ("lost mirror", |world| {
        fs_err::remove_dir_all(world.repository()).expect("removes");
    }),
];

#[test]
fn damaged_mirrors_heal_when_read() {
    for git in gits() {
        for (name, damage) in DAMAGES {
            let world = World::new(&git);
            let commit = world.simple("content");
            let mirror = world.fetched();
            damage(&world);
            mirror
                .ensure_commit(&commit)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            mirror
                .checkout(&commit, &world.destination(), &CheckoutOptions::default())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                world.found(&world.destination()),
                world.listed(&world.source(), commit.as_str()),
                "{name}"
            );
        }
    }
}

#[test]
fn damaged_mirrors_heal_when_fetched() {
    for git in gits() {
        for (name, damage) in DAMAGES {
            let world = World::new(&git);
            world.simple("before");
            let mirror = world.fetched();
            damage(&world);
            let commit = world.simple("after");
            mirror.fetch().unwrap_or_else(|error| panic!("{name}: {error}"));
            mirror
                .checkout(&commit, &world.destination(), &CheckoutOptions::default())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                mirror.resolve(&reference("main")).expect(name).commit,
                commit,
                "{name}"
            );
        }
    }
}

#[test]
fn what_a_killed_fetch_left_does_not_block() {
    for git in gits() {
        let world = World::new(&git);
        world.simple("one");
        let mirror = world.fetched();
        let repository = world.repository();
        fs_err::create_dir_all(repository.join("refs/heads/a")).expect("makes");
        for leftover in [
            "packed-refs.lock",
            "HEAD.lock",
            "shallow.lock",
            "config.lock",
            "refs/heads/main.lock",
            "refs/heads/a/b.lock",
            "objects/pack/tmp_pack_abc",
            "objects/pack/tmp_idx_abc",
            "objects/tmp_obj_abc",
        ] {
            fs_err::write(repository.join(leftover), "half").expect("writes");
        }
        fs_err::create_dir_all(world.mirror_folder().join("incoming.git/objects")).expect("makes");
        let commit = world.simple("two");
        mirror.fetch().expect("fetches");
        assert_eq!(
            mirror.resolve(&reference("main")).expect("resolves").commit,
            commit
        );
        assert!(!repository.join("objects/pack/tmp_pack_abc").exists());
        assert!(
            !world.mirror_folder().join("broken.git").exists(),
            "it was healed in place"
        );
    }
}

#[test]
fn a_vanished_repository_leaves_the_mirror_readable() {
    for git in gits() {
        let world = World::new(&git);
        let commit = world.simple("one");
        let mirror = world.fetched();
        let url = world.url();
        fs_err::rename(world.source(), world.folder.path().join("moved")).expect("moves");
        let error = mirror.fetch().expect_err("gone");
        assert_eq!(error.kind(), "repository_unreachable");
        assert!(
            error.to_string().contains(&url.to_string()) && error.to_string().contains("does not"),
            "{error}"
        );
        assert_eq!(
            mirror.resolve(&reference("main")).expect("still reads").commit,
            commit
        );

        overwrite(&pack_of(&world), b"");
        let error = mirror
            .resolve(&reference("main"))
            .expect_err("damaged, and nothing to heal from");
        assert_eq!(error.kind(), "mirror_damaged");
        assert!(
            error.to_string().contains("a fresh one could not be made"),
            "{error}"
        );
        assert!(world.repository().exists(), "nothing is thrown away");
        fs_err::remove_dir(world.source()).ok();
        fs_err::rename(world.folder.path().join("moved"), world.source()).expect("moves back");
        assert_eq!(mirror.resolve(&reference("main")).expect("heals").commit, commit);
        assert!(
            world.mirror_folder().join("broken.git").exists(),
            "the broken one is kept for inspection"
        );
    }
}

#[test]
fn another_address_means_another_mirror() {
    let git = &gits()[0];
    let (one, two) = (World::new(git), World::new(git));
    let old = one.simple("one");
    let new = two.simple("two");
    one.fetched();
    let moved =
        pointsman_git::Mirror::open(&one.mirror_folder(), &two.url(), &one.transport()).expect("opens");
    assert_eq!(moved.resolve(&reference("main")).expect("made anew").commit, new);
    assert_eq!(
        moved.resolve(&reference(old.as_str())).expect_err("gone").kind(),
        "unknown_ref"
    );
}

#[test]
fn many_fetches_do_not_leave_many_packs() {
    for git in gits() {
        let world = World::new(&git);
        let first = world.simple("first");
        let mirror = world.fetched();
        let mut last = first.clone();
        for number in 0..45 {
            last = world.simple(&number.to_string());
            mirror.fetch().expect("fetches");
        }
        let packs = fs_err::read_dir(world.repository().join("objects/pack")).expect("reads");
        let packs = packs.filter(|entry| {
            entry
                .as_ref()
                .is_ok_and(|entry| entry.path().extension().is_some_and(|kind| kind == "pack"))
        });
        assert!(packs.count() < 20);
        assert_eq!(mirror.log(None, &last, 100).expect("lists").len(), 46);
        mirror
            .checkout(&first, &world.destination(), &CheckoutOptions::default())
            .expect("old ones, too");
    }
}
