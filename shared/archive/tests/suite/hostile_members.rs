//! Archives that lie about their gzip members, and archives damaged bit by bit.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use pointsman_archive::{Error, Limits, Member, Packing, Result, Watch, unpack, verify};
use pointsman_shared::digest::Digest;

use crate::craft::{Head, Jail, gzip, member};
use crate::trees::scratch;

/// The honest archive in two members: three entries, then two and the end mark.
fn two_members(jail: &Jail) -> (Vec<u8>, Vec<u8>) {
    (gzip(&jail.pieces[..3].concat()), gzip(&jail.pieces[3..].concat()))
}

/// Bytes of the archive, signed as a member that holds so many entries.
type Part<'a> = (&'a [u8], usize);

/// Unpacks parts that are signed as members holding so many entries.
fn try_parts(jail: &Jail, parts: &[Part<'_>]) -> Result<()> {
    let mut members: Vec<Member> = Vec::new();
    let mut archive = Vec::new();
    for (bytes, files) in parts {
        members.push(member(archive.len(), bytes.len(), *files));
        archive.extend_from_slice(bytes);
    }
    jail.try_members(&archive, members)
}

fn assert_refused(name: &str, result: Result<()>) {
    match result {
        Err(Error::Refused { .. } | Error::InvalidPacking { .. }) => {}
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn borders_and_numbers_must_be_exactly_as_listed() {
    let jail = Jail::new();
    let (one, two) = two_members(&jail);
    try_parts(&jail, &[(&one, 3), (&two, 2)]).unwrap();
    let glued = [one.clone(), two.clone()].concat();
    let border = one.len();
    let (early, late) = (glued.split_at(border - 1), glued.split_at(border + 1));
    let lies: [(&str, &[Part<'_>]); 9] = [
        ("two members listed as one", &[(&glued, 5)]),
        ("border too early", &[(early.0, 3), (early.1, 2)]),
        ("border too late", &[(late.0, 3), (late.1, 2)]),
        ("other numbers of entries", &[(&one, 2), (&two, 3)]),
        ("fewer entries", &[(&one, 3), (&two, 1)]),
        ("more entries", &[(&one, 3), (&two, 3)]),
        ("other order", &[(&two, 2), (&one, 3)]),
        ("the same twice", &[(&one, 3), (&one, 2)]),
        ("a member missing", &[(&one, 5)]),
    ];
    for (name, parts) in lies {
        assert_refused(name, try_parts(&jail, parts));
    }
}

#[test]
fn nothing_stands_before_between_or_after_members() {
    let jail = Jail::new();
    let (one, two) = two_members(&jail);
    let (empty, whole, plain) = (gzip(b""), gzip(&jail.pieces.concat()), jail.pieces.concat());
    let endless = gzip(&jail.pieces[3..5].concat());
    let with = |first: &[u8], second: &[u8]| [first, second].concat();
    let additions: [(&str, &[Part<'_>]); 14] = [
        ("an empty member between", &[(&one, 3), (&empty, 0), (&two, 2)]),
        (
            "an empty member in a listed one",
            &[(&with(&one, &empty), 3), (&two, 2)],
        ),
        ("an empty member before", &[(&with(&empty, &one), 3), (&two, 2)]),
        ("junk between", &[(&with(&one, b"junk"), 3), (&two, 2)]),
        ("junk before", &[(&with(b"junk", &one), 3), (&two, 2)]),
        ("junk after", &[(&one, 3), (&with(&two, b"junk"), 2)]),
        ("zeros after", &[(&one, 3), (&with(&two, &[0; 512]), 2)]),
        ("cut off", &[(&one, 3), (&two[..two.len() - 9], 2)]),
        ("trailer cut off", &[(&one, 3), (&two[..two.len() - 1], 2)]),
        ("only a header", &[(&one, 3), (&two[..10], 2)]),
        ("end mark in the first", &[(&whole, 3), (&two, 2)]),
        ("no end mark", &[(&one, 3), (&endless, 2)]),
        ("another compression", &[(b"\x28\xb5\x2f\xfd zstd", 5)]),
        ("no compression", &[(&plain, 5)]),
    ];
    for (name, parts) in additions {
        assert_refused(name, try_parts(&jail, parts));
    }
}

#[test]
fn gzip_headers_hide_nothing() {
    let jail = Jail::new();
    let tar = jail.pieces.concat();
    let build = |builder: GzBuilder| {
        let mut encoder = builder.write(Vec::new(), Compression::fast());
        encoder.write_all(&tar).unwrap();
        encoder.finish().unwrap()
    };
    let headers = [
        ("file name", GzBuilder::new().filename("evil")),
        ("comment", GzBuilder::new().comment("hidden")),
        ("extra field", GzBuilder::new().extra(vec![1, 2, 3, 4])),
        ("time", GzBuilder::new().mtime(1)),
    ];
    for (name, builder) in headers {
        assert_refused(name, try_parts(&jail, &[(&build(builder), 5)]));
    }
    let honest = gzip(&tar);
    for (name, from_end) in [("checksum", 8), ("length", 4)] {
        let mut changed = honest.clone();
        let at = changed.len() - from_end;
        changed[at] ^= 1;
        assert_refused(name, try_parts(&jail, &[(&changed, 5)]));
    }
}

#[test]
fn a_bomb_is_not_blown_up() {
    let jail = Jail::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&jail.pieces[..4].concat()).unwrap();
    let zeros = vec![0; 1 << 20];
    let mut bomb = Head::file("top");
    bomb.size = 1 << 32;
    encoder.write_all(&bomb.block()).unwrap();
    (0..64).for_each(|_| encoder.write_all(&zeros).unwrap());
    assert_refused(
        "in an entry",
        try_parts(&jail, &[(&encoder.finish().unwrap(), 5)]),
    );

    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&jail.pieces.concat()).unwrap();
    (0..256).for_each(|_| encoder.write_all(&zeros).unwrap());
    let archive = encoder.finish().unwrap();
    let start = Instant::now();
    assert_refused("after the end", try_parts(&jail, &[(&archive, 5)]));
    assert!(start.elapsed() < Duration::from_secs(5), "the zeros were read");
}

#[test]
fn every_flipped_bit_is_refused_before_anything_is_unpacked() {
    let jail = Jail::new();
    let honest = gzip(&jail.pieces.concat());
    let members = vec![member(0, honest.len(), 5)];
    let packing = Packing::new(Digest::of(&honest), honest.len() as u64, members).unwrap();
    let home = scratch();
    let (archive, dest) = (home.path().join("archive"), home.path().join("dest"));
    let attempt = |bytes: &[u8]| {
        fs_err::write(&archive, bytes).unwrap();
        let result = unpack(
            &archive,
            &packing,
            jail.manifest(),
            &dest,
            &Limits::default(),
            &Watch::none(),
        );
        assert!(!dest.exists());
        result
    };
    for bit in 0..honest.len() * 8 {
        let mut flipped = honest.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(attempt(&flipped), Err(Error::ArchiveDigest { .. })),
            "bit {bit}"
        );
    }
    assert!(matches!(attempt(&honest[1..]), Err(Error::ArchiveSize { .. })));
    assert!(matches!(
        attempt(&[&honest[..], b"x"].concat()),
        Err(Error::ArchiveSize { .. })
    ));
}

#[test]
fn a_flipped_bit_under_a_false_signature_changes_nothing_that_is_installed() {
    let jail = Jail::new();
    let honest = gzip(&jail.pieces.concat());
    for bit in 0..honest.len() * 8 {
        let mut flipped = honest.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match try_parts(&jail, &[(&flipped, 5)]) {
            Err(Error::Refused { .. }) => {}
            Ok(()) => verify(&jail.dest(), jail.manifest(), &[], &Watch::none()).unwrap(),
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}
