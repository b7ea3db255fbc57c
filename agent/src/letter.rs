//! Opening what the broker delivered: size, envelope, signature, kind, version, addressee, in this order.
//!
//! Pure and total: any bytes give a letter or a refusal with a stable code. What a letter asks for is judged elsewhere.

use pointsman_shared::name::HostId;
use pointsman_shared::wire::to_agent::{Offer, ToAgent};
use pointsman_shared::wire::{Envelope, EnvelopeError, KeySet, VERSION, Verified, VerifyError};

use crate::describe::describe;

/// Where a letter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The host's control queue.
    Control,
    /// The host's or a pool's job queue.
    Jobs,
}

/// A letter that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    /// An offer.
    Offer(Verified<Offer>),
    /// Anything else.
    Control(Verified<ToAgent>),
}

/// A letter that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code such as `forged`.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

impl Refusal {
    /// A refusal in words.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// Opens a letter that was delivered to `host`.
pub fn open(bytes: &[u8], door: Door, keys: &KeySet, host: &HostId) -> Result<Letter, Refusal> {
    let envelope = Envelope::from_bytes(bytes).map_err(|error| match &error {
        EnvelopeError::TooLarge { .. } => Refusal::new("oversized", error.to_string()),
        EnvelopeError::Malformed(_) => Refusal::new("malformed", describe(&error)),
    })?;
    let letter: Verified<ToAgent> = envelope
        .verify(keys)
        .map_err(|error| Refusal::new(code(&error), describe(&error)))?;
    let (version, addressee) = header(letter.get());
    if version != VERSION {
        return Err(Refusal::new(
            "unknown_version",
            format!("the message says version {version}, this agent reads {VERSION}; upgrade it"),
        ));
    }
    if let Some(addressee) = addressee.filter(|addressee| *addressee != host) {
        return Err(Refusal::new(
            "foreign_host",
            format!("the message is for host {addressee}"),
        ));
    }
    match (door, letter.get()) {
        (Door::Jobs, ToAgent::Offer(offer)) => {
            let offer = offer.clone();
            Ok(Letter::Offer(letter.narrow(|_| offer)))
        }
        (Door::Control, ToAgent::Offer(_)) => Err(Refusal::new(
            "wrong_queue",
            "an offer came over the control queue",
        )),
        (
            Door::Jobs,
            ToAgent::Grant(_)
            | ToAgent::Denial(_)
            | ToAgent::Welcome(_)
            | ToAgent::Unwelcome(_)
            | ToAgent::HeartbeatReply(_)
            | ToAgent::Acknowledge(_)
            | ToAgent::Adopt(_)
            | ToAgent::Cancel(_),
        ) => Err(Refusal::new(
            "wrong_queue",
            "a control message came over a job queue",
        )),
        (Door::Control, _) => Ok(Letter::Control(letter)),
    }
}

const fn code(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::WrongType { .. } => "wrong_type",
        VerifyError::SignatureCount(_) => "malformed",
        VerifyError::UnknownKey(_) => "unknown_key",
        VerifyError::Forged(_) => "forged",
        VerifyError::Unreadable(_) => "unreadable",
    }
}

/// Version and addressee; an offer names its audience in its body.
const fn header(message: &ToAgent) -> (u16, Option<&HostId>) {
    match message {
        ToAgent::Offer(m) => (m.v, None),
        ToAgent::Grant(m) => (m.v, Some(&m.host)),
        ToAgent::Denial(m) => (m.v, Some(&m.host)),
        ToAgent::Welcome(m) => (m.v, Some(&m.host)),
        ToAgent::Unwelcome(m) => (m.v, Some(&m.host)),
        ToAgent::HeartbeatReply(m) => (m.v, Some(&m.host)),
        ToAgent::Acknowledge(m) => (m.v, Some(&m.host)),
        ToAgent::Adopt(m) => (m.v, Some(&m.host)),
        ToAgent::Cancel(m) => (m.v, Some(&m.host)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::ids::SpoolId;
    use pointsman_shared::wire::to_agent::Acknowledge;
    use pointsman_shared::wire::{Role, SigningKey};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    fn keys() -> KeySet {
        KeySet::of(Role::Coordinator, key().public())
    }

    fn me() -> HostId {
        "web-1".parse().unwrap()
    }

    fn sealed(v: u16, host: &str, key: &SigningKey) -> Vec<u8> {
        let message = ToAgent::Acknowledge(Acknowledge {
            v,
            host: host.parse().unwrap(),
            spool: SpoolId(Uuid::from_u128(1)),
            upto: 3,
        });
        key.sign_to_agent(&message).to_bytes()
    }

    fn refused(bytes: &[u8], door: Door) -> &'static str {
        open(bytes, door, &keys(), &me()).unwrap_err().code
    }

    #[test]
    fn a_letter_for_us_is_opened() {
        let letter = open(&sealed(1, "web-1", &key()), Door::Control, &keys(), &me());
        assert!(matches!(letter, Ok(Letter::Control(_))), "{letter:?}");
    }

    #[test]
    fn every_other_letter_has_its_code() {
        let stranger = SigningKey::from_seed(&[2; 32]);
        assert_eq!(
            refused(&sealed(1, "web-1", &stranger), Door::Control),
            "unknown_key"
        );
        assert_eq!(
            refused(&sealed(1, "web-2", &key()), Door::Control),
            "foreign_host"
        );
        assert_eq!(
            refused(&sealed(2, "web-1", &key()), Door::Control),
            "unknown_version"
        );
        assert_eq!(refused(&sealed(1, "web-1", &key()), Door::Jobs), "wrong_queue");
        assert_eq!(refused(&vec![b' '; 70_000], Door::Control), "oversized");
        assert_eq!(refused(b"{}", Door::Control), "malformed");
    }

    #[test]
    fn no_flipped_bit_is_accepted() {
        let whole = sealed(1, "web-1", &key());
        for at in 0..whole.len() * 8 {
            let mut bent = whole.clone();
            bent[at / 8] ^= 1 << (at % 8);
            let opened = open(&bent, Door::Control, &keys(), &me());
            assert!(opened.is_err(), "bit {at} does not matter: {opened:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(open(&bytes, Door::Jobs, &keys(), &me()).is_err());
        }
    }
}
