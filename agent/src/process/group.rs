//! A process group as the journal remembers it, and how it is told to end.
//!
//! A group is named by its leader's id and start time within one boot. Where the leader still lives, both must match;
//! where only others of the group are left, the id cannot have been given away (the kernel keeps the number of a group
//! that has members), and they must be of the same session and not older than the leader. Anything else is not ours
//! and is never signalled.

use pointsman_shared::ids::{Epoch, JobId, PlacementId};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use super::proc;

/// A group that was started, durable before its program runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecord {
    /// Process group, the leader's process id.
    pub group: i32,
    /// The leader's start time, in clock ticks since boot.
    pub started: u64,
    /// The boot it belongs to.
    pub boot_id: String,
    /// The placement it works on, when it works on one.
    pub placement: Option<PlacementId>,
    /// The job it works for.
    pub job: JobId,
    /// The epoch it works for.
    pub epoch: Epoch,
    /// Its command, for people.
    pub command: String,
}

/// How many processes of the group still live (the ended but not yet reaped do not count); 0 when the number now
/// belongs to somebody else.
pub fn live_members(record: &GroupRecord) -> usize {
    if record.boot_id != proc::boot_id() {
        return 0;
    }
    if let Some(leader) = Pid::from_raw(record.group).and_then(proc::stat)
        && leader.started != record.started
    {
        return 0;
    }
    proc::all()
        .into_iter()
        .filter(|process| !process.zombie)
        .filter(|process| process.group == record.group && process.session == record.group)
        .filter(|process| process.started >= record.started)
        .count()
}

/// Signals the whole group, if it is still the recorded one. A group that is gone is fine, and so is one that we have no
/// right to signal: the caller looks again whether it lives.
pub fn signal_group(record: &GroupRecord, signal: Signal) {
    let Some(group) = Pid::from_raw(record.group) else {
        return;
    };
    if live_members(record) == 0 {
        return;
    }
    match kill_process_group(group, signal) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => {
            tracing::warn!(group = record.group, command = record.command, %error, "a process group refused a signal");
        }
    }
}
