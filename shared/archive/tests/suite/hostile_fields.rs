//! Archives with the right entries in the wrong bytes: modes, owners, sizes, padding, end marks.

use crate::craft::{DATA, Head, RUN, padded, resum};
use crate::hostile_entries::{A, Cases, D, E, R, T, all_refused};

const FIELDS: Cases<'_> = &[
    ("set-user-id mode", |p| {
        p[D] = Head {
            mode: 0o4644,
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("mode for all", |p| {
        p[D] = Head {
            mode: 0o666,
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("executable bit more", |p| {
        p[D] = Head {
            mode: 0o755,
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("executable bit lost", |p| p[R] = Head::file("app/run").with(RUN)),
    ("folder for all", |p| {
        p[A] = Head::new("app/", b'5', 0o777).block();
    }),
    ("owner", |p| {
        p[D] = Head {
            uid: 1000,
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("owner name", |p| {
        p[D] = Head {
            user: "root".to_owned(),
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("time", |p| {
        p[D] = Head {
            mtime: 1,
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("link text on a file", |p| {
        p[D] = Head::file("app/data").to("x").with(DATA);
    }),
    ("GNU magic", |p| {
        p[D] = Head {
            magic: *b"ustar  \0",
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("no magic", |p| {
        p[D] = Head {
            magic: [0; 8],
            ..Head::file("app/data")
        }
        .with(DATA);
    }),
    ("bytes after the header fields", |p| {
        p[D][510] = 1;
        resum(&mut p[D]);
    }),
    ("wrong checksum", |p| p[D][148] ^= 1),
    ("size larger", |p| {
        p[D] = Head::file("app/data").with(b"content\nand more");
    }),
    ("size smaller", |p| p[D] = Head::file("app/data").with(b"content")),
    ("size as a binary number", |p| {
        p[D][124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
        resum(&mut p[D]);
    }),
    ("negative size", |p| {
        p[D][124..136].copy_from_slice(&[0xff; 12]);
        resum(&mut p[D]);
    }),
    ("size in spaces", |p| {
        p[D][124..136].copy_from_slice(b"         10 ");
        resum(&mut p[D]);
    }),
    ("size without its content", |p| {
        p[D] = Head {
            size: 8,
            ..Head::file("app/data")
        }
        .block();
    }),
    ("other content", |p| {
        p[D] = Head::file("app/data").with(b"CONTENT\n");
    }),
    ("bytes in the padding", |p| p[D][1023] = 1),
    ("no padding", |p| p[D].truncate(512 + DATA.len())),
    ("padding of two blocks", |p| p[D].resize(1536, 0)),
    ("no end mark", |p| p[E].clear()),
    ("half an end mark", |p| p[E].truncate(512)),
    ("end mark that is not empty", |p| p[E][700] = 1),
    ("end mark of the usual ten blocks", |p| p[E].resize(10240, 0)),
    ("bytes after the end mark", |p| {
        p[E].extend(padded(b"more".to_vec()));
    }),
    ("end mark in the middle", |p| {
        p.insert(T, vec![0; 1024]);
    }),
    ("second archive after the end", |p| p.extend_from_within(..)),
    ("entry after the end", |p| {
        p.push(Head::file("../evil").with(b"x"));
    }),
];

#[test]
fn fields_and_blocks_that_are_not_exact() {
    all_refused(FIELDS);
}
