//! `lock`, `unlock`, `stop`, `locks`: what is typed to hold things up.
//!
//! The reason is that of [`Options`](super::Options), under the same names; here it must be given.

use std::time::Duration;

use clap::Args;
use pointsman_shared::name::TargetName;

use super::parse;

/// `lock`
#[derive(Debug, Args)]
pub struct LockTarget {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
    /// Why; who is refused reads it.
    #[arg(short = 'm', long, visible_alias = "message", value_name = "TEXT")]
    pub reason: String,
    /// It ends by itself after this time, such as 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub length: Option<Duration>,
}

/// `unlock`
#[derive(Debug, Args)]
pub struct UnlockTarget {
    /// Where, as project@environment.
    #[arg(value_name = "PROJECT@ENVIRONMENT")]
    pub target: TargetName,
}

/// `stop`
#[derive(Debug, Args)]
pub struct Stop {
    /// Why; who is refused reads it.
    #[arg(short = 'm', long, visible_alias = "message", value_name = "TEXT")]
    pub reason: String,
    /// It ends by itself after this time, such as 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub length: Option<Duration>,
}
