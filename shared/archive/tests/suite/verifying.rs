//! Every way in which an installed tree can drift is seen and named.

use std::path::Path;

use pointsman_archive::{Error, PackOptions, SharedLink, Watch, verify};

use crate::trees::{Packed, file, folder, full_tree, link, path, set_mode};

type Drift = fn(&Path);

fn shared() -> Vec<SharedLink> {
    let link = |at: &str, target: &str| SharedLink {
        path: path(at),
        target: target.to_owned(),
    };
    vec![
        link("storage", "../../shared/storage"),
        link("etc/app/.env", "../../../../shared/etc/app/.env"),
    ]
}

fn installed() -> Packed {
    let packed = Packed::new(full_tree, &PackOptions::default());
    packed.unpack().unwrap();
    for shared in shared() {
        link(&packed.dest(), shared.path.as_str(), &shared.target);
    }
    packed
}

#[test]
fn a_release_with_its_shared_links_is_what_it_should_be() {
    let packed = installed();
    verify(&packed.dest(), &packed.manifest, &shared(), &Watch::none()).unwrap();
    let error = verify(&packed.dest(), &packed.manifest, &[], &Watch::none()).unwrap_err();
    assert!(
        error.to_string().contains("`storage` is not in the manifest"),
        "{error}"
    );
}

#[test]
fn every_drift_is_named() {
    let drifts: [(&str, Drift); 13] = [
        ("`README` has digest", |dest| file(dest, "README", b"UPPER")),
        ("`README` is 6 bytes instead of 5 bytes", |dest| {
            file(dest, "README", b"longer");
        }),
        ("`README` is mode 0666 instead of mode 0644", |dest| {
            set_mode(&dest.join("README"), 0o666);
        }),
        ("`bin/run` is mode 4755", |dest| {
            set_mode(&dest.join("bin/run"), 0o4755);
        }),
        ("`nothing` is mode 0700", |dest| {
            set_mode(&dest.join("nothing"), 0o700);
        }),
        ("`empty` is missing", |dest| {
            fs_err::remove_file(dest.join("empty")).unwrap();
        }),
        ("`nothing/in/here` is missing", |dest| {
            fs_err::remove_dir(dest.join("nothing/in/here")).unwrap();
        }),
        ("`nothing/extra` is not in the manifest", |dest| {
            file(dest, "nothing/extra/file", b"");
        }),
        (
            "`current` is a link to `readme` instead of a link to `bin/run`",
            |dest| {
                fs_err::remove_file(dest.join("current")).unwrap();
                link(dest, "current", "readme");
            },
        ),
        ("`empty` is a link instead of a file", |dest| {
            fs_err::remove_file(dest.join("empty")).unwrap();
            link(dest, "empty", "readme");
        }),
        ("`nothing` is a link instead of a folder", |dest| {
            fs_err::remove_dir_all(dest.join("nothing")).unwrap();
            link(dest, "nothing", "/etc");
        }),
        (
            "`storage` is a folder instead of a link to the shared copy",
            |dest| {
                fs_err::remove_file(dest.join("storage")).unwrap();
                folder(dest, "storage");
            },
        ),
        ("`etc/app/.env` is missing", |dest| {
            fs_err::remove_file(dest.join("etc/app/.env")).unwrap();
        }),
    ];
    for (words, drift) in drifts {
        let packed = installed();
        drift(&packed.dest());
        let error = verify(&packed.dest(), &packed.manifest, &shared(), &Watch::none()).unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn the_first_differences_are_named_and_all_are_counted() {
    let packed = installed();
    for number in 0..20 {
        file(&packed.dest(), &format!("extra-{number:02}"), b"");
    }
    let error = verify(&packed.dest(), &packed.manifest, &shared(), &Watch::none()).unwrap_err();
    let Error::Differs { differences, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(differences.count, 20);
    assert!(
        error.to_string().contains("`extra-00`") && error.to_string().ends_with("and 15 more"),
        "{error}"
    );
}

#[test]
fn a_shared_link_in_the_place_of_an_entry_is_a_contradiction() {
    let packed = installed();
    let links = [SharedLink {
        path: path("bin"),
        target: "../../shared/bin".to_owned(),
    }];
    let result = verify(&packed.dest(), &packed.manifest, &links, &Watch::none());
    assert!(matches!(result, Err(Error::SharedConflict { .. })));
}
