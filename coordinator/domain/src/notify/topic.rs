//! The topics of notifications: which events they are made of, what they are about, and whether they tell of a trouble or
//! of its end.
//!
//! Events that nobody would want to be woken for have no topic.

use std::str::FromStr;

use pointsman_shared::api::notifications::Turn;
use pointsman_shared::outcome::JobKind;

use crate::deployment::PauseReason;

macro_rules! topics {
    ($($(#[$doc:meta])* $topic:ident = $name:literal),+ $(,)?) => {
        /// What is told.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Topic {$(
            $(#[$doc])*
            $topic,
        )+}

        impl Topic {
            /// Every topic.
            pub const ALL: &[Self] = &[$(Self::$topic),+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$topic => $name,)+}
            }
        }
    };
}

topics! {
    /// A deployment started.
    DeployStarted = "deploy.started",
    /// A deployment waits for a person.
    DeployPaused = "deploy.paused",
    /// A deployment goes on after it waited.
    DeployContinued = "deploy.continued",
    /// A deployment goes back.
    DeployRollingBack = "deploy.rolling_back",
    /// A deployment ended and its release is live.
    DeployFinished = "deploy.finished",
    /// A deployment failed.
    DeployFailed = "deploy.failed",
    /// A deployment was rolled back.
    DeployRolledBack = "deploy.rolled_back",
    /// A deployment was cancelled.
    DeployCancelled = "deploy.cancelled",
    /// A release is built.
    BuildFinished = "build.finished",
    /// A build failed.
    BuildFailed = "build.failed",
    /// A run of migrations failed.
    MigrationFailed = "migration.failed",
    /// Nobody knows what a run of migrations did.
    MigrationIndeterminate = "migration.indeterminate",
    /// Migrations wait for a person to start them.
    MigrationWaiting = "migration.waiting",
    /// A host joined.
    AgentJoined = "agent.joined",
    /// A host is not heard any more.
    AgentLost = "agent.lost",
    /// A host is heard again.
    AgentBack = "agent.back",
    /// An agent reported a fault.
    AgentFault = "agent.fault",
    /// A host's key was revoked.
    AgentRevoked = "agent.revoked",
    /// A host is not where it was sent.
    DriftFound = "drift.found",
    /// A host is where it was sent again.
    DriftGone = "drift.gone",
    /// Garbage was collected on a host.
    GcFinished = "gc.finished",
    /// A target was locked, or everything stopped.
    LockSet = "lock.set",
    /// A lock or the stop was released.
    LockReleased = "lock.released",
    /// A push was refused, as a person's wish would have been.
    PushRefused = "push.refused",
    /// A push is held back.
    PushHeld = "push.held",
    /// Pushes to a target are held back from now on.
    PushPaused = "push.paused",
    /// Pushes to a target go on.
    PushResumed = "push.resumed",
    /// A channel is tried out.
    Test = "test",
}

/// Not a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no topic")]
pub struct UnknownTopic(String);

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|topic| topic.as_str() == text)
            .ok_or_else(|| UnknownTopic(text.to_owned()))
    }
}

/// What an event is, as far as its topic depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// Its kind, such as `deployment.live`.
    pub kind: &'a str,
    /// Kind of its job.
    pub job: Option<JobKind>,
}

impl Topic {
    /// The topic of an event; none when nobody is told of it.
    pub fn of(fact: Fact<'_>) -> Option<Self> {
        Some(match (fact.kind, fact.job) {
            ("deployment.started", _) => Self::DeployStarted,
            ("deployment.paused", _) => Self::DeployPaused,
            ("deployment.continued", _) => Self::DeployContinued,
            ("deployment.rolling_back", _) => Self::DeployRollingBack,
            ("deployment.live", _) => Self::DeployFinished,
            ("deployment.failed" | "deployment.abandoned", _) => Self::DeployFailed,
            ("deployment.rolled_back", _) => Self::DeployRolledBack,
            ("deployment.cancelled", _) => Self::DeployCancelled,
            ("release.built", _) => Self::BuildFinished,
            ("release.failed", _) => Self::BuildFailed,
            ("job.failed", Some(JobKind::Migrate)) => Self::MigrationFailed,
            ("job.indeterminate", Some(JobKind::Migrate)) => Self::MigrationIndeterminate,
            ("migrations.due", _) => Self::MigrationWaiting,
            ("host.joined", _) => Self::AgentJoined,
            ("host.lost", _) => Self::AgentLost,
            ("host.seen", _) => Self::AgentBack,
            ("host.fault", _) => Self::AgentFault,
            ("host.revoked", _) => Self::AgentRevoked,
            ("placement.drift", _) => Self::DriftFound,
            ("placement.drift_gone" | "placement.live", _) => Self::DriftGone,
            ("garbage.collected", _) => Self::GcFinished,
            ("push.refused", _) => Self::PushRefused,
            ("push.held", _) => Self::PushHeld,
            ("push.paused", _) => Self::PushPaused,
            ("push.resumed", _) => Self::PushResumed,
            ("target.lock" | "stop.set", _) => Self::LockSet,
            ("target.unlock" | "stop.lift", _) => Self::LockReleased,
            _ => return None,
        })
    }

    /// What it does to the trouble with its subject. A deployment that a person paused is no trouble.
    pub const fn bearing(self, paused: Option<PauseReason>) -> Bearing {
        match self {
            Self::DeployPaused => match paused {
                Some(PauseReason::Asked) => Bearing::None,
                Some(
                    PauseReason::Failure
                    | PauseReason::NoPreviousGood
                    | PauseReason::RollbackFailed
                    | PauseReason::Migration,
                )
                | None => Bearing::Begins,
            },
            Self::DeployRollingBack
            | Self::DeployFailed
            | Self::DeployRolledBack
            | Self::BuildFailed
            | Self::AgentLost
            | Self::DriftFound => Bearing::Begins,
            Self::DeployFinished | Self::BuildFinished | Self::AgentBack | Self::DriftGone => Bearing::Ends,
            Self::MigrationFailed | Self::MigrationIndeterminate | Self::AgentFault | Self::PushRefused => {
                Bearing::Fault
            }
            Self::DeployStarted
            | Self::DeployContinued
            | Self::DeployCancelled
            | Self::MigrationWaiting
            | Self::AgentJoined
            | Self::AgentRevoked
            | Self::GcFinished
            | Self::LockSet
            | Self::LockReleased
            | Self::PushHeld
            | Self::PushPaused
            | Self::PushResumed
            | Self::Test => Bearing::None,
        }
    }

    /// Whether it is told only after a trouble: a switch ends drift, but most switches have none to end; an agent that
    /// was started again was not lost.
    pub const fn needs_trouble(self) -> bool {
        matches!(self, Self::DriftGone | Self::AgentBack)
    }

    /// What it is about, such as `deploy shop@production`: troubles are remembered under it.
    pub fn subject(self, project: Option<&str>, target: Option<&str>, host: Option<&str>) -> String {
        let family = self.as_str().split('.').next().unwrap_or_default();
        let place = target.or(project).unwrap_or_default();
        // A build belongs to no target, and an agent to no project; drift is of one host in a target.
        match (family, host) {
            ("agent", host) => format!("{family} {}", host.unwrap_or_default()),
            ("drift", Some(host)) => format!("{family} {place} {host}"),
            (_, _) => format!("{family} {place}"),
        }
    }
}

/// What a topic does to the trouble with its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// It begins, or goes on.
    Begins,
    /// It ends.
    Ends,
    /// Something is wrong that has no end of its own.
    Fault,
    /// Nothing.
    None,
}

/// What a notification means, given whether its subject was in trouble before.
pub const fn turn(bearing: Bearing, in_trouble: bool) -> Turn {
    match (bearing, in_trouble) {
        (Bearing::Begins | Bearing::Fault, _) => Turn::Failure,
        (Bearing::Ends, true) => Turn::Recovery,
        (Bearing::Ends, false) | (Bearing::None, _) => Turn::News,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(kind: &str, job: Option<JobKind>) -> Option<&'static str> {
        Topic::of(Fact { kind, job }).map(Topic::as_str)
    }

    #[test]
    fn events_have_the_topics_that_people_know() {
        let table = [
            ("deployment.live", None, Some("deploy.finished")),
            ("deployment.abandoned", None, Some("deploy.failed")),
            ("release.failed", Some(JobKind::Build), Some("build.failed")),
            ("job.failed", Some(JobKind::Migrate), Some("migration.failed")),
            ("job.failed", Some(JobKind::Install), None),
            ("job.running", Some(JobKind::Migrate), None),
            ("migrations.due", None, Some("migration.waiting")),
            ("stop.set", None, Some("lock.set")),
            ("deployment.requested", None, None),
            ("host.stray_result", None, None),
        ];
        for (kind, job, expected) in table {
            assert_eq!(topic(kind, job), expected, "{kind}");
        }
    }

    #[test]
    fn a_success_is_a_recovery_only_after_a_trouble() {
        let bearing = Topic::DeployFinished.bearing(None);
        assert_eq!(turn(bearing, false), Turn::News);
        assert_eq!(turn(bearing, true), Turn::Recovery);
        let failed = Topic::DeployFailed.bearing(None);
        assert_eq!(turn(failed, true), Turn::Failure);
    }

    #[test]
    fn a_pause_is_a_trouble_unless_a_person_asked_for_it() {
        let asked = Topic::DeployPaused.bearing(Some(PauseReason::Asked));
        assert_eq!(turn(asked, true), Turn::News);
        for why in [Some(PauseReason::Failure), Some(PauseReason::Migration), None] {
            assert_eq!(Topic::DeployPaused.bearing(why), Bearing::Begins);
        }
    }

    #[test]
    fn troubles_of_different_things_are_kept_apart() {
        let (project, target, host) = (Some("shop"), Some("shop@production"), Some("web-1"));
        let subject = |topic: Topic, host| topic.subject(project, target, host);
        assert_eq!(subject(Topic::DeployFailed, host), "deploy shop@production");
        assert_eq!(subject(Topic::DriftFound, host), "drift shop@production web-1");
        assert_eq!(Topic::BuildFailed.subject(project, None, host), "build shop");
        assert_eq!(Topic::AgentBack.subject(None, None, host), "agent web-1");
    }

    #[test]
    fn names_are_read_back() {
        for topic in Topic::ALL {
            assert_eq!(topic.as_str().parse(), Ok(*topic));
        }
    }
}
