//! `lock`, `unlock`, `stop`, `locks`: what is typed to hold things up.
//!
//! The reason is that of [`Options`](super::Options); here the command insists on it.

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
    /// It ends by itself after this time, such as 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub length: Option<Duration>,
}
