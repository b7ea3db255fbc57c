use pointsman_shared::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, SpoolId, StreamId};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::name::{HostId, ReleaseFolder, SlotName};
use pointsman_shared::outcome::{Effect, ExitReason, JobKind, Outcome, Phase, ProcessExit, Product};
use pointsman_shared::wire::from_agent::{
    Claim, DeclineReason, Declined, Fault, FenceState, FromAgent, Heartbeat, Hello, JobResult, LedgerEntry,
    LedgerPage, LogTotal, NotBegun, PlacementState, Report, ReportContent, SlotCount, SlotFree, SlotState,
    StepFinished, StepStarted, SurvivingProcess, WorkingOn,
};
use pointsman_shared::wire::logs::{LogContent, LogLine, LogSource};
use pointsman_shared::wire::{LogChunk, Nonce};

use super::{NOON, digest, id};

fn host() -> HostId {
    "web-1".parse().unwrap()
}

const INSTANCE: InstanceId = InstanceId(id(9));
const JOB: JobId = JobId(id(1));

fn folder() -> ReleaseFolder {
    ReleaseFolder::of(42, &digest("manifest"))
}

fn ledger() -> LedgerPage {
    let entry = |name: &str, checksum, state, own| LedgerEntry {
        name: name.parse().unwrap(),
        checksum,
        state,
        own,
    };
    LedgerPage {
        job: JOB,
        epoch: Epoch(1),
        phase: MigrationPhase::Post,
        page: 0,
        pages: 1,
        entries: vec![
            entry("0001_orders", Some(digest("sql")), MigrationState::Applied, false),
            entry("0002_drop", None, MigrationState::Indeterminate, true),
            entry("0003_tidy", None, MigrationState::Pending, true),
        ],
    }
}

pub fn from_agent() -> Vec<(&'static str, FromAgent)> {
    let mut all = vec![
        ("from_agent.hello", FromAgent::Hello(hello())),
        (
            "from_agent.placement_state",
            FromAgent::PlacementState(placement_state()),
        ),
        ("from_agent.heartbeat", FromAgent::Heartbeat(heartbeat())),
    ];
    all.extend(answers_to_offers());
    all.extend(reports());
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

fn report(content: ReportContent) -> FromAgent {
    FromAgent::Report(Report {
        v: 1,
        host: host(),
        instance: INSTANCE,
        spool: SpoolId(id(6)),
        seq: 41,
        at: NOON,
        content,
    })
}

fn result(outcome: Outcome) -> FromAgent {
    let log = Some(LogTotal {
        stream: StreamId(id(8)),
        last_seq: 3,
        lines: 120,
    });
    report(ReportContent::Result(JobResult {
        job: JOB,
        epoch: Epoch(1),
        outcome,
        log,
    }))
}

#[expect(clippy::too_many_lines, reason = "a list of samples")]
fn reports() -> Vec<(&'static str, FromAgent)> {
    let (ordinal, step) = (2, "npm ci".to_owned());
    let built = Product::Release {
        manifest: digest("manifest"),
        archive: digest("archive"),
        packing: digest("packing"),
        archive_bytes: 1_000_000,
        total_bytes: 4_000_000,
        entries: 321,
    };
    let failed = Outcome::Failed {
        phase: Phase::Build,
        code: "step_failed".to_owned(),
        message: "step 1 of 2, `npm ci`, exited with status 1".to_owned(),
        exit: Some(ProcessExit {
            status: Some(1),
            signal: None,
            reason: ExitReason::Finished,
        }),
        effect: Effect::None,
    };
    let switched = Product::Switched {
        from: Some(folder()),
        current: folder(),
    };
    vec![
        (
            "from_agent.step_started",
            report(ReportContent::StepStarted(StepStarted {
                job: JOB,
                epoch: Epoch(1),
                ordinal,
                step: step.clone(),
            })),
        ),
        (
            "from_agent.step_finished",
            report(ReportContent::StepFinished(StepFinished {
                job: JOB,
                epoch: Epoch(1),
                ordinal,
                step,
                duration_ms: 812,
                ok: true,
            })),
        ),
        ("from_agent.ledger", report(ReportContent::Ledger(ledger()))),
        (
            "from_agent.result.built",
            result(Outcome::Succeeded { product: built }),
        ),
        (
            "from_agent.result.installed",
            result(Outcome::Succeeded {
                product: Product::Installed { reused: false },
            }),
        ),
        (
            "from_agent.result.switched",
            result(Outcome::Succeeded { product: switched }),
        ),
        (
            "from_agent.result.nothing",
            result(Outcome::Succeeded {
                product: Product::Nothing,
            }),
        ),
        ("from_agent.result.failed", result(failed)),
        ("from_agent.result.cancelled", result(Outcome::Cancelled)),
        (
            "from_agent.fault",
            report(ReportContent::Fault(Fault {
                placement: Some(PlacementId(id(5))),
                code: "current_repaired".to_owned(),
                message: "current was broken and points to 000042-… again".to_owned(),
            })),
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
