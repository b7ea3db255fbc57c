//! What lies in a placement's root (protocol.md 3), and the only code that changes it.
//!
//! ```text
//! Root      the open folder, checked; reading needs nothing else
//!  `- RootLock   proof that this process is the root's only writer; every change is one of its methods
//! Fence     what the host last accepted; pure rules, durable file
//! Progress  what is in progress, and whether it can still be cancelled
//! ```
//!
//! Nothing here talks to anybody or runs a program.

mod fence;
mod fence_file;
mod link;
mod lock;
mod progress;
mod releases;
mod root;
mod state;
mod trash;

pub use fence::{Accepted, Claimed, Fence, FenceRefusal, SlotRecord, SwitchPhase};
pub use fence_file::{FenceError, FenceFile};
pub use link::{LinkError, SlotLink};
pub use lock::{LockError, RootLock};
pub use progress::Progress;
pub use releases::{ReleaseError, Trash};
pub use root::{Root, RootError};
pub use state::{PlacementFacts, state_digest};
pub use trash::Discarded;
