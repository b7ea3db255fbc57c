//! Jobs: the queue, and one job with its whole log.

use std::collections::HashMap;

use askama::Template;
use axum::extract::Form;
use chrono::{DateTime, Utc};
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::jobs::{Job, JobState, NumberedLine};
use pointsman_store::views::{self, job_queue::OpenJob};
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query, filled};
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::interventions::Why;
use super::log::causes;
use super::log::finding::{self, FindQuery, Finding};
use super::log::unknown;
use super::log::window::{Part, Window};
use super::scope::Scope;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use super::why;
use crate::operations::cancel_job;

/// Rows of the list.
const ROWS: i64 = 75;
/// States that the list can be narrowed to.
const STATES: [JobState; 10] = [
    JobState::Running,
    JobState::Offered,
    JobState::Queued,
    JobState::Deferred,
    JobState::Indeterminate,
    JobState::Failed,
    JobState::Succeeded,
    JobState::Cancelled,
    JobState::Superseded,
    JobState::Abandoned,
];

/// `?state=running&target=shop&before=812`
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    state: String,
    #[serde(default, deserialize_with = "filled")]
    target: Option<Scope>,
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct List<'a> {
    rows: Vec<ListRow<'a>>,
    summary: String,
    state: &'a str,
    scope: Option<&'a Scope>,
    states: [(&'static str, bool); 10],
    next: Option<i64>,
}

struct ListRow<'a> {
    job: &'a Job,
    standing: Standing,
    took: String,
    /// Its place among those that wait.
    place: Option<String>,
    /// Until when its agent owns it.
    lease: Option<DateTime<Utc>>,
    /// `1/3`, or the number of the attempt alone where there are no more.
    attempt: String,
    /// Offers that came back unread.
    dead: i32,
    explained: bool,
}

fn list_row<'a>(job: &'a Job, open: Option<&OpenJob>) -> ListRow<'a> {
    ListRow {
        job,
        standing: format::job(job.state),
        took: took(job),
        place: open.and_then(|open| why::in_line(job.state, open)),
        lease: open.and_then(|open| open.lease_until),
        attempt: match open {
            Some(open) => format!("{}/{}", job.epoch, open.most_epochs),
            None => job.epoch.to_string(),
        },
        dead: open.map_or(0, |open| open.dead_offers),
        explained: !job.state.is_final(),
    }
}

fn state(asked: &str) -> Result<JobState, Refusal> {
    let known = STATES.into_iter().find(|state| state.as_str() == asked);
    known.ok_or_else(|| {
        Refusal::invalid("invalid_state", format!("no job can be {asked:?}"))
            .hint("choose one of the list, or every state")
    })
}

/// `GET /jobs`
pub(super) async fn list(viewer: Viewer, Query(query): Query<ListQuery>) -> Answer<Shown> {
    let state = match query.state.as_str() {
        "" => None,
        asked => Some(state(asked)?),
    };
    let sight = viewer.sight();
    let wanted = views::jobs::Wanted {
        state,
        deployment: None,
        project: query.target.as_ref().map(Scope::project),
        target: query.target.as_ref().and_then(Scope::target),
        before: query.before,
        sight: sight.as_deref(),
    };
    let mut conn = viewer.app().store.read().await?;
    if let Some(scope) = &query.target {
        scope.check(&viewer, &mut conn).await?;
    }
    let mut jobs = views::jobs::page(&mut conn, wanted, ROWS + 1).await?;
    let now = pointsman_store::now(&mut conn).await?;
    let open = views::job_queue::open(&mut conn, now).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = jobs.len() > rows;
    jobs.truncate(rows);
    let list = List {
        rows: jobs
            .iter()
            .map(|job| list_row(job, open.get(&job.number)))
            .collect(),
        summary: if viewer.sees_everything() {
            summary(&open)
        } else {
            String::new()
        },
        state: &query.state,
        scope: query.target.as_ref(),
        states: STATES.map(|state| (state.as_str(), state.as_str() == query.state)),
        next: jobs.last().filter(|_| more).map(|last| last.number),
    };
    Ok(Shown::new("Jobs", Place::Jobs, &jobs)?
        .with("jobs", &list)?
        .like("pointsman jobs"))
}

/// `2 running, 5 waiting`
fn summary(open: &HashMap<i64, OpenJob>) -> String {
    let running = open.values().filter(|job| job.lease_until.is_some()).count();
    format!("{running} running, {} waiting", open.len() - running)
}

fn took(job: &Job) -> String {
    match (job.started_at, job.ended_at) {
        (Some(from), Some(to)) => format::duration(format::between(from, to)),
        _ => String::new(),
    }
}

/// `?from=1200`, beside what is looked for.
#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    #[serde(default)]
    from: Option<u64>,
}

#[derive(Serialize)]
struct Whole {
    job: Job,
    log: Vec<NumberedLine>,
    found: Vec<NumberedLine>,
}

#[derive(Template)]
#[template(path = "job_head.html")]
struct Head<'a> {
    job: &'a Job,
    standing: Standing,
    took: String,
    steps: Vec<(&'a str, &'a str, String)>,
    proof: &'a str,
    may_cancel: bool,
}

/// `GET /jobs/{number}`
pub(super) async fn show(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(query): Query<ShowQuery>,
    Query(find): Query<FindQuery>,
) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let job = views::jobs::one(&mut conn, number).await?;
    let job = job.ok_or_else(|| unknown(number))?;
    let extent = views::log_window::extent(&mut conn, number).await?;
    let extent = extent.ok_or_else(|| unknown(number))?;
    // Whoever opens a failed job wants to know what ended it.
    let usual = if causes::wants(job.state) {
        Part::End
    } else {
        Part::From(1)
    };
    let part = query.from.map_or(usual, Part::From);
    let stage = Some(find.stage.as_str());
    let window = Window::open(
        (viewer.app(), &mut conn),
        &job,
        &extent,
        (part, stage, find.as_query()),
    )
    .await?;
    let finds = finding::find(&mut conn, number, &find).await?;
    let now = pointsman_store::now(&mut conn).await?;
    let open = if job.state.is_final() {
        HashMap::new()
    } else {
        views::job_queue::open(&mut conn, now).await?
    };
    let whole = Whole {
        job,
        log: window.lines.clone(),
        found: finds.lines.clone(),
    };
    let job = &whole.job;
    let head = head(&viewer, job);
    let title = format!("#{number} {} {}", job.kind, head.standing.word);
    let mut shown = Shown::new(title, Place::Jobs, &whole)?.with("job", &head)?;
    if let Some(chain) = why::of_job(&viewer, &mut conn, job, open.get(&number)).await? {
        shown = shown.with("why", &chain)?;
    }
    if let Some(cards) = window.cards() {
        shown = shown.with("causes", cards)?;
    }
    Ok(shown
        .with("log", &Finding::of(number, &find, &extent, &finds))?
        .with("lines", &window.drawing())?
        .in_mood(mood(job.state))
        .like(format!("pointsman logs --job {number}")))
}

fn head<'a>(viewer: &'a Viewer, job: &'a Job) -> Head<'a> {
    let steps = job.steps.iter().map(|step| {
        let took = step.duration_ms.map(format::duration).unwrap_or_default();
        (step.name.as_str(), step.state.as_str(), took)
    });
    Head {
        job,
        standing: format::job(job.state),
        took: took(job),
        steps: steps.collect(),
        proof: &viewer.proof,
        may_cancel: viewer.may_in(&job.project, Action::Deploy) && !job.state.is_final(),
    }
}

const fn mood(state: JobState) -> Mood {
    match state {
        JobState::Succeeded => Mood::Good,
        JobState::Failed | JobState::Indeterminate | JobState::Abandoned => Mood::Bad,
        JobState::Cancelled | JobState::Superseded => Mood::Quiet,
        JobState::Queued | JobState::Offered | JobState::Running | JobState::Deferred => Mood::Running,
    }
}

/// `POST /jobs/{number}/cancel`
pub(super) async fn cancel(viewer: Viewer, Path(number): Path<i64>, Form(why): Form<Why>) -> Answer<Went> {
    cancel_job::execute(
        viewer.app(),
        &viewer.caller.actor,
        number,
        why.reason().as_deref(),
    )
    .await?;
    Ok(Went(format!("/jobs/{number}")))
}
