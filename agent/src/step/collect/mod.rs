//! Collecting garbage on a host: the coordinator says what nobody needs, the host has the last word.
//!
//! It refuses to touch anything that the order does not name, and everything that somebody here still uses: what a link
//! leads to, what a switch is about to go to, what a process runs in.

mod users;
mod work;

pub use work::CollectWork;
