//! Archives whose entries are not what the manifest signed for: each is refused, and nothing is written outside.

use crate::craft::{DATA, Head, Jail, RUN, pax};

/// Where the pieces of the honest archive stand.
pub const A: usize = 0;
pub const D: usize = 1;
pub const R: usize = 2;
pub const L: usize = 3;
pub const T: usize = 4;
pub const E: usize = 5;

pub type Pieces = Vec<Vec<u8>>;
pub type Cases<'a> = &'a [(&'a str, fn(&mut Pieces))];

pub fn all_refused(cases: Cases<'_>) {
    let jail = Jail::new();
    for (name, change) in cases {
        jail.refuses(name, change);
    }
}

#[test]
fn the_honest_archive_is_accepted_and_made_of_these_very_headers() {
    let jail = Jail::new();
    let by_hand = [
        Head::new("app/", b'5', 0o755).block(),
        Head::file("app/data").with(DATA),
        Head::new("app/run", b'0', 0o755).with(RUN),
        Head::new("link", b'2', 0o777).to("app/data").block(),
        Head::file("top").with(b"top\n"),
        vec![0; 1024],
    ];
    assert_eq!(by_hand.as_slice(), jail.pieces);
    jail.try_tar(&by_hand.concat()).unwrap();
}

#[test]
fn a_refusal_says_what_stands_where_something_else_must() {
    let jail = Jail::new();
    let mut pieces = jail.pieces.clone();
    pieces[D] = Head::new("app/data", b'1', 0o644).to("/etc/shadow").block();
    let error = jail.try_tar(&pieces.concat()).unwrap_err().to_string();
    let words = "member 1 has a hard link `app/data` (mode 0000644, size 00000000000, to `/etc/shadow`) \
                 where `app/data` must be a file";
    assert!(error.contains(words), "{error}");
}

const NAMES: Cases<'_> = &[
    ("absolute path", |p| p[D] = Head::file("/etc/cron.d/x").with(DATA)),
    ("parent path", |p| p[D] = Head::file("../evil").with(DATA)),
    ("parent path in the middle", |p| {
        p[D] = Head::file("app/../../evil").with(DATA);
    }),
    ("dot path", |p| p[D] = Head::file("./app/data").with(DATA)),
    ("double slash", |p| p[D] = Head::file("app//data").with(DATA)),
    ("empty name", |p| p[D] = Head::file("").with(DATA)),
    ("name of another entry", |p| p[D] = Head::file("top").with(DATA)),
    ("case twin", |p| p[D] = Head::file("app/Data").with(DATA)),
    ("newline in the name", |p| {
        p[D] = Head::file("app/da\nta").with(DATA);
    }),
    ("path split into the prefix field", |p| {
        p[D] = Head {
            prefix: "app".to_owned(),
            ..Head::file("data")
        }
        .with(DATA);
    }),
    ("prefix that climbs", |p| {
        p[D] = Head {
            prefix: "../..".to_owned(),
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("PAX path that climbs", |p| {
        p.insert(D, pax(b'x', "path", "../evil"));
    }),
    ("PAX path that is absolute", |p| {
        p.insert(D, pax(b'x', "path", "/tmp/evil"));
    }),
    ("PAX path that agrees", |p| {
        p.insert(D, pax(b'x', "path", "app/data"));
    }),
    ("PAX link path", |p| {
        p.insert(L, pax(b'x', "linkpath", "/etc/passwd"));
    }),
    ("PAX size that clashes", |p| {
        p.insert(D, pax(b'x', "size", "1000000"));
    }),
    ("PAX size that agrees", |p| p.insert(D, pax(b'x', "size", "8"))),
    ("PAX time", |p| p.insert(D, pax(b'x', "mtime", "1.5"))),
    ("PAX owner", |p| p.insert(D, pax(b'x', "uid", "1000"))),
    ("PAX extended attribute", |p| {
        p.insert(D, pax(b'x', "SCHILY.xattr.security.capability", "x"));
    }),
    ("PAX access list", |p| {
        p.insert(D, pax(b'x', "SCHILY.acl.access", "user::rwx"));
    }),
    ("PAX sparse map", |p| {
        p.insert(D, pax(b'x', "GNU.sparse.map", "0,8"));
    }),
    ("PAX header without an entry", |p| {
        p.insert(E, pax(b'x', "path", "late"));
    }),
    ("two PAX headers", |p| {
        p.splice(D..D, [pax(b'x', "comment", "a"), pax(b'x', "path", "../x")])
            .for_each(drop);
    }),
    ("global PAX header", |p| p.insert(0, pax(b'g', "path", "../evil"))),
    ("global PAX header at the end", |p| {
        p.insert(E, pax(b'g', "comment", "bye"));
    }),
];

#[test]
fn names_that_the_manifest_does_not_have() {
    all_refused(NAMES);
}

const KINDS: Cases<'_> = &[
    ("hard link out of the tree", |p| {
        p[D] = Head::new("app/data", b'1', 0o644).to("/etc/passwd").block();
    }),
    ("hard link inside", |p| {
        p[T] = Head::new("top", b'1', 0o644).to("app/data").block();
    }),
    ("hard link before its target", |p| {
        p.insert(D, Head::new("app/data", b'1', 0o644).to("top").block());
    }),
    ("link in the place of a file", |p| {
        p[D] = Head::new("app/data", b'2', 0o777).to("/etc/passwd").block();
    }),
    ("link with another text", |p| {
        p[L] = Head::new("link", b'2', 0o777).to("/etc/passwd").block();
    }),
    ("link with a climbing text", |p| {
        p[L] = Head::new("link", b'2', 0o777).to("../../outside/secret").block();
    }),
    ("link with content", |p| {
        p[L] = Head::new("link", b'2', 0o777).to("app/data").with(b"x");
    }),
    ("file in the place of a link", |p| {
        p[L] = Head::file("link").with(b"x");
    }),
    ("folder swapped for a link out", |p| {
        p[A] = Head::new("app", b'2', 0o777).to("../../outside").block();
    }),
    ("folder, then a link over it", |p| {
        p.insert(D, Head::new("app", b'2', 0o777).to("..").block());
    }),
    ("two links that lead out together", |p| {
        p.splice(
            D..D,
            [
                Head::new("app/a", b'2', 0o777).to("..").block(),
                Head::new("app/b", b'2', 0o777).to("a/../..").block(),
            ],
        )
        .for_each(drop);
    }),
    ("file through a link made before", |p| {
        p.splice(
            E..E,
            [
                Head::new("up", b'2', 0o777).to("..").block(),
                Head::file("up/evil").with(b"x"),
            ],
        )
        .for_each(drop);
    }),
    ("file over a link", |p| p.insert(E, Head::file("link").with(b"x"))),
    ("folder in the place of a file", |p| {
        p[D] = Head::new("app/data/", b'5', 0o755).block();
    }),
    ("file in the place of a folder", |p| {
        p[A] = Head::file("app").with(b"");
    }),
    ("folder with content", |p| {
        p[A] = Head::new("app/", b'5', 0o755).with(b"hidden");
    }),
    ("character device", |p| {
        p[T] = Head::new("top", b'3', 0o644).block();
    }),
    ("block device", |p| p[T] = Head::new("top", b'4', 0o644).block()),
    ("fifo", |p| p[T] = Head::new("top", b'6', 0o644).block()),
    ("contiguous file", |p| {
        p[D] = Head::new("app/data", b'7', 0o644).with(DATA);
    }),
    ("file of the old kind", |p| {
        p[D] = Head::new("app/data", 0, 0o644).with(DATA);
    }),
    ("GNU sparse file", |p| {
        p[D] = Head::new("app/data", b'S', 0o644).with(DATA);
    }),
    ("GNU long name", |p| {
        p.insert(D, Head::new("././@LongLink", b'L', 0o644).with(b"../evil\0"));
    }),
    ("GNU long link", |p| {
        p.insert(L, Head::new("././@LongLink", b'K', 0o644).with(b"/etc/passwd\0"));
    }),
    ("GNU volume header", |p| {
        p.insert(0, Head::new("volume", b'V', 0o644).block());
    }),
    ("GNU continued file", |p| {
        p[D] = Head::new("app/data", b'M', 0o644).with(DATA);
    }),
    ("GNU folder dump", |p| {
        p[A] = Head::new("app/", b'D', 0o755).block();
    }),
    ("Solaris attributes", |p| {
        p.insert(D, Head::new("app/data", b'X', 0o644).with(b"x"));
    }),
    ("unknown kind", |p| {
        p[D] = Head::new("app/data", b'Z', 0o644).with(DATA);
    }),
];

#[test]
fn kinds_that_the_manifest_does_not_have() {
    all_refused(KINDS);
}

const LISTS: Cases<'_> = &[
    ("entry more at the end", |p| {
        p.insert(E, Head::file("zz").with(b"x"));
    }),
    ("entry more at the beginning", |p| {
        p.insert(0, Head::file("a").with(b"x"));
    }),
    ("entry more in a folder", |p| {
        p.insert(D, Head::file("app/a").with(b"x"));
    }),
    ("top folder as an entry", |p| {
        p.insert(0, Head::new("./", b'5', 0o755).block());
    }),
    ("file twice", |p| p.insert(T, p[D].clone())),
    ("file twice in a row", |p| p.insert(D, p[D].clone())),
    ("folder twice", |p| p.insert(D, p[A].clone())),
    ("first entry missing", |p| drop(p.remove(A))),
    ("file missing", |p| drop(p.remove(D))),
    ("last entry missing", |p| drop(p.remove(T))),
    ("all entries missing", |p| p.drain(..E).for_each(drop)),
    ("another order", |p| p.swap(D, R)),
    ("folder after its content", |p| p.swap(A, D)),
];

#[test]
fn more_fewer_or_other_entries() {
    all_refused(LISTS);
}
