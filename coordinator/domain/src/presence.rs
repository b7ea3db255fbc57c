//! Whether a host is there: heard within three of its own beats, joined, not paused, its queues ready.
//!
//! This module judges facts; who may call a host absent at all (not before reports were consumed for one full lease)
//! is the sweep's business.

use chrono::{DateTime, TimeDelta, Utc};

/// How often hosts are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Pause between beats while working, in milliseconds.
    pub beat_ms: u64,
    /// Pause between beats while idle, in milliseconds.
    pub idle_beat_ms: u64,
    /// Beats that may be missed.
    pub unseen_beats: u32,
}

/// That somebody lets a host rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who, where it is asked for.
    pub by: Option<String>,
    /// Why, where it is asked for.
    pub reason: Option<String>,
}

impl Pause {
    /// One of which no more is asked for.
    pub const fn since(since: DateTime<Utc>) -> Self {
        Self {
            since,
            by: None,
            reason: None,
        }
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it is paused since {}", self.since.format("%F %T UTC"))?;
        if let Some(by) = &self.by {
            write!(f, " by {by}")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// What is known of a host's presence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// When its key was registered.
    pub joined_at: Option<DateTime<Utc>>,
    /// When its key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether somebody paused it.
    pub paused: Option<Pause>,
    /// When its current instance was last heard.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Whether an instance is known.
    pub has_instance: bool,
    /// Whether it works, and so beats faster.
    pub working: bool,
}

/// Why a host gets no offers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// Its key was revoked, or it never joined.
    #[error("it has not joined")]
    NotJoined,
    /// Somebody paused it.
    #[error("{0}")]
    Paused(Pause),
    /// It joined and never said hello.
    #[error("its agent has not said hello yet")]
    NeverHeard,
    /// It missed its beats.
    #[error("its agent was last heard at {}", last.format("%F %T UTC"))]
    Silent {
        /// When it was last heard.
        last: DateTime<Utc>,
    },
}

impl Absence {
    /// Whether somebody wants it so.
    pub const fn is_wanted(&self) -> bool {
        match self {
            Self::Paused(_) => true,
            Self::NotJoined | Self::NeverHeard | Self::Silent { .. } => false,
        }
    }

    /// Whether it is told by silence alone, which means nothing while nobody listens.
    pub const fn is_silence(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::NotJoined | Self::Paused(_) | Self::NeverHeard => false,
        }
    }
}

/// Beats after which a host that is still seen is late.
const LATE_BEATS: u64 = 2;

impl Presence {
    /// When a host was last heard that is seen and missed more than two of its own beats; none of any other. Its work
    /// goes on until it counts as absent: this is for people.
    pub fn late(&self, now: DateTime<Utc>, rhythm: &Rhythm) -> Option<DateTime<Utc>> {
        let last = self
            .last_seen_at
            .filter(|_| self.absence(now, rhythm).is_none())?;
        (last + milliseconds(self.beat(rhythm).saturating_mul(LATE_BEATS)) < now).then_some(last)
    }

    const fn beat(&self, rhythm: &Rhythm) -> u64 {
        if self.working {
            rhythm.beat_ms
        } else {
            rhythm.idle_beat_ms
        }
    }

    /// Why the host is absent; none when it is seen.
    pub fn absence(&self, now: DateTime<Utc>, rhythm: &Rhythm) -> Option<Absence> {
        if self.joined_at.is_none() || self.revoked_at.is_some() {
            return Some(Absence::NotJoined);
        }
        if let Some(pause) = &self.paused {
            return Some(Absence::Paused(pause.clone()));
        }
        let (true, Some(last)) = (self.has_instance, self.last_seen_at) else {
            return Some(Absence::NeverHeard);
        };
        let patience = milliseconds(self.beat(rhythm).saturating_mul(u64::from(rhythm.unseen_beats)));
        (last + patience < now).then_some(Absence::Silent { last })
    }
}

/// A span; longer ones than a year are cut, so that no configuration overflows the calendar.
pub fn milliseconds(ms: u64) -> TimeDelta {
    const YEAR_MS: i64 = 366 * 24 * 3_600_000;
    TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(YEAR_MS).min(YEAR_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        beat_ms: 10_000,
        idle_beat_ms: 30_000,
        unseen_beats: 3,
    };

    fn heard(last: DateTime<Utc>) -> Presence {
        Presence {
            joined_at: Some(DateTime::UNIX_EPOCH),
            last_seen_at: Some(last),
            has_instance: true,
            ..Presence::default()
        }
    }

    #[test]
    fn a_host_that_missed_more_than_two_beats_is_late_until_it_is_absent() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let late = |seconds| {
            heard(now - TimeDelta::seconds(seconds))
                .late(now, &RHYTHM)
                .is_some()
        };
        assert_eq!(
            [59, 61, 89, 91].map(late),
            [false, true, true, false],
            "idle: two beats of 30 s"
        );
        let working = Presence {
            working: true,
            ..heard(now - TimeDelta::seconds(21))
        };
        assert!(working.late(now, &RHYTHM).is_some());
    }

    #[test]
    fn idle_hosts_may_be_silent_for_ninety_seconds_and_working_ones_for_thirty() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let at = |seconds| heard(now - TimeDelta::seconds(seconds));
        assert_eq!(at(89).absence(now, &RHYTHM), None);
        assert!(matches!(
            at(91).absence(now, &RHYTHM),
            Some(Absence::Silent { .. })
        ));
        let working = Presence {
            working: true,
            ..at(31)
        };
        assert!(working.absence(now, &RHYTHM).is_some());
    }

    #[test]
    fn paused_revoked_and_new_hosts_are_absent_in_words() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let paused = Presence {
            paused: Some(Pause {
                reason: Some("new disk".to_owned()),
                by: Some("ann".to_owned()),
                ..Pause::since(now)
            }),
            ..heard(now)
        };
        let words = |presence: Presence| presence.absence(now, &RHYTHM).map(|absence| absence.to_string());
        assert_eq!(
            words(paused).as_deref(),
            Some("it is paused since 1970-01-02 00:00:00 UTC by ann: new disk")
        );
        assert_eq!(words(Presence::default()).as_deref(), Some("it has not joined"));
        let silent = Presence {
            last_seen_at: None,
            ..heard(now)
        };
        assert_eq!(words(silent).as_deref(), Some("its agent has not said hello yet"));
    }
}
