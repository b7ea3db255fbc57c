//! One granted epoch from its beginning to its durable result.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pointsman_shared::api::agent::Variables;
use pointsman_shared::ids::{PlacementId, StreamId};
use pointsman_shared::outcome::{Effect, JobKind, Outcome, Phase};
use pointsman_shared::wire::from_agent::{JobResult, LogTotal, ReportContent, WorkingOn};
use pointsman_shared::wire::job::Order;
use pointsman_shared::wire::logs::LogSource;
use pointsman_shared::wire::{LogChunk, TraceParent};
use tracing::Instrument as _;

use super::desk::EdgeDesk;
use super::given::Given;
use super::scribe::Scribe;
use super::tools::{Tools, load_policy};
use crate::artifact::{ArtifactError, Artifacts};
use crate::crash_point;
use crate::describe::describe;
use crate::dispatcher::Assignment;
use crate::executor::{Execution, execute};
use crate::lease::Standing;
use crate::logs::{ChunkSink, ChunkerId, JobLog, SHORTEST_SECRET, Secrets};
use crate::metrics::Ended;
use crate::policy::PolicyError;
use crate::process::Processes;
use crate::spool::LogSpool;
use crate::step::{Host, Job};

/// Longest message of a result, in characters.
const MESSAGE: usize = 4000;
/// The program whose `gate` every child starts as: this one, also after it was replaced on disk.
const GATE: &str = "/proc/self/exe";
/// Bytes that an install leaves free beyond what it needs.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;
/// The stage of what the agent says before the first step.
const PREPARE: &str = "prepare";

/// Does the job, in a span of the trace that its offer came with; what it had to say is durable when this returns.
pub(super) async fn work(tools: &Arc<Tools>, mut assignment: Assignment) -> WorkingOn {
    crash_point!(C7);
    let work = WorkingOn {
        job: assignment.body.job,
        epoch: assignment.epoch,
    };
    let trace = assignment.trace.clone();
    let span = tracing::info_span!(
        "job",
        job = %work.job,
        epoch = %work.epoch,
        kind = %assignment.body.order.kind(),
        trace_id = trace.as_ref().map(TraceParent::trace_id)
    );
    assignment.trace = pointsman_telemetry::join(&span, trace.as_ref()).or(trace);
    in_span(tools, assignment, work).instrument(span).await
}

async fn in_span(tools: &Arc<Tools>, assignment: Assignment, work: WorkingOn) -> WorkingOn {
    let kind = assignment.body.order.kind();
    tracing::info!("work begins");
    tools.running.enter(work);
    let running = tools.metrics.begins(kind);
    let log = begin_log(tools, &assignment, work);
    let scribe = tools.scribe.with_trace(assignment.trace.clone());
    let doing = do_it(Arc::clone(tools), assignment, work, log.clone(), scribe.clone());
    let doing = tokio::spawn(doing.in_current_span());
    let (execution, secrets) = match doing.await {
        Ok(done) => done,
        Err(error) => (panicked(kind, &error), Arc::new(Secrets::none())),
    };
    tools.metrics.ended(kind, &running, counted(&execution));
    tools.running.count_one_done();
    let total = log.finish().await;
    report(&scribe, work, execution, &secrets, total).await;
    tools.running.leave(work);
    work
}

const fn counted(execution: &Execution) -> Ended {
    match execution {
        Execution::Ended(Outcome::Succeeded { .. }) => Ended::Succeeded,
        Execution::Ended(Outcome::Failed { .. }) => Ended::Failed,
        Execution::Ended(Outcome::Cancelled) => Ended::Cancelled,
        Execution::LeaseLost { .. } => Ended::LeaseLost,
    }
}

fn begin_log(tools: &Tools, assignment: &Assignment, work: WorkingOn) -> JobLog {
    let id = ChunkerId {
        host: tools.host.clone(),
        stream: stream_of(&assignment.body.order),
        epoch: work.epoch,
    };
    JobLog::begin(id, Arc::clone(&tools.wall), Spooled(Arc::clone(&tools.logs)))
}

async fn do_it(
    tools: Arc<Tools>,
    assignment: Assignment,
    work: WorkingOn,
    log: JobLog,
    scribe: Scribe,
) -> (Execution, Arc<Secrets>) {
    let kind = assignment.body.order.kind();
    let artifacts = Artifacts::new(
        tools.coordinator.clone(),
        Arc::clone(&tools.signer),
        work.job,
        work.epoch,
        assignment.lease.clone(),
    )
    .in_trace(assignment.trace.clone());
    let given = match Given::fetch(&artifacts, &assignment.body.order).await {
        Ok(given) => given,
        Err(error) => return (without_variables(kind, &error), Arc::new(Secrets::none())),
    };
    let secrets = Arc::new(given.secrets());
    log.mask(Arc::clone(&secrets));
    warn_of_short_secrets(&given.variables, &log);
    let desk = EdgeDesk {
        work,
        artifacts,
        log,
        scribe,
        secrets: Arc::clone(&secrets),
    };
    let job = match job(&tools, assignment, given, desk) {
        Ok(job) => job,
        Err(error) => {
            let execution = failed(Phase::Refused, "policy_unusable", describe(&error));
            return (execution, secrets);
        }
    };
    (execute(&job).await, secrets)
}

fn job(
    tools: &Tools,
    assignment: Assignment,
    given: Given,
    desk: EdgeDesk,
) -> Result<Job<EdgeDesk>, PolicyError> {
    let policy = load_policy(&tools.config)?;
    let Given { variables, access } = given;
    let plain = variables.plain.into_iter().chain(variables.secret);
    let variables: BTreeMap<String, String> = plain.map(|(name, value)| (name.into(), value)).collect();
    Ok(Job {
        host: Host {
            id: tools.host.clone(),
            policy: Arc::new(policy),
            roots: Arc::clone(&tools.state.roots),
            http: tools.probe.clone(),
            spare_bytes: SPARE_BYTES,
            clock: Arc::clone(&tools.wall),
            workshop: tools.workshop.clone(),
        },
        epoch: assignment.epoch,
        lease: assignment.lease,
        processes: Processes {
            gate: PathBuf::from(GATE),
            groups: Arc::clone(&tools.state.groups),
            job: assignment.body.job,
            epoch: assignment.epoch,
            placement: placement_of(&assignment.body.order),
        },
        body: assignment.body,
        variables,
        access: Arc::new(access),
        desk: Arc::new(desk),
    })
}

fn warn_of_short_secrets(variables: &Variables, log: &JobLog) {
    for (name, value) in &variables.secret {
        if value.len() < SHORTEST_SECRET && !value.is_empty() {
            let text =
                format!("the secret {name} is shorter than {SHORTEST_SECRET} characters and is not masked");
            log.say(PREPARE, LogSource::Agent, &text);
        }
    }
}

async fn report(
    scribe: &Scribe,
    work: WorkingOn,
    execution: Execution,
    secrets: &Secrets,
    log: Option<LogTotal>,
) {
    let outcome = match execution {
        Execution::Ended(outcome) => presentable(outcome, secrets),
        Execution::LeaseLost { effect } => {
            tracing::warn!(?effect, "the lease was lost; nothing is reported");
            return;
        }
    };
    tracing::info!(?outcome, "work ended");
    let result = JobResult {
        job: work.job,
        epoch: work.epoch,
        outcome,
        log,
    };
    scribe.report_durably(ReportContent::Result(result)).await;
}

/// The outcome without secrets and not longer than a message may be.
fn presentable(outcome: Outcome, secrets: &Secrets) -> Outcome {
    match outcome {
        Outcome::Failed {
            phase,
            code,
            message,
            exit,
            effect,
        } => Outcome::Failed {
            phase,
            code,
            message: secrets.mask(&message).chars().take(MESSAGE).collect(),
            exit,
            effect,
        },
        Outcome::Succeeded { .. } | Outcome::Cancelled => outcome,
    }
}

fn without_variables(kind: JobKind, error: &ArtifactError) -> Execution {
    match error {
        ArtifactError::Stopped(Standing::Cancelled { .. }) => Execution::Ended(Outcome::Cancelled),
        ArtifactError::Stopped(Standing::Lost | Standing::Held) => {
            Execution::LeaseLost { effect: Effect::None }
        }
        ArtifactError::Request(_)
        | ArtifactError::Damaged { .. }
        | ArtifactError::TooLarge { .. }
        | ArtifactError::File(_) => failed(first_phase(kind), "variables_unavailable", describe(error)),
    }
}

/// A defect of ours must not take the other jobs along; what it changed is for the next state report to say.
fn panicked(kind: JobKind, error: &tokio::task::JoinError) -> Execution {
    tracing::error!(%error, "a worker broke down");
    Execution::Ended(Outcome::Failed {
        phase: first_phase(kind),
        code: "agent_defect".to_owned(),
        message: format!("the agent broke down while it did this: {error}; see its own log on the host"),
        exit: None,
        effect: Effect::Unknown,
    })
}

fn failed(phase: Phase, code: &str, message: String) -> Execution {
    Execution::Ended(Outcome::Failed {
        phase,
        code: code.to_owned(),
        message,
        exit: None,
        effect: Effect::None,
    })
}

const fn first_phase(kind: JobKind) -> Phase {
    match kind {
        JobKind::Build => Phase::Checkout,
        JobKind::Install => Phase::Install,
        JobKind::Activate | JobKind::Rollback => Phase::BeforeHook,
        JobKind::Migrate => Phase::Migrate,
        JobKind::CollectGarbage => Phase::Collect,
    }
}

const fn stream_of(order: &Order) -> StreamId {
    match order {
        Order::Build(order) => order.log_stream,
        Order::Install(order) => order.log_stream,
        Order::Activate(order) | Order::Rollback(order) => order.log_stream,
        Order::Migrate(order) => order.log_stream,
        Order::CollectGarbage(order) => order.log_stream,
        Order::CollectWorkshop(order) => order.log_stream,
    }
}

const fn placement_of(order: &Order) -> Option<PlacementId> {
    match order {
        Order::Build(_) | Order::CollectWorkshop(_) => None,
        Order::Install(order) => Some(order.placement),
        Order::Activate(order) | Order::Rollback(order) => Some(order.placement),
        Order::Migrate(order) => Some(order.placement),
        Order::CollectGarbage(order) => Some(order.placement),
    }
}

/// Chunks go to the spool, written where blocking is allowed.
struct Spooled(Arc<LogSpool>);

impl ChunkSink for Spooled {
    async fn chunk(&mut self, chunk: LogChunk) {
        let spool = Arc::clone(&self.0);
        if let Err(error) = tokio::task::spawn_blocking(move || spool.append(&chunk)).await {
            tracing::error!(%error, "a log chunk is lost");
        }
    }
}
