//! The search through all of a log, and the steps to the next error or the next line found.

use askama::Template;
use axum::response::{IntoResponse, Response};
use pointsman_shared::api::jobs::NumberedLine;
use pointsman_shared::wire::logs::LogSource;
use pointsman_store::PgConnection;
use pointsman_store::views::log_window::{self, Extent, Found, Sought, Way};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::super::super::extract::{Json, Path, Query};
use super::super::super::problem::Answer;
use super::super::format;
use super::super::shown::Went;
use super::super::viewer::Viewer;
use super::rows::{self, Row};
use super::unknown;

/// Lines found that a page shows.
const ROWS: i64 = 50;
/// Lines before the wanted one on the page that it is opened on.
const BEFORE: u64 = 20;

/// `?find=ERROR&source=err&stage=build&hit=1200`
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct FindQuery {
    #[serde(default)]
    pub(in super::super) find: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    pub(in super::super) stage: String,
    /// Lines found from this line on,
    #[serde(default)]
    hit: Option<u64>,
    /// or before this one.
    #[serde(default)]
    until: Option<u64>,
}

impl FindQuery {
    fn source(&self) -> Option<LogSource> {
        SOURCES
            .iter()
            .find(|(value, ..)| *value == self.source)
            .map(|(_, _, source)| *source)
    }

    fn sought(&self) -> Sought {
        Sought {
            text: self.find.clone(),
            source: self.source(),
            stage: (!self.stage.is_empty()).then(|| self.stage.clone()),
        }
    }

    fn is_all(&self) -> bool {
        self.sought().is_all()
    }

    /// Whether single lines are looked for; a step alone is a part of the log.
    fn finds(&self) -> bool {
        !self.find.is_empty() || self.source().is_some()
    }

    /// The same as the beginning of a query, `find=x&`, or nothing.
    pub(in super::super) fn as_query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in [
            ("find", &self.find),
            ("source", &self.source),
            ("stage", &self.stage),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { query } else { query + "&" }
    }
}

const SOURCES: [(&str, &str, LogSource); 3] = [
    ("out", "standard output", LogSource::Out),
    ("err", "standard error", LogSource::Err),
    ("agent", "the agent", LogSource::Agent),
];

/// What a search found, as it is shown.
#[derive(Debug, Default)]
pub(in super::super) struct Finds {
    found: Option<Found>,
    pub(in super::super) lines: Vec<NumberedLine>,
}

/// Looks for what is asked for.
pub(in super::super) async fn find(conn: &mut PgConnection, job: i64, query: &FindQuery) -> Answer<Finds> {
    if !query.finds() {
        return Ok(Finds::default());
    }
    let place = match query.until {
        Some(until) => (until, Way::Back),
        None => (query.hit.unwrap_or(1), Way::On),
    };
    let found = log_window::search(conn, job, &query.sought(), place, ROWS).await?;
    let lines = log_window::lines(conn, job, &found.lines).await?;
    Ok(Finds {
        found: Some(found),
        lines,
    })
}

#[derive(Template)]
#[template(path = "log/finding.html")]
pub(in super::super) struct Finding<'a> {
    job: i64,
    query: &'a FindQuery,
    extent: &'a Extent,
    errors: String,
    sources: [(&'static str, &'static str, bool); 3],
    found: Option<&'a Found>,
    rows: Vec<Row>,
    range: String,
    sought: String,
    before: Option<String>,
    after: Option<String>,
    step_on: String,
    step_back: String,
}

impl<'a> Finding<'a> {
    /// The head of a log: its search, its filters, what was found.
    pub(in super::super) fn of(job: i64, query: &'a FindQuery, extent: &'a Extent, finds: &'a Finds) -> Self {
        let found = finds.found.as_ref();
        let (first, last) = match found.map(|found| found.lines.as_slice()) {
            Some([first, .., last]) => (*first, *last),
            Some([only]) => (*only, *only),
            Some([]) | None => (0, 0),
        };
        let shown = found.map_or(0, |found| found.lines.len() as u64);
        let before = found.map_or(0, |found| found.before);
        let total = found.map_or(0, |found| found.total);
        let own = query.as_query();
        Self {
            job,
            query,
            extent,
            errors: format::count(usize::try_from(extent.errors).unwrap_or_default(), "error"),
            sources: SOURCES.map(|(value, words, _)| (value, words, value == query.source)),
            found,
            rows: rows::rows(&finds.lines, &[], &[]),
            range: format!("{} to {}", before + 1, before + shown),
            sought: sought(query),
            before: (before > 0).then(|| format!("/jobs/{job}?{own}until={first}")),
            after: (before + shown < total).then(|| format!("/jobs/{job}?{own}hit={}", last + 1)),
            step_on: format!("/jobs/{job}/step?{own}what=hit"),
            step_back: format!("/jobs/{job}/step?{own}what=hit&way=back"),
        }
    }

    fn place(&self, row: &Row) -> String {
        at(self.job, self.query, row.line)
    }
}

/// The address of a line, on a page that shows what is before it.
fn at(job: i64, query: &FindQuery, line: u64) -> String {
    let from = line.saturating_sub(BEFORE).max(1);
    format!("/jobs/{job}?{}from={from}#L{line}", query.as_query())
}

/// `holds “x” and was written to standard error`
fn sought(query: &FindQuery) -> String {
    let mut words = Vec::new();
    if !query.find.is_empty() {
        words.push(format!("hold “{}”", query.find));
    }
    if let Some((_, source, _)) = SOURCES.iter().find(|(value, ..)| *value == query.source) {
        words.push(format!("come from {source}"));
    }
    if !query.stage.is_empty() {
        words.push(format!("belong to {}", query.stage));
    }
    words.join(" and ")
}

/// What is stepped to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Hit,
    #[default]
    Error,
}

/// `?what=error&way=back&line=120`
#[derive(Debug, Deserialize)]
pub(in super::super) struct StepQuery {
    #[serde(default)]
    what: What,
    #[serde(default)]
    way: String,
    line: Option<u64>,
    #[serde(default)]
    find: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    stage: String,
    /// `json` for a window, which jumps by itself.
    #[serde(default, rename = "as")]
    form: String,
}

/// Where a step leads.
#[derive(Debug, Serialize)]
struct Step {
    line: Option<u64>,
    nth: Option<u64>,
    of: Option<u64>,
}

/// `GET /jobs/{number}/step`
pub(in super::super) async fn step(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(step): Query<StepQuery>,
) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    log_window::end(&mut conn, number)
        .await?
        .ok_or_else(|| unknown(number))?;
    let way = if step.way == "back" { Way::Back } else { Way::On };
    let query = FindQuery {
        find: step.find,
        source: step.source,
        stage: step.stage,
        ..FindQuery::default()
    };
    let line = step.line.unwrap_or(match way {
        Way::On => 0,
        Way::Back => i64::MAX.unsigned_abs(),
    });
    let to = match step.what {
        What::Error => Step {
            line: log_window::error_beside(&mut conn, number, line, way).await?,
            nth: None,
            of: None,
        },
        What::Hit => {
            let place = match way {
                Way::On => (line.saturating_add(1), way),
                Way::Back => (line, way),
            };
            let found = log_window::search(&mut conn, number, &query.sought(), place, 1).await?;
            Step {
                line: found.lines.first().copied(),
                nth: (!found.lines.is_empty()).then_some(found.before + 1),
                of: Some(found.total),
            }
        }
    };
    if step.form == "json" {
        return Ok(Json(to).into_response());
    }
    let to = to.line.unwrap_or_else(|| line.clamp(1, 1 << 53));
    Ok(Went(at(number, &query, to)).into_response())
}
