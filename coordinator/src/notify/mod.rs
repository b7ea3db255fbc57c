//! Sends notifications: a file for each kind of receiver, and one door through which every request leaves.
//!
//! Nothing here decides who is told what, when to try again, or what is stored; it sends once and says how that went.

mod door;
mod email;
mod seal;
mod sender;
mod slack;
mod webhook;

pub use door::objection;
pub use email::is_mailbox;
pub use seal::{Part, seal};
pub use sender::{Sent, Verdict, message_id, send};
pub(crate) use webhook::secret;
pub use webhook::{check_secret, sign};
