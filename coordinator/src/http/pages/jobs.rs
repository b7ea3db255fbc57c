//! Jobs: the queue, and one job with its whole log, page by page, searched on the server.

use askama::Template;
use axum::extract::Form;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::jobs::{Job, JobState, LogPage, NumberedLine};
use pointsman_shared::wire::logs::LogSource;
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query};
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::interventions::Why;
use super::shown::{Mood, Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::cancel_job;

/// Rows of the list.
const ROWS: i64 = 100;
/// Lines of a page of a log.
const LINES: usize = 500;
/// Lines of a raw log that are read at once.
const RAW: usize = 5000;
/// States that the list can be narrowed to.
const STATES: [JobState; 9] = [
    JobState::Running,
    JobState::Offered,
    JobState::Queued,
    JobState::Deferred,
    JobState::Indeterminate,
    JobState::Failed,
    JobState::Succeeded,
    JobState::Cancelled,
    JobState::Abandoned,
];
/// Lines that a search shows.
const FOUND: i64 = 200;

/// `?state=running&before=812`
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct List<'a> {
    rows: Vec<(&'a Job, Standing, String)>,
    state: &'a str,
    states: [(&'static str, bool); 9],
    next: Option<i64>,
}

/// `GET /jobs`
pub(super) async fn list(viewer: Viewer, Query(query): Query<ListQuery>) -> Answer<Shown> {
    let state = serde_json::from_value::<JobState>(serde_json::Value::String(query.state.clone())).ok();
    let sight = viewer.sight();
    let wanted = views::jobs::Wanted {
        state,
        deployment: None,
        before: query.before,
        sight: sight.as_deref(),
    };
    let mut conn = viewer.app().store.read().await?;
    let mut jobs = views::jobs::page(&mut conn, wanted, ROWS + 1).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = jobs.len() > rows;
    jobs.truncate(rows);
    let list = List {
        rows: jobs
            .iter()
            .map(|job| (job, format::job(job.state), took(job)))
            .collect(),
        state: &query.state,
        states: STATES.map(|state| (state.as_str(), state.as_str() == query.state)),
        next: jobs.last().filter(|_| more).map(|last| last.number),
    };
    Ok(Shown::new("Jobs", Place::Jobs, &jobs)?
        .with("jobs", &list)?
        .like("pointsman jobs"))
}

fn took(job: &Job) -> String {
    match (job.started_at, job.ended_at) {
        (Some(from), Some(to)) => format::duration(format::between(from, to)),
        _ => String::new(),
    }
}

/// `?from=1200&find=ERROR`
#[derive(Debug, Deserialize)]
pub(super) struct ShowQuery {
    #[serde(default)]
    from: Option<u64>,
    #[serde(default)]
    find: String,
}

#[derive(Serialize)]
struct Whole {
    job: Job,
    log: LogPage,
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

#[derive(Template)]
#[template(path = "job_log.html")]
struct LogView<'a> {
    job: &'a Job,
    log: &'a LogPage,
    found: &'a [NumberedLine],
    find: &'a str,
    before: Option<u64>,
    after: Option<u64>,
    last: Option<u64>,
    follow: bool,
}

/// `GET /jobs/{number}`
pub(super) async fn show(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(query): Query<ShowQuery>,
) -> Answer<Shown> {
    let whole = read(&viewer, number, &query).await?;
    let job = &whole.job;
    let steps = job.steps.iter().map(|step| {
        let took = step.duration_ms.map(format::duration).unwrap_or_default();
        (step.name.as_str(), step.state.as_str(), took)
    });
    let head = Head {
        job,
        standing: format::job(job.state),
        took: took(job),
        steps: steps.collect(),
        proof: &viewer.proof,
        may_cancel: viewer.may_in(&job.project, Action::Deploy) && !job.state.is_final(),
    };
    let lines = LINES as u64;
    let first = whole.log.lines.first().map_or(1, |line| line.line);
    let end = whole.log.lines.last().map_or(0, |line| line.line);
    let more = whole.log.lines.len() >= LINES;
    let log = LogView {
        job,
        log: &whole.log,
        found: &whole.found,
        find: &query.find,
        before: (first > 1).then(|| first.saturating_sub(lines).max(1)),
        after: more.then_some(end + 1),
        last: whole
            .log
            .total
            .filter(|total| *total > end)
            .map(|total| total.saturating_sub(lines) + 1),
        follow: !job.state.is_final() && !more,
    };
    let mood = match job.state {
        JobState::Succeeded => Mood::Good,
        JobState::Failed | JobState::Indeterminate | JobState::Abandoned => Mood::Bad,
        JobState::Cancelled | JobState::Superseded => Mood::Quiet,
        JobState::Queued | JobState::Offered | JobState::Running | JobState::Deferred => Mood::Running,
    };
    Ok(Shown::new(
        format!("#{number} {} {}", job.kind, head.standing.word),
        Place::Jobs,
        &whole,
    )?
    .with("job", &head)?
    .with("log", &log)?
    .in_mood(mood)
    .like(format!("pointsman logs #{number}")))
}

async fn read(viewer: &Viewer, number: i64, query: &ShowQuery) -> Answer<Whole> {
    let mut conn = viewer.app().store.read().await?;
    let job = views::jobs::one(&mut conn, number)
        .await?
        .ok_or_else(|| unknown(number))?;
    let after = query.from.unwrap_or(1).saturating_sub(1);
    let log = views::logs::page(&mut conn, number, None, after, LINES).await?;
    let found = if query.find.is_empty() {
        Vec::new()
    } else {
        views::logs::search(&mut conn, number, &query.find, FOUND).await?
    };
    Ok(Whole {
        job,
        log: log.ok_or_else(|| unknown(number))?,
        found,
    })
}

/// `GET /jobs/{number}/raw`
pub(super) async fn raw(viewer: Viewer, Path(number): Path<i64>) -> Answer<Response> {
    let mut text = String::new();
    let mut after = 0;
    loop {
        let mut conn = viewer.app().store.read().await?;
        let page = views::logs::page(&mut conn, number, None, after, RAW).await?;
        let page = page.ok_or_else(|| unknown(number))?;
        let Some(last) = page.lines.last() else { break };
        after = last.line + last.gap.max(1) - 1;
        for line in &page.lines {
            text.push_str(&line.text);
            text.push('\n');
        }
    }
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
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

fn unknown(number: i64) -> Refusal {
    Refusal::not_found("unknown_job", format!("there is no job #{number}"))
        .hint("the list of jobs shows which there are")
}
