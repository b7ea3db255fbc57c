//! Asks the live release whether it is well, as often as the recipe wants, until the recipe's deadline.
//!
//! An answer proves little if an old process gives it, so by default it must name the release. Every failed probe is
//! remembered; the last one is told.

use std::time::Duration;

use futures_util::StreamExt as _;
use pointsman_shared::outcome::Phase;
use pointsman_shared::recipe::{HealthCheck, Probe};
use pointsman_shared::wire::job::SwitchOrder;
use pointsman_shared::wire::logs::LogSource;
use tokio::time::{Instant, sleep, timeout_at};

use crate::describe::describe;
use crate::lease::Lease;
use crate::process::{Command, Limits};
use crate::step::{Desk, Failure, Job, StepError, Values, command, hook};

/// Header in which an application names the release it serves.
const RELEASE_HEADER: &str = "Pointsman-Release";
/// How much of an answer is read to find the release's name.
const MAX_BODY: usize = 64 * 1024;
/// Longest time for one probe.
const MAX_PROBE: Duration = Duration::from_secs(10);
/// The step's name in the log.
const STAGE: &str = "health";

/// A client for health checks: it asks what the recipe names and nobody else, so it follows no redirect and uses no
/// proxy. The process must have a TLS provider installed.
pub fn probe_client() -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    client.user_agent("pointsman-agent").build()
}

/// A health check of one switched release.
pub(super) struct Health<'a, D> {
    pub(super) job: &'a Job<D>,
    pub(super) order: &'a SwitchOrder,
    pub(super) check: &'a HealthCheck,
    pub(super) values: &'a Values,
    /// Where hooks of the release run.
    pub(super) release: &'a std::path::Path,
    pub(super) lease: &'a Lease,
}

impl<D: Desk> Health<'_, D> {
    /// Returns when the release passed often enough in a row.
    pub(super) async fn wait(&self) -> Result<(), StepError> {
        if !self.check.asserts_release {
            let words = "this check does not assert the release: an old process may be the one that answers";
            self.say(words.to_owned());
        }
        let deadline = Instant::now() + Duration::from_millis(self.check.deadline_ms);
        let wanted = self.check.passes.max(1);
        let (mut passes, mut last) = (0, String::new());
        while Instant::now() < deadline {
            let probed = tokio::select! {
                probed = self.probe(deadline) => probed?,
                _ = self.lease.ended() => return Err(StepError::Stopped),
            };
            match probed {
                Ok(()) => passes += 1,
                // A probe that the check's own deadline cut off says less than the answer before it.
                Err(_) if Instant::now() >= deadline && !last.is_empty() => {}
                Err(reason) => {
                    if reason != last {
                        self.say(format!("not yet: {reason}"));
                    }
                    (passes, last) = (0, reason);
                }
            }
            if passes >= wanted {
                self.say(format!("passed {passes} times in a row"));
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            sleep(Duration::from_millis(self.check.interval_ms).min(left)).await;
        }
        if last.is_empty() {
            "the time was too short to pass often enough".clone_into(&mut last);
        }
        let what = match &self.check.probe {
            Probe::Http { url } => url.clone(),
            Probe::Command { argv } => argv.join(" "),
        };
        let message = format!(
            "{}: {} is live but not healthy: `{what}` did not pass {wanted} times in a row within {:?}; last: {last}",
            self.job.host.id,
            self.order.folder,
            Duration::from_millis(self.check.deadline_ms)
        );
        Err(Failure::new(Phase::Health, "unhealthy", message).into())
    }

    /// One probe; the inner error says why it did not pass, the outer one that it can never be asked.
    async fn probe(&self, deadline: Instant) -> Result<Result<(), String>, StepError> {
        let until = deadline.min(Instant::now() + MAX_PROBE);
        match &self.check.probe {
            Probe::Http { url } => {
                let url = self
                    .values
                    .expand(url)
                    .map_err(|error| Failure::of(Phase::Health, "variable_missing", &error))?;
                let asked = timeout_at(until, self.ask(&url)).await;
                Ok(asked.unwrap_or_else(|_| Err("no answer in time".to_owned())))
            }
            Probe::Command { argv } => self.run(argv, until).await,
        }
    }

    async fn ask(&self, url: &str) -> Result<(), String> {
        let answer = self
            .job
            .host
            .http
            .get(url)
            .send()
            .await
            .map_err(|error| describe(&error))?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        if !self.check.asserts_release {
            return Ok(());
        }
        let header = answer
            .headers()
            .get(RELEASE_HEADER)
            .and_then(|value| value.to_str().ok());
        let header = header.map(str::to_owned);
        if header.as_deref().is_some_and(|value| self.names_release(value)) {
            return Ok(());
        }
        let mut body = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| describe(&error))?;
            body.extend_from_slice(&chunk);
            if body.len() >= MAX_BODY {
                break;
            }
        }
        if self.names_release(&String::from_utf8_lossy(&body)) {
            return Ok(());
        }
        let words = header.map_or_else(String::new, |value| format!(" (its header says {value:?})"));
        Err(format!(
            "it is well but names neither {} nor {}{words}; does the server resolve the link anew, and does the \
             application say {RELEASE_HEADER}?",
            self.order.folder, self.order.commit
        ))
    }

    fn names_release(&self, text: &str) -> bool {
        text.contains(self.order.folder.as_str()) || text.contains(self.order.commit.as_str())
    }

    async fn run(&self, argv: &[String], until: Instant) -> Result<Result<(), String>, StepError> {
        let argv = self.values.expand_argv(argv);
        let argv = argv.map_err(|error| Failure::of(Phase::Health, "variable_missing", &error))?;
        let argv = hook::resolve(&self.job.host.policy, self.release, &argv)
            .map_err(|refusal| Failure::new(Phase::Health, "hook_refused", refusal.to_string()))?;
        let command = Command {
            argv,
            env: self.values.environment(),
            cwd: self.release.to_owned(),
        };
        let limits = Limits::new(until.saturating_duration_since(Instant::now()), None);
        let ended = command::run(self.job, self.lease, STAGE, &command, &limits).await;
        match command::judge(Phase::Health, &command.argv.join(" "), &limits, ended) {
            Ok(()) => Ok(Ok(())),
            Err(StepError::Failed(failure)) => Ok(Err(failure.message)),
            Err(StepError::Stopped) => Err(StepError::Stopped),
        }
    }

    fn say(&self, text: String) {
        self.job.desk.say(STAGE, LogSource::Agent, text);
    }
}
