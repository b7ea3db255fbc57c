//! One door per verb: each file authorizes, decides through the domain, writes in one transaction.

pub mod advance_deployment;
pub mod cancel_job;
pub mod change_job;
pub mod conclude_job;
pub mod converge;
pub mod offer_job;
pub mod record_placement;
