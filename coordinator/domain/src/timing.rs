//! When a wish may start: held for a moment, at a time of its own, or not after one.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::deployments::NewDeployment;

use crate::refusal::Refusal;

/// Longest hold, in seconds: it is there to think again, not to plan.
const LONGEST_HOLD_S: u32 = 3600;

/// When a deployment may start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Not before this time, so that it can still be called off.
    pub held_until: Option<DateTime<Utc>>,
    /// Not before this time; it may wait beside others.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Not after this time.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Timing {
    /// What a wish says about times, seen from `now`; refuses times that make no sense.
    pub fn judge(wish: &NewDeployment, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let refuse = |what: String, hint: &str| Err(Refusal::invalid("invalid_time", what).hint(hint));
        let show = |time: DateTime<Utc>| time.format("%F %T UTC");
        let held_until = match wish.hold_s {
            None | Some(0) => None,
            Some(seconds) if seconds <= LONGEST_HOLD_S => Some(now + TimeDelta::seconds(seconds.into())),
            Some(seconds) => {
                let what = format!("a deployment is held for at most {LONGEST_HOLD_S} s, not {seconds}");
                return refuse(what, "give it a time to start at instead");
            }
        };
        if let Some(at) = wish.at.filter(|at| *at <= now) {
            return refuse(
                format!("{} is past", show(at)),
                "leave the time out to deploy now",
            );
        }
        let begins = wish.at.into_iter().chain(held_until).fold(now, DateTime::max);
        if let Some(expires) = wish.expires.filter(|expires| *expires <= begins) {
            let what = format!("it would expire at {}, before it may start", show(expires));
            return refuse(what, "let it expire later, or start earlier");
        }
        Ok(Self {
            held_until,
            scheduled_for: wish.at,
            expires_at: wish.expires,
        })
    }
}
