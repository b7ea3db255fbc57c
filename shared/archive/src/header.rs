//! The tar header of an entry: one exact row of bytes for each path, kind, size, mode and link text.
//!
//! Packing writes these bytes and unpacking compares with them, so there is no tar reader whose opinion of an archive
//! could differ from that of the next one: a header either is the one that the manifest asks for, or the archive is
//! refused. That covers hard links, devices, sparse files, global headers, odd modes, two sizes in one entry and
//! whatever else tar allows, without a list of them. It also fixes the bytes for good: a change is a new packing version.
//!
//! Form: ustar, owner 0, no times. A PAX header precedes it where a name is longer than 100 bytes or not ASCII, or a
//! file has 8 GiB or more. Folders end in a slash, as tar programs write them.
//!
//! The blocks are laid out by `tar::Header`. Three things are done here instead, decided 2026-11-20 with tar 0.4.46:
//!
//! * Names go into their fields as they are. `set_path` cuts a long one in two with the `prefix` field where it can
//!   and fails where it cannot; here a long name has one spelling, the PAX record.
//! * The checksum ends in NUL and space, as GNU tar and bsdtar write it; the crate writes seven digits and NUL.
//! * PAX records are put together here. `append_pax_extensions` writes their header without name and mode, can fail, and
//!   belongs to a builder that adds an end mark when it is dropped, in the middle of our archive.

use tar::{EntryType, Header};

use crate::manifest::{Entry, Kind};

/// Tar counts in blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;
/// Two empty blocks end an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// What fits into the name and link fields.
const NAME_BYTES: usize = 100;
/// The first size that eleven octal digits cannot say.
const LARGE: u64 = 1 << 33;
/// The name that a reader without PAX would give to the extra header.
const PAX_NAME: &str = "PaxHeader";

/// The bytes that precede the content of `entry`.
pub(crate) fn header(entry: &Entry) -> Vec<u8> {
    let (kind, target) = match &entry.kind {
        Kind::File { .. } => (EntryType::Regular, ""),
        Kind::Directory => (EntryType::Directory, ""),
        Kind::Symlink { target } => (EntryType::Symlink, target.as_str()),
    };
    let mut name = entry.path.to_string();
    if entry.kind == Kind::Directory {
        name.push('/');
    }
    let size = entry.kind.size();
    let records = records(&name, target, size);
    let mut bytes = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        let length = records.len() as u64;
        bytes.extend(block(PAX_NAME, EntryType::XHeader, 0o644, length, ""));
        bytes.extend(&records);
        bytes.resize(bytes.len() + padding(length), 0);
    }
    bytes.extend(block(&name, kind, entry.kind.mode(), size, target));
    bytes
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a remainder below 512 fits everywhere"
)]
/// Zero bytes that fill the last block of `size` bytes of content.
pub(crate) const fn padding(size: u64) -> usize {
    let over = (size % BLOCK as u64) as usize;
    (BLOCK - over) % BLOCK
}

/// What a header block says, in words, for the message that refuses it.
pub(crate) fn describe(block: &[u8]) -> String {
    if block.iter().all(|byte| *byte == 0) {
        return "the end of the archive".to_owned();
    }
    let Some(block) = block.get(..BLOCK) else {
        return "a header that is cut off".to_owned();
    };
    let header = Header::from_byte_slice(block);
    let fields = header.as_old();
    let kind = match fields.linkflag[0] {
        b'0' | 0 => "a file",
        b'1' => "a hard link",
        b'2' => "a link",
        b'3' => "a character device",
        b'4' => "a block device",
        b'5' => "a folder",
        b'6' => "a fifo",
        b'S' => "a sparse file",
        b'g' => "a global header",
        b'x' => "a PAX header",
        b'L' | b'K' => "a GNU long name",
        _ => "an unknown entry",
    };
    let target = if matches!(header.entry_type(), EntryType::Link | EntryType::Symlink) {
        format!(", to `{}`", text(&fields.linkname))
    } else {
        String::new()
    };
    format!(
        "{kind} `{}` (mode {}, size {}{target})",
        text(&fields.name),
        text(&fields.mode),
        text(&fields.size)
    )
}

/// A field up to its first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    field[..end].escape_ascii().to_string()
}

/// What the fields of a header have no room for, as PAX records; mostly nothing.
fn records(name: &str, target: &str, size: u64) -> Vec<u8> {
    let mut records = Vec::new();
    if !fits(name) {
        records.extend(record("path", name));
    }
    if !fits(target) {
        records.extend(record("linkpath", target));
    }
    if size >= LARGE {
        records.extend(record("size", &size.to_string()));
    }
    records
}

fn fits(name: &str) -> bool {
    name.is_ascii() && name.len() <= NAME_BYTES
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length += 1;
    }
    format!("{length} {key}={value}\n").into_bytes()
}

fn block(name: &str, kind: EntryType, mode: u32, size: u64, target: &str) -> [u8; BLOCK] {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    // A size that does not fit stands in a record; the crate would write it in GNU's binary form.
    header.set_size(if size < LARGE { size } else { 0 });
    if let Some(fields) = header.as_ustar_mut() {
        put(&mut fields.name, name);
        put(&mut fields.linkname, target);
        fields.set_device_major(0);
        fields.set_device_minor(0);
    }
    header.set_cksum();
    // The sum of a block has six digits at most, so the first of the seven is a zero to spare.
    let sum = &mut header.as_old_mut().cksum;
    sum.rotate_left(1);
    sum[7] = b' ';
    *header.as_bytes()
}

fn put(field: &mut [u8; NAME_BYTES], name: &str) {
    let name = shortened(name);
    field[..name.len()].copy_from_slice(name);
}

/// What a reader without PAX gets to see: whole characters that fit.
fn shortened(name: &str) -> &[u8] {
    &name.as_bytes()[..name.floor_char_boundary(NAME_BYTES)]
}

#[cfg(test)]
mod tests {
    use pointsman_shared::digest::Digest;

    use super::*;
    use crate::path::ReleasePath;

    #[test]
    fn a_record_counts_its_own_digits() {
        assert_eq!(record("path", "a"), b"9 path=a\n");
        assert_eq!(record("size", ""), b"8 size=\n");
        for length in 80..120 {
            let record = record("path", &"x".repeat(length));
            assert!(record.starts_with(format!("{} path=", record.len()).as_bytes()));
        }
    }

    #[test]
    fn a_file_of_8_gib_says_its_size_in_a_record() {
        for size in [LARGE - 1, LARGE] {
            let entry = Entry {
                path: ReleasePath::new("large").unwrap(),
                kind: Kind::File {
                    executable: false,
                    size,
                    digest: Digest::from_bytes([0; 32]),
                },
            };
            let bytes = header(&entry);
            assert_eq!(bytes.len(), if size < LARGE { BLOCK } else { 3 * BLOCK });
            let mut archive = tar::Archive::new(bytes.as_slice());
            let read = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(read.path_bytes().as_ref(), b"large");
            assert_eq!(read.size(), size);
            assert!(bytes.iter().all(u8::is_ascii), "a size in GNU's binary form");
        }
    }

    #[test]
    fn padding_fills_the_last_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
