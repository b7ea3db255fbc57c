//! What was done and what was refused.

use clap::Args;

use super::parse::{self, Moment};
use super::root::Rows;

/// `audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Only what this principal did, by name.
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
    /// Only acts that begin so, such as deployment or `deployment.request`.
    #[arg(long, value_name = "ACTION")]
    pub what: Option<String>,
    /// Only what was done since then: 2026-12-24T03:00Z, or so long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = parse::since)]
    pub since: Option<Moment>,
    /// Only what was done before then, said alike.
    #[arg(long, value_name = "TIME", value_parser = parse::since)]
    pub until: Option<Moment>,
    /// Only what was done to objects with this in their name, such as shop@production.
    #[arg(long, value_name = "OBJECT")]
    pub object: Option<String>,
    /// Recompute the chain of hashes over the whole trail instead, and name the first row that breaks it.
    #[arg(long, conflicts_with_all = ["who", "what", "since", "until", "object", "limit", "all"])]
    pub verify: bool,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}
