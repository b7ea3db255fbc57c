//! Any tree survives the way through an archive.

use std::path::Path;

use pointsman_archive::{Manifest, PackOptions, Packing, Watch, verify};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::{prop_assert_eq, proptest};

use crate::trees::{Packed, file, folder, link, program};

#[derive(Debug, Clone)]
enum Thing {
    File(Vec<u8>),
    Program(Vec<u8>),
    Folder,
    Link(String),
}

const NAMES: [&str; 12] = [
    "a", "A", "b-", "b", "b.c", "ä", "x y", "-n", "...", "😀", "\\", "a\u{301}",
];

fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => "[ -.0-~]{3,120}",
    ];
    vec(name, 1..5).prop_map(|names| names.join("/"))
}

fn thing() -> impl Strategy<Value = Thing> {
    let content = || vec(any::<u8>(), 0..1500);
    prop_oneof![
        content().prop_map(Thing::File),
        content().prop_map(Thing::Program),
        path().prop_map(Thing::Link),
        Just(Thing::Folder),
    ]
}

/// Plants what can be planted; a path whose place is taken is left out.
fn plant(root: &Path, things: &[(String, Thing)]) {
    for (path, thing) in things {
        let place = root.join(path);
        let taken = place.ancestors().take_while(|above| *above != root).any(|above| {
            fs_err::symlink_metadata(above).is_ok_and(|found| above == place || !found.is_dir())
        });
        if taken || path.split('/').any(|name| matches!(name, "." | "..")) {
            continue;
        }
        match thing {
            Thing::File(content) => file(root, path, content),
            Thing::Program(content) => program(root, path, content),
            Thing::Folder => folder(root, path),
            Thing::Link(target) if target.split('/').any(|name| name == "..") => {}
            Thing::Link(target) => link(root, path, target),
        }
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    #[test]
    fn every_tree_comes_back(things in vec((path(), thing()), 0..30), member_bytes in 1_u64..20_000) {
        let packed = Packed::new(|root| plant(root, &things), &PackOptions { level: 1, member_bytes });
        packed.unpack().unwrap();
        verify(&packed.dest(), &packed.manifest, &[], &Watch::none()).unwrap();
        let manifest = Manifest::parse(&packed.manifest.canonical_bytes()).unwrap();
        prop_assert_eq!(&manifest, &packed.manifest);
        let packing = Packing::parse(&packed.packing.canonical_bytes()).unwrap();
        prop_assert_eq!(&packing, &packed.packing);
    }
}
