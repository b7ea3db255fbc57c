//! Heartbeats: when the next one is due, which are unanswered, and when silence means a broken connection.

use std::collections::BTreeMap;
use std::time::Duration;

use pointsman_shared::wire::to_agent::LeaseTimes;

use super::{Chance, Now};
use crate::lease::BootInstant;

/// Unanswered beats that mean a broken connection (protocol.md 4).
const SILENT_BEATS: usize = 3;
/// Beats whose time of sending is remembered.
const REMEMBERED: usize = 8;
/// Pause between two rebuilds; it doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// The beat with this number.
    Beat(u64),
    /// Nobody answers: a new connection.
    Rebuild,
}

/// The state of the heartbeats.
#[derive(Debug)]
pub(super) struct Beats {
    number: u64,
    sent: BTreeMap<u64, BootInstant>,
    next: Option<BootInstant>,
    rebuild_after: Option<BootInstant>,
    pause: Duration,
}

impl Beats {
    pub(super) const fn new() -> Self {
        Self {
            number: 0,
            sent: BTreeMap::new(),
            next: None,
            rebuild_after: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Begins to beat, or beats sooner: at `at`, if nothing earlier is planned.
    pub(super) fn by(&mut self, at: BootInstant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// A new connection: what was sent over the old one is not waited for.
    pub(super) fn reconnected(&mut self) {
        self.sent.clear();
    }

    /// What is due now. Sending a beat is remembered as happening now, which is never later than it really happens.
    pub(super) fn due(
        &mut self,
        now: &Now,
        working: bool,
        times: &LeaseTimes,
        chance: &mut dyn Chance,
    ) -> Due {
        if self.next.is_none_or(|next| next > now.boot) {
            return Due::Nothing;
        }
        let pause = if working {
            times.beat_ms
        } else {
            times.idle_beat_ms
        };
        self.next = Some(now.boot.plus(Duration::from_millis(pause)));
        if self.sent.len() >= SILENT_BEATS && self.may_rebuild(now, chance) {
            self.sent.clear();
            return Due::Rebuild;
        }
        self.number += 1;
        self.sent.insert(self.number, now.boot);
        if self.sent.len() > REMEMBERED {
            self.sent.pop_first();
        }
        Due::Beat(self.number)
    }

    /// Whether the connection may be rebuilt now; each rebuild without an answer makes the next one wait longer, and no
    /// two agents wait alike.
    pub(super) fn may_rebuild(&mut self, now: &Now, chance: &mut dyn Chance) -> bool {
        if self.rebuild_after.is_some_and(|after| after > now.boot) {
            return false;
        }
        let jitter = self.pause.mul_f64(0.5 + chance.fraction() / 2.0);
        self.rebuild_after = Some(now.boot.plus(jitter));
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        true
    }

    /// Hears an answer: when that beat was sent, if we wait for it.
    pub(super) fn answered(&mut self, beat: u64) -> Option<BootInstant> {
        let sent = self.sent.get(&beat).copied()?;
        self.sent = self.sent.split_off(&(beat + 1));
        self.heard();
        Some(sent)
    }

    /// The coordinator is there.
    pub(super) fn heard(&mut self) {
        self.rebuild_after = None;
        self.pause = FIRST_PAUSE;
    }

    /// Whether such a beat was ever sent.
    pub(super) const fn was_sent(&self, beat: u64) -> bool {
        beat <= self.number
    }

    /// When something is due.
    pub(super) const fn wake_at(&self) -> Option<BootInstant> {
        self.next
    }
}
