//! Switching: activation and rollback. Before-hooks, fence, link, after-hooks and health, in this order and no other.

mod health;
mod link;
mod work;

pub use health::probe_client;
pub use work::SwitchWork;
