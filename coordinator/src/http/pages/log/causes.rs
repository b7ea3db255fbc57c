//! What a failed log means: the known causes that its end and the job's own reason tell of.

use std::sync::Arc;

use askama::Template;
use pointsman_domain::known_causes::KnownCauses;
use pointsman_shared::api::causes::Cause;
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_store::{PgConnection, known_causes, views};

use super::super::super::problem::Answer;
use crate::app::App;

/// Lines at the end of a log that are looked at.
const LINES: u64 = 400;
/// Causes that are told.
const MOST: usize = 4;

/// What is told of a failed job.
#[derive(Debug, Default, Template)]
#[template(path = "log/causes.html")]
pub(in super::super) struct Cards {
    cards: Vec<Card>,
}

#[derive(Debug)]
struct Card {
    line: Option<u64>,
    sentence: String,
    action: Option<String>,
}

impl Cards {
    /// Whether nothing is known.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// The line that tells most.
    pub(in super::super) fn line(&self) -> Option<u64> {
        self.cards.iter().find_map(|card| card.line)
    }
}

/// Whether a job ended in a way that wants to be explained.
pub(in super::super) const fn wants(state: JobState) -> bool {
    matches!(
        state,
        JobState::Failed | JobState::Indeterminate | JobState::Abandoned
    )
}

/// Every known cause.
pub(in super::super) async fn known(app: &App, conn: &mut PgConnection) -> Answer<Arc<KnownCauses>> {
    let causes = known_causes::list(conn, None, 0, i64::MAX).await?;
    Ok(app.causes.of(causes))
}

/// What is told of a job whose log has so many lines.
pub(in super::super) async fn cards(
    conn: &mut PgConnection,
    known: &KnownCauses,
    job: &Job,
    last: u64,
) -> Answer<Cards> {
    let limit = usize::try_from(LINES).unwrap_or_default();
    let page = views::logs::page(conn, job.number, None, last.saturating_sub(LINES), limit).await?;
    let lines = page.map(|page| page.lines).unwrap_or_default();
    let mut found: Vec<_> = known
        .among(lines.iter())
        .into_iter()
        .map(|(line, cause)| (Some(line), cause))
        .collect();
    if let Some(cause) = job.reason.as_deref().and_then(|reason| known.of(reason))
        && !found.iter().any(|(_, known)| known.number == cause.number)
    {
        found.push((None, cause.clone()));
    }
    let card = |(line, cause): (Option<u64>, Cause)| Card {
        line,
        sentence: cause.sentence,
        action: cause.action.map(|action| about(&action, job)),
    };
    Ok(Cards {
        cards: found.into_iter().take(MOST).map(card).collect(),
    })
}

/// What to do, about this very job.
fn about(action: &str, job: &Job) -> String {
    let mut text = action.replace("{project}", job.project.as_str());
    text = text.replace("{job}", &job.number.to_string());
    if let Some(host) = &job.host {
        text = text.replace("{host}", host.as_str());
    }
    if let Some(target) = &job.target {
        text = text.replace("{target}", &target.to_string());
    }
    text
}
