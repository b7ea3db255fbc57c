//! One door per verb: each file authorizes, decides through the domain, writes in one transaction.

pub mod advance_deployment;
pub mod cancel_job;
pub mod change_job;
pub mod claim_job;
pub mod conclude_job;
pub mod converge;
pub mod decline_offer;
pub mod find_fit;
pub mod give_back_epoch;
pub mod offer_job;
pub mod record_hello;
pub mod record_log_chunk;
pub mod record_placement;
pub mod record_placement_state;
pub mod record_report;
pub mod record_result;
pub mod refuse_message;
pub mod renew_leases;
