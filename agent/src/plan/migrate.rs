//! Migrations: one look at the release, then the work on its ledger.

use std::fmt;

use pointsman_shared::migration::{MigrationName, MigrationPhase};
use pointsman_shared::wire::job::{MigrateMode, MigrateOrder};

/// One step of a migrate job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrateStep {
    /// Is the release here, and what scripts does it have?
    Check,
    /// Everything that needs the ledger's lock.
    Ledger {
        /// What to do.
        mode: MigrateMode,
        /// In which phase.
        phase: MigrationPhase,
        /// With which one, when it is about one.
        name: Option<MigrationName>,
    },
}

impl fmt::Display for MigrateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Ledger { mode, phase, name } = self else {
            return f.write_str("check");
        };
        let name = name.as_ref().map_or("", MigrationName::as_str);
        match mode {
            MigrateMode::Apply if name.is_empty() => write!(f, "apply {phase}-migrations"),
            MigrateMode::Apply => write!(f, "apply {name}"),
            MigrateMode::Revert => write!(f, "revert {name}"),
            MigrateMode::List => write!(f, "list {phase}-migrations"),
            MigrateMode::MarkApplied => write!(f, "mark {name} applied"),
            MigrateMode::MarkPending => write!(f, "mark {name} pending"),
        }
    }
}

pub(super) fn steps(order: &MigrateOrder) -> Vec<MigrateStep> {
    let name = match order.migrations.as_slice() {
        [one] => Some(one.name.clone()),
        [] | [_, _, ..] => None,
    };
    vec![
        MigrateStep::Check,
        MigrateStep::Ledger {
            mode: order.mode,
            phase: order.phase,
            name,
        },
    ]
}
