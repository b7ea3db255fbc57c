//! Whether a pause holds a commit back from a target that follows pushes. A pause that has had its day is lifted here: one
//! whose commits were all taken live again since, and one without commits.

use pointsman_git::Carried;
use pointsman_shared::api::pushes::CommitRange;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;
use pointsman_store::push_pauses::{self, PauseRow};
use pointsman_store::targets::TargetRow;

use super::{act, set_lock};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::mirrors;

/// What pauses mean for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is held back, and why.
    By(String),
    /// It is not, by any of these.
    Not(Vec<PauseRow>),
}

/// Judges a commit.
pub async fn judge(
    app: &App,
    target: &TargetRow,
    project: &ProjectRow,
    commit: &CommitId,
) -> OperationResult<Held> {
    let mut pauses = push_pauses::of_target(&mut *app.store.read().await?, target.id).await?;
    let mut lifted = Vec::new();
    for row in &pauses {
        let Some(range) = &row.pause.range else {
            return Ok(Held::By(row.pause.reason.clone()));
        };
        let holds = match carried(app, project, commit, range).await? {
            Some(Carried::None) => false,
            Some(Carried::NoRange) => {
                lift(app, target, row, "a look at its commits: there are none").await?;
                lifted.push(row.id);
                false
            }
            Some(Carried::Some | Carried::All) => match overruled(app, target, project, row, range).await? {
                Some(number) => {
                    lift(app, target, row, &format!("deployment #{number}")).await?;
                    lifted.push(row.id);
                    false
                }
                None => true,
            },
            None => {
                let gone = "its commits are gone from the repository, so it holds everything";
                let end = format!("pointsman push resume {}", target.name);
                return Ok(Held::By(format!("{}; {gone}: {end}", row.pause.reason)));
            }
        };
        if holds {
            return Ok(Held::By(row.pause.reason.clone()));
        }
    }
    pauses.retain(|row| !lifted.contains(&row.id));
    Ok(Held::Not(pauses))
}

/// How much a commit has of a range; none = the repository does not know the range any more.
async fn carried(
    app: &App,
    project: &ProjectRow,
    commit: &CommitId,
    range: &CommitRange,
) -> OperationResult<Option<Carried>> {
    match mirrors::carries(app, project, commit, range).await {
        Ok(carried) => Ok(Some(carried)),
        Err(OperationError::Refused(refusal)) if refusal.code == "unknown_commit" => Ok(None),
        Err(error) => Err(error),
    }
}

/// The deployment that took all of the range live after the pause was made.
async fn overruled(
    app: &App,
    target: &TargetRow,
    project: &ProjectRow,
    row: &PauseRow,
    range: &CommitRange,
) -> OperationResult<Option<i64>> {
    let mut conn = app.store.read().await?;
    let since = push_pauses::newest_live(&mut conn, target.id, row.pause.since).await?;
    drop(conn);
    let Some(since) = since else { return Ok(None) };
    let carried = carried(app, project, &since.commit, range).await?;
    Ok((carried == Some(Carried::All)).then_some(since.deployment))
}

async fn lift(app: &App, target: &TargetRow, row: &PauseRow, by: &str) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    push_pauses::lift(&mut tx, row.id, by, now).await?;
    let message = format!(
        "pushes to {} go on: {by} ended the pause ({})",
        target.name, row.pause.reason
    );
    set_lock::tell(&mut tx, Some(&target.name), "push.resumed", message).await?;
    act::commit(tx).await
}
