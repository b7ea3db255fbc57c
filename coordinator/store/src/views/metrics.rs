//! Facts for metrics, read with every scrape: a few queries whatever the size of the fleet. Names are the database's own.
//!
//! Two coordinators read the same numbers. What counts up is told by [`totals`]; everything else is true at one moment.

pub mod fleet;
pub mod spread;
pub mod totals;
pub mod work;

pub use spread::Spread;
pub use totals::Totals;

/// Where something is counted: a project in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The project.
    pub project: String,
    /// The environment; empty for what belongs to none, such as a build.
    pub environment: String,
}
