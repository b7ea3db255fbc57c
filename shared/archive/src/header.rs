//! The tar header of an entry: one exact row of bytes for each path, kind, size, mode and link text.
//!
//! Packing writes these bytes and unpacking compares with them, so there is no tar reader whose opinion of an archive
//! could differ from that of the next one: a header either is the one that the manifest asks for, or the archive is
//! refused. That covers hard links, devices, sparse files, global headers, odd modes, two sizes in one entry and
//! whatever else tar allows, without a list of them. It also fixes the bytes for good: a change is a new packing version.
//!
//! Form: ustar, owner 0, no times. A PAX header precedes it where a name is longer than 100 bytes or not ASCII, or a
//! file has 8 GiB or more. Folders end in a slash, as tar programs write them.

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
    let (flag, target) = match &entry.kind {
        Kind::File { .. } => (b'0', ""),
        Kind::Directory => (b'5', ""),
        Kind::Symlink { target } => (b'2', target.as_str()),
    };
    let mut name = entry.path.to_string();
    if entry.kind == Kind::Directory {
        name.push('/');
    }
    let mut records = Vec::new();
    if !fits(&name) {
        records.extend(record("path", &name));
    }
    if !fits(target) {
        records.extend(record("linkpath", target));
    }
    let size = entry.kind.size();
    if size >= LARGE {
        records.extend(record("size", &size.to_string()));
    }
    let mut bytes = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        bytes.extend(block(PAX_NAME, b'x', 0o644, records.len() as u64, ""));
        bytes.extend(&records);
        bytes.resize(bytes.len() + padding(records.len() as u64), 0);
    }
    bytes.extend(block(&name, flag, entry.kind.mode(), size, target));
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
    let Some(fields) = block.get(..BLOCK) else {
        return "a header that is cut off".to_owned();
    };
    let text = |range: std::ops::Range<usize>| {
        let field = &fields[range];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        field[..end].escape_ascii().to_string()
    };
    let kind = match fields[156] {
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
    let target = if matches!(fields[156], b'1' | b'2') {
        format!(", to `{}`", text(157..257))
    } else {
        String::new()
    };
    format!(
        "{kind} `{}` (mode {}, size {}{target})",
        text(0..100),
        text(100..108),
        text(124..136)
    )
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

fn block(name: &str, flag: u8, mode: u32, size: u64, target: &str) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, shortened(name));
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(
        124,
        format!("{:011o}", if size < LARGE { size } else { 0 }).as_bytes(),
    );
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[flag]);
    put(157, shortened(target));
    put(257, b"ustar\x0000");
    put(329, b"0000000");
    put(337, b"0000000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// What a reader without PAX gets to see: whole characters that fit.
fn shortened(name: &str) -> &[u8] {
    &name.as_bytes()[..name.floor_char_boundary(NAME_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn padding_fills_the_last_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
