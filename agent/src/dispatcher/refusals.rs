//! Counts refused messages and reports them: the first of a kind at once, more of it at most once a minute, so that
//! whoever floods a queue fills neither the spool nor the coordinator's tables.

use std::collections::BTreeMap;
use std::time::Duration;

use pointsman_shared::wire::from_agent::Fault;

use crate::lease::BootInstant;
use crate::letter::Refusal;

/// Pause between two reports of one code.
const PAUSE: Duration = Duration::from_mins(1);
/// Longest detail that is reported, in characters.
const DETAIL: usize = 300;

#[derive(Debug)]
struct Count {
    total: u64,
    unreported: u64,
    last_detail: String,
    reported_at: BootInstant,
}

/// Refusals by code.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<&'static str, Count>);

impl Refusals {
    /// Counts a refusal; answers with the fault to report now, if any.
    pub(super) fn count(&mut self, refusal: Refusal, now: BootInstant) -> Option<Fault> {
        let Refusal { code, detail } = refusal;
        tracing::warn!(code, detail, "a message was refused");
        let detail: String = detail.chars().take(DETAIL).collect();
        if let Some(count) = self.0.get_mut(code) {
            count.total += 1;
            count.unreported += 1;
            count.last_detail = detail;
            return None;
        }
        let fault = fault(code, 1, 1, &detail);
        self.0.insert(
            code,
            Count {
                total: 1,
                unreported: 0,
                last_detail: detail,
                reported_at: now,
            },
        );
        Some(fault)
    }

    /// What has to be reported by now.
    pub(super) fn due(&mut self, now: BootInstant) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (code, count) in &mut self.0 {
            if count.unreported > 0 && now.since(count.reported_at) >= PAUSE {
                faults.push(fault(code, count.unreported, count.total, &count.last_detail));
                count.unreported = 0;
                count.reported_at = now;
            }
        }
        faults
    }

    /// How many messages were refused.
    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|count| count.total).sum()
    }
}

fn fault(code: &str, count: u64, total: u64, detail: &str) -> Fault {
    Fault {
        placement: None,
        code: "message_refused".to_owned(),
        message: format!(
            "{count} refused as {code} ({total} since the agent's start), the last one: {detail}"
        ),
    }
}
