//! Which process speaks for a host: one at a time, known by the instance it names (protocol.md 1).
//!
//! A restarted agent names its predecessor and takes over at once. Any other process is foreign while the known one was
//! heard within a lease: two agents with one name must never both work.

use chrono::{DateTime, Utc};
use pointsman_shared::ids::InstanceId;

use crate::presence::milliseconds;

/// The process the coordinator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The process.
    pub instance: InstanceId,
    /// When it was last heard.
    pub last_seen_at: DateTime<Utc>,
}

/// What a hello makes of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the known one; it says hello again.
    Same,
    /// It takes the place of the known one, whose leases are freed.
    Successor,
    /// No process was known, or the known one fell silent.
    First,
    /// Another process was heard within a lease; this one is denied.
    Foreign {
        /// When the known one was last heard.
        last_seen_at: DateTime<Utc>,
    },
}

/// Judges a hello of `instance`, which names `previous` as its predecessor.
pub fn judge(
    known: Option<Known>,
    instance: InstanceId,
    previous: Option<InstanceId>,
    now: DateTime<Utc>,
    lease_ms: u64,
) -> Standing {
    let Some(known) = known else {
        return Standing::First;
    };
    if known.instance == instance {
        return Standing::Same;
    }
    if previous == Some(known.instance) {
        return Standing::Successor;
    }
    if known.last_seen_at + milliseconds(lease_ms) >= now {
        return Standing::Foreign {
            last_seen_at: known.last_seen_at,
        };
    }
    Standing::First
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn process(n: u128) -> InstanceId {
        InstanceId(Uuid::from_u128(n))
    }

    #[test]
    fn only_a_successor_or_a_long_silence_replaces_the_known_process() {
        let heard = DateTime::UNIX_EPOCH;
        let known = Some(Known {
            instance: process(1),
            last_seen_at: heard,
        });
        let after = |seconds| heard + TimeDelta::seconds(seconds);
        let judge = |instance, previous, now| judge(known, process(instance), previous, now, 45_000);
        assert_eq!(judge(1, None, after(500)), Standing::Same);
        assert_eq!(judge(2, Some(process(1)), after(1)), Standing::Successor);
        let foreign = Standing::Foreign { last_seen_at: heard };
        assert_eq!(judge(2, None, after(45)), foreign);
        assert_eq!(judge(3, Some(process(2)), after(1)), foreign);
        assert_eq!(judge(3, Some(process(2)), after(46)), Standing::First);
    }

    #[test]
    fn the_first_process_of_a_host_is_welcome() {
        let standing = super::judge(None, process(1), Some(process(9)), DateTime::UNIX_EPOCH, 45_000);
        assert_eq!(standing, Standing::First);
    }
}
