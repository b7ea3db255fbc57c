//! Children of ended epochs that would not end. While one lives, its placement stays closed.

use pointsman_shared::ids::PlacementId;
use pointsman_shared::wire::from_agent::{SurvivingProcess, WorkingOn};

use super::tools::Tools;
use crate::process::{GroupRecord, live_members};

/// Most that a hello tells of, and the longest command, in characters.
const TOLD: usize = 50;
const COMMAND: usize = 200;

/// The survivors; what is gone is forgotten on the way. Looks at processes and the disk.
pub(super) fn find(tools: &Tools) -> Vec<GroupRecord> {
    let mut survivors = tools.state.groups.all();
    survivors.retain(|group| {
        let work = WorkingOn {
            job: group.job,
            epoch: group.epoch,
        };
        if tools.running.has(work) {
            return false;
        }
        let lives = live_members(group) > 0;
        if !lives && let Err(error) = tools.state.groups.remove(group) {
            tracing::warn!(%error, "a process group that is gone stays in the journal");
        }
        lives
    });
    survivors
}

/// The one that keeps a placement closed.
pub(super) fn closing(tools: &Tools, placement: PlacementId) -> Option<GroupRecord> {
    find(tools)
        .into_iter()
        .find(|group| group.placement == Some(placement))
}

/// As a hello tells them.
pub(super) fn told(survivors: &[GroupRecord]) -> Vec<SurvivingProcess> {
    let tell = |group: &GroupRecord| SurvivingProcess {
        group: group.group,
        placement: group.placement,
        command: group.command.chars().take(COMMAND).collect(),
    };
    survivors.iter().take(TOLD).map(tell).collect()
}
