//! What lies on this host, read from its disks, as messages.

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::wire::from_agent::{DISK_FACT, Heartbeat, Hello, PlacementState, WorkingOn};
use pointsman_shared::wire::{BODY_VERSIONS, FromAgent, Nonce, VERSION};

use super::tools::Tools;
use super::{facts, survivors};
use crate::layout::{PlacementFacts, state_digest};

/// Releases in one message: a few hundred stay far below an envelope's size.
const PAGE: usize = 400;
/// Longest problem of a root, in characters.
const PROBLEM: usize = 1000;

/// The state of all recorded roots at one moment.
struct Snapshot {
    facts: Vec<PlacementFacts>,
    digest: Digest,
    free_bytes: u64,
    total_bytes: u64,
}

fn snapshot(tools: &Tools) -> Snapshot {
    let roots = tools.state.roots.all();
    let look = |record| tools.seen.facts(record, tools.wall.as_ref());
    let facts: Vec<_> = roots.iter().map(look).collect();
    let fullest = facts
        .iter()
        .filter(|facts| facts.problem.is_none())
        .map(|facts| (facts.free_bytes, facts.total_bytes))
        .min();
    let (free_bytes, total_bytes) = fullest.unwrap_or_else(|| disk_of(tools));
    Snapshot {
        digest: state_digest(&facts),
        free_bytes,
        total_bytes,
        facts,
    }
}

/// Free and all bytes where a host without roots keeps its state.
fn disk_of(tools: &Tools) -> (u64, u64) {
    rustix::fs::statvfs(&tools.config.state_dir).map_or((0, 0), |stat| {
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        (bytes(stat.f_bavail), bytes(stat.f_blocks))
    })
}

/// What a hello says beside the state.
#[derive(Debug, Clone)]
pub(super) struct Introduction {
    pub(super) nonce: Nonce,
    pub(super) previous: Option<InstanceId>,
    pub(super) working: Vec<WorkingOn>,
    pub(super) refused: u64,
    pub(super) slots: Vec<pointsman_shared::wire::from_agent::SlotCount>,
}

/// A hello and the states that follow it. Reads disks.
pub(super) fn hello(tools: &Tools, introduction: Introduction) -> Vec<FromAgent> {
    let snapshot = snapshot(tools);
    let states = states(tools, &snapshot, &introduction.nonce);
    let mut machine = facts::machine();
    machine.insert("refused_messages".to_owned(), introduction.refused.to_string());
    machine.insert(DISK_FACT.to_owned(), snapshot.total_bytes.to_string());
    let hello = Hello {
        v: VERSION,
        host: tools.host.clone(),
        instance: tools.instance,
        previous: introduction.previous,
        nonce: introduction.nonce,
        boot_id: facts::boot_id(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        wire: BODY_VERSIONS.to_vec(),
        facts: machine,
        slots: introduction.slots,
        working: introduction.working,
        processes: survivors::told(&survivors::find(tools)),
        state_digest: snapshot.digest,
        placements: u32::try_from(states.len()).unwrap_or(u32::MAX),
        at: tools.clock.wall_millis(),
    };
    let states = states.into_iter().map(FromAgent::PlacementState);
    std::iter::once(FromAgent::Hello(hello)).chain(states).collect()
}

/// A heartbeat. Reads disks.
pub(super) fn heartbeat(tools: &Tools, beat: u64, working: Vec<WorkingOn>) -> FromAgent {
    let snapshot = snapshot(tools);
    FromAgent::Heartbeat(Heartbeat {
        v: VERSION,
        host: tools.host.clone(),
        instance: tools.instance,
        beat,
        working,
        state_digest: snapshot.digest,
        free_bytes: snapshot.free_bytes,
        at: tools.clock.wall_millis(),
    })
}

fn states(tools: &Tools, snapshot: &Snapshot, nonce: &Nonce) -> Vec<PlacementState> {
    snapshot
        .facts
        .iter()
        .flat_map(|facts| pages(tools, facts, nonce))
        .collect()
}

fn pages(tools: &Tools, facts: &PlacementFacts, nonce: &Nonce) -> Vec<PlacementState> {
    let pages: Vec<&[_]> = if facts.releases.is_empty() {
        vec![&[]]
    } else {
        facts.releases.chunks(PAGE).collect()
    };
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    (0..)
        .zip(pages)
        .map(|(page, releases)| PlacementState {
            v: VERSION,
            host: tools.host.clone(),
            instance: tools.instance,
            nonce: nonce.clone(),
            placement: facts.placement,
            root: facts.root.clone(),
            slots: facts.slots.clone(),
            releases: releases.to_vec(),
            page,
            pages: count,
            problem: facts
                .problem
                .as_ref()
                .map(|problem| problem.chars().take(PROBLEM).collect()),
            free_bytes: facts.free_bytes,
            at: tools.clock.wall_millis(),
        })
        .collect()
}
