//! Manifests, and how a release's tree is packed, unpacked and verified.

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
pub use selection::Selection;
pub use unpack::unpack;
pub use verify::{Differences, SharedLink, verify};
pub use watch::Watch;
