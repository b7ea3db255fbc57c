//! The chain of hashes over the audit trail: each link covers its act and the link before, so that an act that is
//! changed, taken out or put in breaks every link from there on.
//!
//! What the chain cannot show is a trail cut off at its end: for that, somebody has to keep its length and head.

use chrono::{DateTime, Utc};
use pointsman_shared::digest::Digest;
use uuid::Uuid;

/// Before the first link.
pub const ORIGIN: Digest = Digest::from_bytes([0; 32]);

/// What is hashed; a new form of it needs a new name.
const FORM: &[u8] = b"pointsman audit 1\0";

/// An act as it is chained: everything that its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedAct {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: i64,
    /// When, as stored: whole microseconds.
    pub at: DateTime<Utc>,
    /// Who.
    pub principal: Uuid,
    /// From where.
    pub address: Option<String>,
    /// What.
    pub action: String,
    /// On what.
    pub object: String,
    /// How it ended.
    pub result: String,
    /// More of it, as the database writes it.
    pub detail: String,
}

/// A link as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its place, from 1.
    pub position: i64,
    /// Hash of the link before.
    pub previous: Digest,
    /// Its hash.
    pub hash: Digest,
}

/// Hash of the link of this act at this place.
pub fn hash(previous: Digest, position: i64, act: &ChainedAct) -> Digest {
    let mut bytes = FORM.to_vec();
    bytes.extend(previous.as_bytes());
    bytes.extend(position.to_be_bytes());
    bytes.extend(act.number.to_be_bytes());
    bytes.extend(act.at.timestamp_micros().to_be_bytes());
    bytes.extend(act.id.as_bytes());
    bytes.extend(act.principal.as_bytes());
    bytes.push(u8::from(act.address.is_some()));
    let address = act.address.as_deref().unwrap_or_default();
    // Each text behind its length, so that no two acts have the same bytes.
    for text in [address, &act.action, &act.object, &act.result, &act.detail] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    Digest::of(&bytes)
}

/// The end of a chain, which more is added to or which a reader has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Place of the last link; 0 before the first.
    pub position: i64,
    /// Its hash.
    pub head: Digest,
}

impl Default for End {
    fn default() -> Self {
        Self {
            position: 0,
            head: ORIGIN,
        }
    }
}

impl End {
    /// Adds an act.
    pub fn add(&mut self, act: &ChainedAct) -> Link {
        let (previous, position) = (self.head, self.position + 1);
        *self = Self {
            position,
            head: hash(previous, position, act),
        };
        Link {
            position,
            previous,
            hash: self.head,
        }
    }

    /// Goes one link on; where it does not fit, says what.
    pub fn follow(&mut self, link: &Link, act: &ChainedAct) -> Result<(), String> {
        let wanted = self.add(act);
        if link.position != wanted.position {
            return Err(format!(
                "link {} is missing: the next one is {}",
                wanted.position, link.position
            ));
        }
        if link.previous != wanted.previous {
            return Err("it does not join the link before it: one of the two was exchanged".to_owned());
        }
        if link.hash != wanted.hash {
            return Err("what the row says is not what was chained".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(number: i64) -> ChainedAct {
        ChainedAct {
            id: Uuid::from_u128(number.unsigned_abs().into()),
            number,
            at: DateTime::UNIX_EPOCH,
            principal: Uuid::nil(),
            address: None,
            action: "target.lock".to_owned(),
            object: "shop@production".to_owned(),
            result: "done".to_owned(),
            detail: "{}".to_owned(),
        }
    }

    fn chain() -> Vec<(Link, ChainedAct)> {
        let mut end = End::default();
        (1..=4).map(act).map(|act| (end.add(&act), act)).collect()
    }

    /// Number of the act at which it breaks.
    fn breaks(chain: &[(Link, ChainedAct)]) -> Option<i64> {
        let mut end = End::default();
        chain
            .iter()
            .find(|(link, act)| end.follow(link, act).is_err())
            .map(|(_, act)| act.number)
    }

    #[test]
    fn a_whole_chain_holds() {
        assert_eq!(breaks(&chain()), None);
    }

    #[test]
    fn every_change_of_an_act_breaks_it() {
        let changes: [fn(&mut ChainedAct); 8] = [
            |act| act.number = 9,
            |act| act.at += chrono::TimeDelta::microseconds(1),
            |act| act.principal = Uuid::max(),
            |act| act.address = Some(String::new()),
            |act| act.action = "target.unlock".to_owned(),
            |act| act.object.push(' '),
            |act| act.result = "refused".to_owned(),
            |act| act.detail = "{ }".to_owned(),
        ];
        for change in changes {
            let mut chain = chain();
            change(&mut chain[1].1);
            assert_eq!(breaks(&chain), Some(chain[1].1.number));
        }
        let mut chain = chain();
        // The end of one text is not the beginning of the next.
        chain[1].1.action = "target.lockshop".to_owned();
        chain[1].1.object = "@production".to_owned();
        assert_eq!(breaks(&chain), Some(2));
    }

    #[test]
    fn links_that_are_taken_out_or_exchanged_break_it() {
        let mut without = chain();
        without.remove(1);
        assert_eq!(breaks(&without), Some(3));
        let mut exchanged = chain();
        exchanged.swap(1, 2);
        assert_eq!(breaks(&exchanged), Some(3));
        let mut rewritten = chain();
        rewritten[1].1.object = "shop@beta".to_owned();
        rewritten[1].0.hash = hash(rewritten[1].0.previous, 2, &rewritten[1].1);
        assert_eq!(breaks(&rewritten), Some(3));
    }
}
