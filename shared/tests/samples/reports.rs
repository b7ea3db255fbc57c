//! Reports: steps, ledgers, results, faults.

use pointsman_shared::ids::{Epoch, PlacementId, SpoolId, StreamId};
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::outcome::{
    Effect, ExitReason, GoneFolder, KeptFolder, Outcome, Phase, ProcessExit, Product, TrashedFolder,
    WorkshopFolder,
};
use pointsman_shared::wire::from_agent::{
    Fault, FromAgent, JobResult, LedgerEntry, LedgerPage, LogTotal, Report, ReportContent, StepFinished,
    StepStarted,
};

use super::from_agent::{INSTANCE, JOB, folder, host};
use super::{NOON, digest, id};

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

fn workshop_collected() -> Product {
    let gone = |kind, name: &str| GoneFolder {
        kind,
        name: digest(name).short(),
        bytes: 812_437_504,
        reason: "unused for 15 d".to_owned(),
    };
    Product::WorkshopCollected {
        gone: vec![
            gone(WorkshopFolder::Cache, "cache"),
            gone(WorkshopFolder::Mirror, "mirror"),
        ],
        more: 3,
        bytes: 2_000_000_000,
    }
}

fn collected() -> Product {
    Product::Collected {
        trashed: vec![TrashedFolder {
            folder: folder(),
            bytes: 9_600,
        }],
        kept: vec![KeptFolder {
            folder: ReleaseFolder::of(41, &digest("older")),
            reason: "process 4711 (php-fpm) runs in it".to_owned(),
        }],
        purged: 2,
        purged_bytes: 18_200,
    }
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
pub fn reports() -> Vec<(&'static str, FromAgent)> {
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
            "from_agent.result.collected",
            result(Outcome::Succeeded { product: collected() }),
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
        (
            "from_agent.result.workshop_collected",
            result(Outcome::Succeeded {
                product: workshop_collected(),
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
