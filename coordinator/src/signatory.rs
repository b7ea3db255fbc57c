//! Signs what coordinators say: one method per message, so that no caller can have bytes of its own signed.

use pointsman_shared::api::agent::Membership;
use pointsman_shared::wire::to_agent::{
    Acknowledge, Adopt, Cancel, Denial, Grant, HeartbeatReply, Offer, ToAgent, Unwelcome, Welcome,
};
use pointsman_shared::wire::{Envelope, PublicKey, SigningKey};

/// Whoever holds the coordinator's key; a process of its own can take this place later.
pub trait Signatory: Send + Sync {
    /// The public half of the key.
    fn public(&self) -> PublicKey;
    /// Signs an offer.
    fn sign_offer(&self, offer: Offer) -> Envelope;
    /// Signs a grant.
    fn sign_grant(&self, grant: Grant) -> Envelope;
    /// Signs a denial.
    fn sign_denial(&self, denial: Denial) -> Envelope;
    /// Signs a welcome.
    fn sign_welcome(&self, welcome: Welcome) -> Envelope;
    /// Signs a refusal of a hello.
    fn sign_unwelcome(&self, unwelcome: Unwelcome) -> Envelope;
    /// Signs the answer to a heartbeat.
    fn sign_heartbeat_reply(&self, reply: HeartbeatReply) -> Envelope;
    /// Signs an acknowledgement.
    fn sign_acknowledge(&self, acknowledge: Acknowledge) -> Envelope;
    /// Signs an adopt.
    fn sign_adopt(&self, adopt: Adopt) -> Envelope;
    /// Signs a cancel.
    fn sign_cancel(&self, cancel: Cancel) -> Envelope;
    /// Signs a membership.
    fn sign_membership(&self, membership: &Membership) -> Envelope;
}

/// A key in this process, read from its file.
#[derive(Debug)]
pub struct LocalSignatory(SigningKey);

impl LocalSignatory {
    /// Holds `key`.
    pub const fn new(key: SigningKey) -> Self {
        Self(key)
    }
}

impl Signatory for LocalSignatory {
    fn public(&self) -> PublicKey {
        self.0.public()
    }

    fn sign_offer(&self, offer: Offer) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Offer(offer))
    }

    fn sign_grant(&self, grant: Grant) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Grant(grant))
    }

    fn sign_denial(&self, denial: Denial) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Denial(denial))
    }

    fn sign_welcome(&self, welcome: Welcome) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Welcome(welcome))
    }

    fn sign_unwelcome(&self, unwelcome: Unwelcome) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Unwelcome(unwelcome))
    }

    fn sign_heartbeat_reply(&self, reply: HeartbeatReply) -> Envelope {
        self.0.sign_to_agent(&ToAgent::HeartbeatReply(reply))
    }

    fn sign_acknowledge(&self, acknowledge: Acknowledge) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Acknowledge(acknowledge))
    }

    fn sign_adopt(&self, adopt: Adopt) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Adopt(adopt))
    }

    fn sign_cancel(&self, cancel: Cancel) -> Envelope {
        self.0.sign_to_agent(&ToAgent::Cancel(cancel))
    }

    fn sign_membership(&self, membership: &Membership) -> Envelope {
        self.0.sign_membership(membership)
    }
}
