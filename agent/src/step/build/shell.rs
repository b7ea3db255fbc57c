//! One build step: a shell string of the recipe.
//!
//! It runs as `/bin/sh -ec <string>` in the checkout: `-e`, so that a string of several commands fails with the first of
//! them. Not `-u`: scripts that test for unset variables are common and right.

use std::time::Duration;

use pointsman_shared::outcome::Phase;
use pointsman_shared::recipe::BuildRecipe;
use pointsman_shared::wire::job::BuildOrder;
use tokio::time::Instant;

use super::workshop::Bench;
use crate::process::{Command, Limits};
use crate::step::{Desk, Job, StepError, Values, command};

/// The environment of a build's steps.
pub(super) fn values<D>(job: &Job<D>, order: &BuildOrder, bench: &Bench, commit_time: i64) -> Values {
    let ours = [
        ("POINTSMAN_PROJECT", job.body.project.to_string()),
        ("POINTSMAN_RELEASE_LABEL", order.label.to_string()),
        ("POINTSMAN_COMMIT", order.commit.to_string()),
        ("SOURCE_DATE_EPOCH", commit_time.to_string()),
        ("TMPDIR", bench.temporary.display().to_string()),
    ];
    Values::new(&bench.home.display().to_string(), &job.variables, &ours)
}

/// Runs one shell string; all strings of a build share the time until `deadline`.
pub(super) async fn run<D: Desk>(
    job: &Job<D>,
    recipe: &BuildRecipe,
    script: &str,
    values: &Values,
    bench: &Bench,
    deadline: Instant,
) -> Result<(), StepError> {
    let command = Command {
        argv: ["/bin/sh", "-ec", script].map(str::to_owned).to_vec(),
        env: values.environment(),
        cwd: bench.source.clone(),
    };
    let silence = (recipe.silence_timeout_s > 0).then(|| Duration::from_secs(recipe.silence_timeout_s));
    let limits = Limits::new(deadline.saturating_duration_since(Instant::now()), silence);
    let ended = command::run(job, &job.lease, script, &command, &limits).await;
    let whole = Limits {
        total: Duration::from_secs(recipe.timeout_s),
        ..limits
    };
    command::judge(Phase::Build, script, &whole, ended)
}
