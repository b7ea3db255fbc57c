//! Plans: what an order means on a host, as a list that can be read before anything is done.
//!
//! Pure. The list is the same for every attempt; what of it is already done, the steps find out.

mod build;
mod collect;
mod install;
mod migrate;
mod switch;
mod workshop;

pub use build::BuildStep;
pub use collect::CollectStep;
pub use install::InstallStep;
pub use migrate::MigrateStep;
use pointsman_shared::wire::job::Order;
pub use switch::{HookTime, SwitchStep};
pub use workshop::WorkshopStep;

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
    /// Of a collection of garbage.
    Collect(Vec<CollectStep>),
    /// Of a collection of what builds left behind.
    Workshop(Vec<WorkshopStep>),
}

/// What an order means.
pub fn plan(order: &Order) -> Plan {
    match order {
        Order::Build(order) => Plan::Build(build::steps(order)),
        Order::Install(_) => Plan::Install(install::steps()),
        Order::Activate(order) | Order::Rollback(order) => Plan::Switch(switch::steps(order)),
        Order::Migrate(order) => Plan::Migrate(migrate::steps(order)),
        Order::CollectGarbage(_) => Plan::Collect(collect::steps()),
        Order::CollectWorkshop(_) => Plan::Workshop(workshop::steps()),
    }
}

#[cfg(test)]
mod tests;
