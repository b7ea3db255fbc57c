//! Who this agent is, as its state folder holds it: its own key, the coordinators' keys it pinned, its membership and
//! the instances that ran before. Everything here is readable by the agent's user alone.
//!
//! It refuses to talk to anybody; `join` brings these files, `welcome` renews them.

mod files;
mod instances;

pub use files::{Identity, IdentityError, IdentityFolder};
pub use instances::Instances;
