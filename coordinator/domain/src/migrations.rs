//! What a ledger means: what became of a run whose end nobody saw, when post-migrations may run, when to look again.
//!
//! The ledger alone says what is applied; nothing here guesses.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::migration::{MigrationName, MigrationState};
use pointsman_shared::outcome::{Effect, Outcome, Phase, Product};
use pointsman_shared::wire::job::MigrateMode;

/// Where the migrations that a run was about stand now.
pub type Standing = (MigrationName, MigrationState);

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The ledger says how it ended.
    Ended(Outcome),
    /// The ledger does not know either; a person has to look.
    Unknown {
        /// Why, for people.
        reason: String,
    },
}

/// Judges a run of `mode` whose agent was `lost` by the ledger that was read after it.
pub fn judge(mode: MigrateMode, lost: &str, standing: &[Standing]) -> Verdict {
    let names = |state| {
        let names = standing.iter().filter(move |(_, is)| *is == state);
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let unknown = names(MigrationState::Indeterminate);
    if !unknown.is_empty() {
        let reason = format!(
            "{lost}; the ledger says {} was begun and nobody saw its end: look at the database, then mark it applied \
             or pending",
            unknown.join(", ")
        );
        return Verdict::Unknown { reason };
    }
    let (applied, pending) = (names(MigrationState::Applied), names(MigrationState::Pending));
    let (done, missing) = match mode {
        MigrateMode::Apply | MigrateMode::MarkApplied => (applied, pending),
        MigrateMode::Revert | MigrateMode::MarkPending => (pending, applied),
        MigrateMode::List => (Vec::new(), Vec::new()),
    };
    if missing.is_empty() && mode != MigrateMode::List {
        return Verdict::Ended(Outcome::Succeeded {
            product: Product::Nothing,
        });
    }
    let what = match mode {
        MigrateMode::Apply | MigrateMode::MarkApplied => {
            format!("; the ledger says {} is not applied", missing.join(", "))
        }
        MigrateMode::Revert | MigrateMode::MarkPending => {
            format!("; the ledger says {} is still applied", missing.join(", "))
        }
        MigrateMode::List => String::new(),
    };
    Verdict::Ended(Outcome::Failed {
        phase: Phase::Migrate,
        code: "migration_lost".to_owned(),
        message: format!("{lost}{what}"),
        exit: None,
        effect: if done.is_empty() {
            Effect::None
        } else {
            Effect::Done
        },
    })
}

/// When the post-migrations of the live release may run: `after` seconds after it became what should be live.
pub fn post_due(since: DateTime<Utc>, after_s: u64) -> DateTime<Utc> {
    let after = i64::try_from(after_s).ok().and_then(TimeDelta::try_seconds);
    after
        .and_then(|after| since.checked_add_signed(after))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// When a ledger that could not settle a run is looked at again: 15 s after the first look, twice as long after each
/// further one, at most 10 min.
pub fn next_look(newest: Option<DateTime<Utc>>, looks: usize) -> DateTime<Utc> {
    let Some(newest) = newest else {
        return DateTime::<Utc>::MIN_UTC;
    };
    let doublings = u32::try_from(looks.saturating_sub(1)).unwrap_or(u32::MAX).min(6);
    let pause = TimeDelta::seconds((15 << doublings).min(600));
    newest + pause
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(entries: &[(&str, MigrationState)]) -> Vec<Standing> {
        entries
            .iter()
            .map(|(name, state)| (name.parse().unwrap(), *state))
            .collect()
    }

    #[test]
    fn the_ledger_says_how_a_lost_run_ended() {
        use MigrationState::{Applied, Indeterminate, Pending};
        let lost = "attempt 1 on web-1 was lost";
        let message = |mode, entries: &[(&str, MigrationState)]| match judge(mode, lost, &standing(entries)) {
            Verdict::Ended(Outcome::Succeeded { .. }) => "succeeded".to_owned(),
            Verdict::Ended(Outcome::Failed { message, effect, .. }) => format!("{message} ({effect:?})"),
            Verdict::Ended(Outcome::Cancelled) => "cancelled".to_owned(),
            Verdict::Unknown { reason } => format!("unknown: {reason}"),
        };
        assert_eq!(
            message(MigrateMode::Apply, &[("1_a", Applied), ("2_b", Applied)]),
            "succeeded"
        );
        assert_eq!(
            message(MigrateMode::Apply, &[("1_a", Applied), ("2_b", Pending)]),
            "attempt 1 on web-1 was lost; the ledger says 2_b is not applied (Done)"
        );
        assert_eq!(
            message(MigrateMode::Apply, &[("2_b", Pending)]),
            "attempt 1 on web-1 was lost; the ledger says 2_b is not applied (None)"
        );
        assert!(
            message(MigrateMode::Apply, &[("1_a", Applied), ("2_b", Indeterminate)])
                .starts_with("unknown: attempt 1 on web-1 was lost; the ledger says 2_b was begun")
        );
        assert_eq!(message(MigrateMode::Revert, &[("2_b", Pending)]), "succeeded");
        assert_eq!(
            message(MigrateMode::Revert, &[("2_b", Applied)]),
            "attempt 1 on web-1 was lost; the ledger says 2_b is still applied (None)"
        );
        assert_eq!(
            message(MigrateMode::List, &[("2_b", Applied)]),
            "attempt 1 on web-1 was lost (None)"
        );
        assert_eq!(
            message(MigrateMode::Apply, &[]),
            "succeeded",
            "there was nothing to do"
        );
    }

    #[test]
    fn looks_become_rarer_and_never_stop() {
        let newest = DateTime::UNIX_EPOCH;
        assert_eq!(next_look(None, 0), DateTime::<Utc>::MIN_UTC);
        let pauses: Vec<_> = (1..9)
            .map(|looks| (next_look(Some(newest), looks) - newest).num_seconds())
            .collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn the_waiting_time_counts_from_the_release_becoming_live() {
        let since = DateTime::UNIX_EPOCH;
        assert_eq!((post_due(since, 7 * 86_400) - since).num_days(), 7);
        assert_eq!(post_due(since, u64::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
