//! Manifests, and how a release's tree is packed, unpacked and verified.
//!
//! ```text
//! built tree --Manifest::scan--> manifest ------------------------------.
//!     |                              |                                  |
//!     '-----------pack---------------'--> archive + packing --unpack--> installed tree --verify--> the same again
//! ```
//!
//! * A [`Manifest`] says what a release *is*: sorted paths, kinds, executable bits, sizes, digests, link texts. The
//!   SHA-256 of its canonical bytes is the release digest. Times, owners and compression have no part in it.
//! * An archive is one *packing* of a manifest: a gzipped tar that `tar xzf` opens, cut into gzip members at file
//!   borders. The [`Packing`] lists the members; it is an object of its own beside the archive.
//! * All work is synchronous and uses a few threads of its own; callers with a runtime start it where blocking is
//!   allowed. A [`Watch`] stops it and hears its progress.
//!
//! # What can be relied upon
//!
//! * Nothing of an archive is decompressed before its size and digest are those of the packing.
//! * The unpacker has no tar reader. It derives the only acceptable bytes of every header from the manifest and
//!   compares, so an archive is either exactly what was signed or refused as a whole: never skipped, never mended.
//! * Every write creates something new beneath a folder that was empty and ours, opened by the kernel's own rule
//!   (`openat2`, Linux 5.6); no link is followed, not even one that another process puts there meanwhile.
//! * A link of a manifest stays inside the release, also through other links. It may dangle.
//! * A failure leaves the archive or folder in question to be thrown away; a full disk is an error of its own.
//!
//! # What is left to the caller
//!
//! Names, signatures, downloads, free space ahead of time, the rename to the final name and syncing the folder above,
//! and throwing away what a failed [`unpack()`] left behind.
//!
//! # Measured
//!
//! Durability comes from one `syncfs` of the destination's file system at the end of [`unpack()`]. It covers contents,
//! modes, names and folders, and reports write errors since the folder was opened (Linux 5.8). Unpacking 10,000 small
//! files (86 MB on disk) took 0.9 to 1.6 s this way and 1.8 to 3.6 s with an `fsync` per file and folder, on a disk whose
//! `fsync` takes 45 us (development build, two processors); on disks with slower ones the gap grows with every file.
//! The price: `syncfs` also waits for what other programs wrote to the same file system.
//!
//! What is left to win in [`unpack()`] is SHA-256, of the archive and of every file. On a processor without SHA
//! instructions (`sha2` finds and uses them by itself) it is 65 % of the work and makes unpacking cost 1.35 times the
//! processor time of `tar xzf`, which checks nothing; decompression is a fifth, system calls are less than a tenth
//! (2026-11-20: 11,170 files, 141 MB, development build, in memory).
//!
//! `cargo run --example measure TREE EMPTY_FOLDER` compares this crate with `tar` and `gzip` on a tree of your own.

mod beneath;
mod destination;
mod document;
mod error;
mod hash;
mod header;
mod limits;
mod links;
mod manifest;
mod member;
mod pack;
mod packing;
mod path;
mod pick;
mod scan;
mod selection;
mod turns;
mod unpack;
mod verify;
mod walk;
mod watch;
mod workers;

pub use error::{Error, Result};
pub use limits::Limits;
pub use manifest::{Entry, Kind, Manifest};
pub use pack::{PackOptions, pack};
pub use packing::{Member, Packing};
pub use path::{MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES, PathFault, ReleasePath};
pub use pick::Pick;
pub use selection::Selection;
pub use unpack::unpack;
pub use verify::{Differences, SharedLink, verify};
pub use watch::Watch;
