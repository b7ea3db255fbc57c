//! Manifests and packings have one spelling, and contradictions in them are refused.

use pointsman_archive::{Entry, Error, Kind, Manifest, Member, Packing};
use pointsman_shared::digest::Digest;

use crate::trees::path;

const HEAD: &str = r#"{"version":1,"entries":["#;
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn manifest(entries: &[&str]) -> Result<Manifest, Error> {
    Manifest::parse(format!("{HEAD}{}]}}", entries.join(",")).as_bytes())
}

fn file(path: &str) -> String {
    sized(path, 0)
}

fn sized(path: &str, size: u64) -> String {
    format!(r#"{{"type":"file","path":"{path}","executable":false,"size":{size},"sha256":"{NOTHING}"}}"#)
}

fn dir(path: &str) -> String {
    format!(r#"{{"type":"dir","path":"{path}"}}"#)
}

fn link(path: &str, target: &str) -> String {
    format!(r#"{{"type":"symlink","path":"{path}","target":"{target}"}}"#)
}

#[test]
fn entries_form_one_sorted_tree() {
    manifest(&[&dir("a"), &file("a-b"), &file("a/b"), &file("b")]).unwrap();
    manifest(&[&file("README"), &file("readme")]).unwrap();
    let refused = |entries: &[&str]| {
        assert!(
            matches!(manifest(entries), Err(Error::InvalidEntry { .. })),
            "{entries:?}"
        );
    };
    refused(&[&file("b"), &file("a")]);
    refused(&[&file("a"), &file("a")]);
    refused(&[&dir("a"), &file("a")]);
    refused(&[&file("a"), &file("a/b")]);
    refused(&[&link("a", "b"), &file("a/b")]);
    refused(&[&file("a/b")]);
    refused(&[&dir("a"), &file("a/b"), &file("a-b")]);
    refused(&[&sized("a", u64::MAX), &sized("b", 1)]);
}

#[test]
fn names_and_links_are_checked() {
    for name in ["", "/etc", "..", "a/../b", "./a", "a/", "a\\nb", "a\\u0000"] {
        assert!(
            matches!(manifest(&[&file(name)]), Err(Error::InvalidPath { .. })),
            "{name}"
        );
    }
    for target in ["/etc/passwd", "..", "x/../../y"] {
        assert!(
            matches!(manifest(&[&link("a", target)]), Err(Error::LinkLeaves { .. })),
            "{target}"
        );
    }
    assert!(matches!(
        manifest(&[&link("a", "")]),
        Err(Error::InvalidLink { .. })
    ));
    assert!(matches!(
        manifest(&[&link("a", "x\\u0000y")]),
        Err(Error::InvalidLink { .. })
    ));
    let two_steps = [
        dir("d"),
        dir("d/e"),
        link("d/e/out", "../../up/../x"),
        dir("f"),
        link("up", "f/."),
    ];
    manifest(&two_steps.each_ref().map(String::as_str)).unwrap();
    let two_steps = [
        dir("d"),
        dir("d/e"),
        link("d/e/out", "../up/../x"),
        link("d/up", ".."),
    ];
    assert!(matches!(
        manifest(&two_steps.each_ref().map(String::as_str)),
        Err(Error::LinkLeaves { .. })
    ));
}

#[test]
fn there_is_one_spelling() {
    let entry = file("a");
    let good = format!("{HEAD}{entry}]}}");
    assert_eq!(
        Manifest::parse(good.as_bytes()).unwrap().canonical_bytes(),
        good.as_bytes()
    );
    let spellings = [
        good.replace(',', ", "),
        format!("{good}\n"),
        format!(" {good}"),
        good.replace("\"a\"", "\"\\u0061\""),
        good.replace(r#""type":"file","path":"a""#, r#""path":"a","type":"file""#),
        format!(r#"{{"entries":[{entry}],"version":1}}"#),
        good.replace("\"size\":0", "\"size\":-0"),
    ];
    for text in spellings {
        assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn other_shapes_and_versions_are_refused() {
    let good = format!("{HEAD}{}]}}", file("a"));
    let shapes = [
        String::new(),
        "[]".to_owned(),
        format!("{good}{good}"),
        good.replace("\"version\":1,", ""),
        good.replace("\"version\":1", "\"version\":1,\"more\":1"),
        good.replace("\"version\":1", "\"version\":1,\"version\":1"),
        good.replace("\"size\":0", "\"size\":0,\"mtime\":1"),
        good.replace("\"size\":0", "\"size\":0,\"size\":0"),
        good.replace("\"size\":0", "\"size\":1.5"),
        good.replace("\"type\":\"file\"", "\"type\":\"hardlink\""),
        good.replace(NOTHING, &NOTHING.to_uppercase()),
        good.replace(NOTHING, "abc"),
    ];
    for text in shapes {
        assert!(
            matches!(Manifest::parse(text.as_bytes()), Err(Error::Unreadable { .. })),
            "{text}"
        );
    }
    let later = good.replace("\"version\":1", "\"version\":2,\"more\":1");
    assert!(matches!(
        Manifest::parse(later.as_bytes()),
        Err(Error::UnknownVersion { found: 2, .. })
    ));
    assert!(matches!(
        Manifest::parse(b"{\"version\":1,\"entries\":[{\"path\":\"\xff\"}]}"),
        Err(Error::Unreadable { .. })
    ));
}

#[test]
fn a_manifest_sorts_what_it_is_given() {
    let entry = |name: &str, kind| Entry {
        path: path(name),
        kind,
    };
    let file = Kind::File {
        executable: true,
        size: 3,
        digest: Digest::of(b"abc"),
    };
    let entries = vec![
        entry("a/b", file.clone()),
        entry("a-b", file),
        entry("a", Kind::Directory),
    ];
    let manifest = Manifest::new(entries.clone()).unwrap();
    let names: Vec<_> = manifest
        .entries()
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(names, ["a", "a-b", "a/b"]);
    assert_eq!((manifest.files(), manifest.total_bytes()), (2, 6));
    assert!(Manifest::new([entries.clone(), entries].concat()).is_err());
}

#[test]
fn a_packing_does_not_contradict_itself() {
    let member = |offset, length, files| Member {
        offset,
        length,
        files,
    };
    let packing = |size, members: &[Member]| Packing::new(Digest::of(b""), size, members.to_vec());
    let good = packing(30, &[member(0, 10, 1), member(10, 20, 2)]).unwrap();
    assert_eq!(Packing::parse(&good.canonical_bytes()).unwrap(), good);
    packing(30, &[member(0, 30, 0)]).unwrap();
    let contradictions: [(u64, &[Member]); 9] = [
        (0, &[]),
        (31, &[member(0, 10, 1), member(10, 20, 2)]),
        (29, &[member(0, 10, 1), member(10, 20, 2)]),
        (30, &[member(1, 29, 1)]),
        (30, &[member(0, 10, 1), member(11, 19, 2)]),
        (30, &[member(0, 10, 1), member(9, 21, 2)]),
        (30, &[member(0, 30, 1), member(30, 0, 1)]),
        (30, &[member(0, 10, 0), member(10, 20, 2)]),
        (30, &[member(0, u64::MAX, 1), member(u64::MAX, 31, 1)]),
    ];
    for (size, members) in contradictions {
        assert!(
            matches!(packing(size, members), Err(Error::InvalidPacking { .. })),
            "{size} {members:?}"
        );
    }
    let text = String::from_utf8(good.canonical_bytes()).unwrap();
    for changed in [
        text.replace(':', ": "),
        text.replace("\"files\":2", "\"files\":2,\"name\":\"x\""),
    ] {
        assert!(Packing::parse(changed.as_bytes()).is_err(), "{changed}");
    }
    let later = text.replace("\"version\":1", "\"version\":2");
    assert!(matches!(
        Packing::parse(later.as_bytes()),
        Err(Error::UnknownVersion {
            document: "packing",
            ..
        })
    ));
}
