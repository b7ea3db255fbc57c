//! Shows what the database knew. A series that can rise is shown at zero before it does: Prometheus sees only rises
//! between two looks, and a first failure that begins its series at one would be none.

use std::sync::atomic::AtomicU64;

use pointsman_domain::deployment::{DeploymentKind, DeploymentOutcome};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::outcome::JobKind;
use pointsman_store::views::metrics::fleet::HOST_STATES;
use pointsman_store::views::metrics::spread::WAIT;
use pointsman_store::views::metrics::totals::Measure;
use pointsman_store::views::metrics::{Place, Spread};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::PREFIX;
use super::labels::{Dead, Ended, Host, Hosts, InStage, Jobs, Kind, Migrations, Project, Target};
use super::reading::Facts;
use super::times::Times;

type Seconds = Gauge<f64, AtomicU64>;
type Count = Gauge<u64, AtomicU64>;

const OPEN: [JobState; 5] = [
    JobState::Queued,
    JobState::Offered,
    JobState::Running,
    JobState::Deferred,
    JobState::Indeterminate,
];
const OVER: [JobState; 5] = [
    JobState::Succeeded,
    JobState::Failed,
    JobState::Cancelled,
    JobState::Superseded,
    JobState::Abandoned,
];

/// Every metric of the database, as it was.
pub(super) fn registry(facts: &Facts) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    deployments(&mut registry, facts);
    times(&mut registry, facts);
    jobs_over_time(&mut registry, facts);
    open_jobs(&mut registry, facts);
    hosts(&mut registry, facts);
    targets(&mut registry, facts);
    channels(&mut registry, facts);
    registry
}

fn count<L: Clone + std::hash::Hash + Eq>(family: &Family<L, Counter>, labels: &L, count: u64) {
    family.get_or_create(labels).inc_by(count);
}

fn deployments(registry: &mut Registry, facts: &Facts) {
    let deploys: Family<Ended, Counter> = Family::default();
    let labels = |place: &Place, kind: &str, result: &str| Ended {
        project: place.project.clone(),
        env: place.environment.clone(),
        kind: kind.to_owned(),
        result: result.to_owned(),
    };
    for target in &facts.targets {
        for kind in [DeploymentKind::Deploy, DeploymentKind::Rollback] {
            for outcome in DeploymentOutcome::ALL {
                count(
                    &deploys,
                    &labels(&target.place, kind.as_str(), outcome.as_str()),
                    0,
                );
            }
        }
    }
    for ((place, kind, outcome), ended) in &facts.totals.deployments {
        count(&deploys, &labels(place, kind, outcome), *ended);
    }
    registry.register("deploys", "Deployments that ended", deploys);
    let removed: Family<Project, Counter> = Family::default();
    for target in &facts.targets {
        let project = target.place.project.clone();
        count(&removed, &Project { project }, 0);
    }
    for (project, bytes) in &facts.totals.removed_bytes {
        let project = project.clone();
        count(&removed, &Project { project }, *bytes);
    }
    registry.register_with_unit(
        "gc_removed",
        "What collections deleted for good on hosts",
        Unit::Bytes,
        removed,
    );
}

fn times(registry: &mut Registry, facts: &Facts) {
    for measure in Measure::ALL {
        let (name, help) = described(measure);
        let spread = |place: &Place| {
            let measured = facts.totals.measures.get(&(place.clone(), measure));
            measured
                .cloned()
                .unwrap_or_else(|| Spread::over(measure.bounds()))
        };
        let spreads = facts
            .targets
            .iter()
            .map(|target| (Target::from(&target.place), spread(&target.place)))
            .collect();
        register_times(registry, name, help, spreads);
    }
    let stage = |((place, kind), spread): (&(Place, String), &Spread)| {
        let labels = InStage {
            project: place.project.clone(),
            env: place.environment.clone(),
            stage: kind.clone(),
        };
        (labels, spread.clone())
    };
    let help = "From its last grant to the end of a job that succeeded, by kind";
    let stages = facts.totals.stages.iter().map(stage).collect();
    register_times(registry, "stage_duration", help, stages);
    let waits = JobKind::ALL.into_iter().map(|kind| {
        let waited = facts.totals.waits.get(kind.as_str()).cloned();
        let kind = kind.as_str().to_owned();
        (Kind { kind }, waited.unwrap_or_else(|| Spread::over(&WAIT)))
    });
    let help = "From the creation of a job to its first grant";
    register_times(registry, "job_wait", help, waits.collect());
}

const fn described(measure: Measure) -> (&'static str, &'static str) {
    match measure {
        Measure::Deploy => (
            "deploy_duration",
            "From the start of a deployment until it is live",
        ),
        Measure::Rollback => (
            "rollback_duration",
            "From the decision to go back until every host is back",
        ),
        Measure::MixedVersion => (
            "mixed_version",
            "Between the first and the last switch of a deployment over several hosts",
        ),
        Measure::LeadTime => (
            "lead_time",
            "From a commit until its release is live in the target for the first time",
        ),
    }
}

fn register_times<L: EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static>(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
    spreads: Vec<(L, Spread)>,
) {
    registry.register_collector(Box::new(Times { name, help, spreads }));
}

fn jobs_over_time(registry: &mut Registry, facts: &Facts) {
    let (ended, attempts, expired): (
        Family<Jobs, Counter>,
        Family<Kind, Counter>,
        Family<Kind, Counter>,
    ) = Default::default();
    for kind in JobKind::ALL {
        let name = kind.as_str().to_owned();
        for state in OVER {
            let over = (name.clone(), state.as_str().to_owned());
            let jobs = facts.totals.jobs.get(&over).copied().unwrap_or_default();
            let (kind, state) = over;
            count(&ended, &Jobs { kind, state }, jobs);
        }
        let granted = facts.totals.attempts.get(&name).copied().unwrap_or_default();
        let lost = facts.totals.expired.get(&name).copied().unwrap_or_default();
        let kind = Kind { kind: name };
        count(&attempts, &kind, granted);
        count(&expired, &kind, lost);
    }
    registry.register("jobs_ended", "Jobs that ended", ended);
    registry.register("job_attempts", "Grants of jobs to agents", attempts);
    registry.register("lease_expired", "Attempts whose lease ran out", expired);
}

fn open_jobs(registry: &mut Registry, facts: &Facts) {
    let (jobs, oldest): (Family<Jobs, Count>, Family<Jobs, Seconds>) = Default::default();
    for kind in JobKind::ALL {
        for state in OPEN {
            let (kind, state) = (kind.as_str(), state.as_str());
            let mut open = facts.open_jobs.iter();
            let open = open.find(|open| open.kind == kind && open.state == state);
            let labels = Jobs {
                kind: kind.to_owned(),
                state: state.to_owned(),
            };
            jobs.get_or_create(&labels).set(open.map_or(0, |open| open.count));
            oldest
                .get_or_create(&labels)
                .set(open.map_or(0.0, |open| open.oldest_s));
        }
    }
    registry.register("jobs", "Open jobs", jobs);
    let help = "How long the oldest open job has been there";
    registry.register_with_unit("oldest_job", help, Unit::Seconds, oldest);
    let dead: Family<Dead, Count> = Family::default();
    for (reason, jobs) in [
        ("indeterminate", facts.dead_jobs.indeterminate),
        ("unread", facts.dead_jobs.unread),
        ("given_up", facts.dead_jobs.given_up),
    ] {
        dead.get_or_create(&Dead { reason }).set(jobs);
    }
    registry.register("dead_jobs", "Jobs that nobody will finish without a person", dead);
    let (unsent, waiting) = (Count::default(), Seconds::default());
    unsent.set(facts.outbox.unsent);
    waiting.set(facts.outbox.oldest_s);
    registry.register("outbox_unsent", "Messages that wait for the broker", unsent);
    let help = "How long the oldest message has waited for the broker";
    registry.register_with_unit("outbox_oldest", help, Unit::Seconds, waiting);
}

fn channels(registry: &mut Registry, facts: &Facts) {
    let (failing, waiting, oldest) = (Count::default(), Count::default(), Seconds::default());
    failing.set(facts.channels.failing);
    waiting.set(facts.channels.waiting);
    oldest.set(facts.channels.oldest_s);
    let help = "Channels of notifications that fail or are disabled";
    registry.register("channels_failing", help, failing);
    registry.register(
        "deliveries_waiting",
        "Notifications that wait for a receiver",
        waiting,
    );
    let help = "How long the oldest notification has waited for its receiver";
    registry.register_with_unit("oldest_delivery", help, Unit::Seconds, oldest);
}

fn hosts(registry: &mut Registry, facts: &Facts) {
    let (hosts, last_seen, free): (Family<Hosts, Count>, Family<Host, Seconds>, Family<Host, Count>) =
        Default::default();
    let of_targets = facts
        .targets
        .iter()
        .map(|target| target.place.environment.as_str());
    for env in of_targets.chain([""]) {
        for state in HOST_STATES {
            let env = env.to_owned();
            drop(hosts.get_or_create(&Hosts { env, state }));
        }
    }
    for host in &facts.hosts {
        let none = [String::new()];
        let environments = if host.environments.is_empty() {
            none.as_slice()
        } else {
            host.environments.as_slice()
        };
        for env in environments {
            let (env, state) = (env.clone(), host.state);
            hosts.get_or_create(&Hosts { env, state }).inc();
        }
        let label = Host {
            host: host.id.clone(),
        };
        if let Some(seconds) = host.last_seen_s {
            last_seen.get_or_create(&label).set(seconds);
        }
        if let Some(bytes) = host.free_bytes {
            free.get_or_create(&label).set(bytes);
        }
    }
    registry.register("hosts", "Hosts, in each environment they serve", hosts);
    let help = "Since an agent was last heard";
    registry.register_with_unit("agent_last_seen", help, Unit::Seconds, last_seen);
    let help = "Free space of a host's fullest root, as it last said";
    registry.register_with_unit("host_free", help, Unit::Bytes, free);
}

fn targets(registry: &mut Registry, facts: &Facts) {
    let [hosts, drift, ready]: [Family<Target, Count>; 3] = Default::default();
    let pending: Family<Migrations, Count> = Family::default();
    for target in &facts.targets {
        let labels = Target::from(&target.place);
        hosts.get_or_create(&labels).set(target.hosts);
        drift.get_or_create(&labels).set(target.drifting);
        if let Some(hosts) = target.ready_to_return {
            ready.get_or_create(&labels).set(hosts);
        }
        for (phase, migrations) in [("pre", target.pending_pre), ("post", target.pending_post)] {
            let Target { project, env } = labels.clone();
            let labels = Migrations { project, env, phase };
            pending.get_or_create(&labels).set(migrations);
        }
    }
    registry.register("target_hosts", "Hosts of a target", hosts);
    registry.register("drift_hosts", "Hosts that are not where they were sent", drift);
    registry.register(
        "rollback_ready_hosts",
        "Hosts that can return to the previous good release at once; absent where there is none",
        ready,
    );
    registry.register(
        "migrations_pending",
        "Migrations of what should be live that are not applied",
        pending,
    );
}
