//! Plans: what an order means on a host, as a list that can be read before anything is done.
//!
//! Pure. The list is the same for every attempt; what of it is already done, the steps find out.

mod build;
mod install;
mod migrate;
mod switch;

pub use build::BuildStep;
pub use install::InstallStep;
pub use migrate::MigrateStep;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::job::Order;
pub use switch::{HookTime, SwitchStep};

/// The steps of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Of a build.
    Build(Vec<BuildStep>),
    /// Of an install.
    Install(Vec<InstallStep>),
    /// Of an activation or a rollback.
    Switch(Vec<SwitchStep>),
    /// Of work on migrations.
    Migrate(Vec<MigrateStep>),
}

/// A kind of job that this agent cannot do yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this agent cannot do jobs of kind {0}; upgrade it")]
pub struct Unplanned(pub JobKind);

/// What an order means.
pub fn plan(order: &Order) -> Result<Plan, Unplanned> {
    match order {
        Order::Build(order) => Ok(Plan::Build(build::steps(order))),
        Order::Install(_) => Ok(Plan::Install(install::steps())),
        Order::Activate(order) | Order::Rollback(order) => Ok(Plan::Switch(switch::steps(order))),
        Order::Migrate(order) => Ok(Plan::Migrate(migrate::steps(order))),
        Order::CollectGarbage(_) => Err(Unplanned(order.kind())),
    }
}

#[cfg(test)]
mod tests;
