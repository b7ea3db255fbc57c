use pointsman_shared::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, StreamId};
use pointsman_shared::name::{HostId, ReleaseFolder, SlotName};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{
    Claim, DISK_FACT, DeclineReason, Declined, FenceState, FromAgent, Heartbeat, Hello, NotBegun,
    PlacementState, SlotCount, SlotFree, SlotState, SurvivingProcess, WorkingOn,
};
use pointsman_shared::wire::logs::{LogContent, LogLine, LogSource};
use pointsman_shared::wire::{LogChunk, Nonce};

use super::{NOON, digest, id};

pub fn host() -> HostId {
    "web-1".parse().unwrap()
}

pub const INSTANCE: InstanceId = InstanceId(id(9));
pub const JOB: JobId = JobId(id(1));

pub fn folder() -> ReleaseFolder {
    ReleaseFolder::of(42, &digest("manifest"))
}

pub fn from_agent() -> Vec<(&'static str, FromAgent)> {
    let mut all = vec![
        ("from_agent.hello", FromAgent::Hello(hello())),
        ("from_agent.hello.disk", FromAgent::Hello(hello_with_disk())),
        (
            "from_agent.placement_state",
            FromAgent::PlacementState(placement_state()),
        ),
        ("from_agent.heartbeat", FromAgent::Heartbeat(heartbeat())),
    ];
    all.extend(answers_to_offers());
    all.extend(super::reports::reports());
    all
}

fn hello() -> Hello {
    Hello {
        v: 1,
        host: host(),
        instance: INSTANCE,
        previous: Some(InstanceId(id(10))),
        nonce: Nonce::from_bytes([3; 16]),
        boot_id: "2c6b0f0e-0000-4000-8000-000000000000".to_owned(),
        software: "0.1.0".to_owned(),
        wire: vec![1],
        facts: [("os".to_owned(), "Debian 12".to_owned())].into(),
        slots: vec![SlotCount {
            kind: JobKind::Install,
            count: 2,
        }],
        working: vec![WorkingOn {
            job: JOB,
            epoch: Epoch(1),
        }],
        processes: vec![SurvivingProcess {
            group: 4711,
            placement: Some(PlacementId(id(5))),
            command: "sudo systemctl reload php-fpm".to_owned(),
        }],
        state_digest: digest("state"),
        placements: 1,
        at: NOON,
    }
}

/// What an agent of today says, too; older ones leave it out.
fn hello_with_disk() -> Hello {
    let mut hello = hello();
    hello
        .facts
        .insert(DISK_FACT.to_owned(), 40_000_000_000_u64.to_string());
    hello
}

fn placement_state() -> PlacementState {
    let slot = |name: &str, fence| SlotState {
        slot: name.parse().unwrap(),
        fence,
        current: None,
        foreign: Some("/opt/old".to_owned()),
    };
    PlacementState {
        v: 1,
        host: host(),
        instance: INSTANCE,
        nonce: Nonce::from_bytes([3; 16]),
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        slots: vec![
            SlotState {
                slot: SlotName::current(),
                fence: FenceState::Standing {
                    generation: Generation(18),
                    job: Some(JOB),
                    epoch: Epoch(1),
                    to: Some(folder()),
                    done: true,
                },
                current: Some(folder()),
                foreign: None,
            },
            slot("blue", FenceState::Missing),
            slot("green", FenceState::Damaged),
        ],
        releases: vec![folder()],
        page: 0,
        pages: 1,
        problem: Some("the root is group-writable".to_owned()),
        free_bytes: 5_000_000_000,
        at: NOON,
    }
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        v: 1,
        host: host(),
        instance: INSTANCE,
        beat: 12,
        working: vec![WorkingOn {
            job: JOB,
            epoch: Epoch(1),
        }],
        state_digest: digest("state"),
        free_bytes: 5_000_000_000,
        at: NOON,
    }
}

fn answers_to_offers() -> Vec<(&'static str, FromAgent)> {
    let declined = |reason| {
        FromAgent::Declined(Declined {
            v: 1,
            host: host(),
            instance: INSTANCE,
            job: JOB,
            epoch: Epoch(0),
            reason,
        })
    };
    let message = || "projects = [\"blog\"] in the host's policy file".to_owned();
    vec![
        (
            "from_agent.claim",
            FromAgent::Claim(Claim {
                v: 1,
                host: host(),
                instance: INSTANCE,
                job: JOB,
                epoch: Epoch(0),
                digest: digest("body"),
                nonce: Nonce::from_bytes([7; 16]),
                at: NOON,
            }),
        ),
        ("from_agent.declined.busy", declined(DeclineReason::Busy)),
        (
            "from_agent.declined.policy",
            declined(DeclineReason::Policy { message: message() }),
        ),
        (
            "from_agent.declined.closed",
            declined(DeclineReason::Closed { message: message() }),
        ),
        ("from_agent.declined.draining", declined(DeclineReason::Draining)),
        (
            "from_agent.declined.unreadable",
            declined(DeclineReason::Unreadable { message: message() }),
        ),
        (
            "from_agent.slot_free",
            FromAgent::SlotFree(SlotFree {
                v: 1,
                host: host(),
                instance: INSTANCE,
                kind: JobKind::Build,
            }),
        ),
        (
            "from_agent.not_begun",
            FromAgent::NotBegun(NotBegun {
                v: 1,
                host: host(),
                instance: INSTANCE,
                job: JOB,
                epoch: Epoch(1),
                reason: "the grant came 31 s after the claim".to_owned(),
            }),
        ),
    ]
}

pub fn log_chunks() -> Vec<(&'static str, LogChunk)> {
    let chunk = |content| LogChunk {
        v: 1,
        host: host(),
        stream: StreamId(id(8)),
        epoch: Epoch(1),
        seq: 3,
        stage: "npm ci".to_owned(),
        first_line: 101,
        offset: 4096,
        content,
    };
    let line = |source, text: &str| LogLine {
        at: NOON,
        source,
        text: text.to_owned(),
    };
    let lines = vec![
        line(LogSource::Out, "added 321 packages"),
        line(LogSource::Err, "warning: \u{1b}[33mdeprecated\u{1b}[0m"),
        line(LogSource::Agent, "pointsman: finished in 0.8 s"),
    ];
    vec![
        ("log_chunk.lines", chunk(LogContent::Lines(lines))),
        (
            "log_chunk.gap",
            chunk(LogContent::Gap {
                lines: 20,
                bytes: 4_000,
                reason: "the spool was full".to_owned(),
            }),
        ),
    ]
}
