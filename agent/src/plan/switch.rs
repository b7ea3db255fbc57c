//! A switch: activation and rollback are the same, only the decision behind them differs.

use std::fmt;

use pointsman_shared::recipe::{Argv, HealthCheck};
use pointsman_shared::wire::job::SwitchOrder;

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTime {
    /// Before the switch.
    Before,
    /// After it.
    After,
}

/// One step of a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchStep {
    /// Lock, fence, release: may this switch be done at all?
    Check,
    /// A command of the recipe.
    Hook {
        /// When.
        time: HookTime,
        /// What, before expansion.
        argv: Argv,
    },
    /// Fence, link, read back.
    Switch,
    /// Asks the live release whether it is well.
    Health(HealthCheck),
}

impl fmt::Display for SwitchStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check => f.write_str("check"),
            Self::Hook {
                time: HookTime::Before,
                argv,
            } => write!(f, "before: {}", argv.join(" ")),
            Self::Hook {
                time: HookTime::After,
                argv,
            } => write!(f, "after: {}", argv.join(" ")),
            Self::Switch => f.write_str("switch"),
            Self::Health(_) => f.write_str("health"),
        }
    }
}

pub(super) fn steps(order: &SwitchOrder) -> Vec<SwitchStep> {
    let hook = |time, argv: &Argv| SwitchStep::Hook {
        time,
        argv: argv.clone(),
    };
    let mut steps = vec![SwitchStep::Check];
    steps.extend(order.hooks.before.iter().map(|argv| hook(HookTime::Before, argv)));
    steps.push(SwitchStep::Switch);
    steps.extend(order.hooks.after.iter().map(|argv| hook(HookTime::After, argv)));
    steps.extend(order.health.clone().map(SwitchStep::Health));
    steps
}
