//! What an operation wants said to an agent right after its commit: signed already, published by the caller on the
//! host's control queue. Agents ask again for what gets lost, so a reply is never stored.

use pointsman_shared::name::HostId;
use pointsman_shared::wire::Envelope;

/// A sealed answer to one host.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whose control queue it goes to.
    pub host: HostId,
    /// The sealed message.
    pub envelope: Envelope,
}
