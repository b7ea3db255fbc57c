//! The window itself: the lines around one place, and the piece of a log that a window asks for.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use pointsman_domain::log_marks::{self, Group};
use pointsman_shared::api::causes::Cause;
use pointsman_shared::api::jobs::{Job, JobState, NumberedLine};
use pointsman_store::PgConnection;
use pointsman_store::views::{self, log_window::Extent};
use serde::Deserialize;

use super::super::super::extract::{Path, Query};
use super::super::super::problem::Answer;
use super::super::format;
use super::super::viewer::Viewer;
use super::causes::{self, Cards};
use super::rows::{self, Row};
use super::unknown;
use crate::app::App;
use crate::error::OperationError;

/// Lines of a page without scripts.
const PAGE: u64 = 500;
/// Lines that are asked for at once, at most.
const MOST: u64 = 1000;
/// Groups that a page tells its window of.
const MOST_GROUPS: usize = 300;

/// What a window shows of a log.
pub(in super::super) struct Window {
    pub(in super::super) job: i64,
    /// Bounds: the whole log, or one step of it.
    pub(in super::super) first: u64,
    pub(in super::super) last: u64,
    pub(in super::super) over: bool,
    /// Whether it stands on the page of something else.
    pub(in super::super) tail: bool,
    pub(in super::super) lines: Vec<NumberedLine>,
    groups: Vec<Group>,
    /// What links to other places of it begin with.
    query: String,
    whole: bool,
    /// What its lines mean, where the job failed.
    causes: Vec<(u64, Cause)>,
    cards: Cards,
    /// The line that one wants to read first.
    at: Option<u64>,
}

/// What is drawn of a window.
#[derive(Template)]
#[template(path = "log/window.html")]
pub(in super::super) struct Drawing<'a> {
    window: &'a Window,
    rows: Vec<Row>,
    job: i64,
}

/// Rows alone.
#[derive(Template)]
#[template(path = "log/lines.html")]
pub(in super::super) struct Lines<'a> {
    pub(in super::super) job: i64,
    pub(in super::super) rows: &'a [Row],
}

/// Which part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    /// From this line on.
    From(u64),
    /// Its last lines.
    End,
}

impl Window {
    /// A window on a job's log, or on one step of it.
    pub(in super::super) async fn open(
        (app, conn): (&App, &mut PgConnection),
        job: &Job,
        extent: &Extent,
        (part, stage, query): (Part, Option<&str>, String),
    ) -> Answer<Self> {
        let chosen = stage.and_then(|name| extent.stages.iter().find(|stage| stage.name == name));
        let (first, last) = chosen.map_or((1, extent.last), |stage| {
            (stage.first, stage.first + stage.lines - 1)
        });
        let latest = (last + 1).saturating_sub(PAGE).max(first);
        let from = match part {
            Part::From(line) => line.clamp(first, last.max(first)),
            Part::End => latest,
        };
        let limit = usize::try_from(PAGE).unwrap_or_default();
        let page = views::logs::page(conn, job.number, None, from - 1, limit).await?;
        let mut lines = page.map(|page| page.lines).unwrap_or_default();
        lines.retain(|line| line.line <= last.max(1));
        let (mut causes, mut cards) = (Vec::new(), Cards::default());
        if causes::wants(job.state) {
            let known = causes::known(app, conn).await?;
            causes = known.among(lines.iter());
            cards = causes::cards(conn, &known, job, extent.last).await?;
        }
        Ok(Self {
            job: job.number,
            first,
            last: if lines.is_empty() && from == first {
                0
            } else {
                last
            },
            over: extent.over,
            tail: false,
            lines,
            groups: groups(job, extent),
            query,
            whole: chosen.is_none(),
            at: (part == Part::End && extent.over).then(|| cards.line().unwrap_or(last)),
            causes,
            cards,
        })
    }

    /// The end of a job's log, for a page of something else.
    pub(in super::super) async fn tail(
        app: &App,
        conn: &mut PgConnection,
        job: &Job,
    ) -> Answer<Option<Self>> {
        let Some(extent) = views::log_window::extent(conn, job.number).await? else {
            return Ok(None);
        };
        let window = Self::open((app, conn), job, &extent, (Part::End, None, String::new())).await?;
        Ok(Some(Self { tail: true, ..window }))
    }

    /// Draws it.
    pub(in super::super) fn drawing(&self) -> Drawing<'_> {
        Drawing {
            window: self,
            rows: rows::rows(&self.lines, &self.groups, &self.causes),
            job: self.job,
        }
    }

    /// What is told of why the job failed, if anything is known.
    pub(in super::super) fn cards(&self) -> Option<&Cards> {
        Some(&self.cards).filter(|cards| !cards.is_empty())
    }

    fn follow(&self) -> bool {
        !self.over && self.whole
    }

    fn lines(&self) -> String {
        format::count(
            usize::try_from(self.last - self.first + 1).unwrap_or_default(),
            "line",
        )
    }

    fn before(&self) -> Option<u64> {
        let shown = self.lines.first().map_or(self.first, |line| line.line);
        (shown > self.first).then(|| shown.saturating_sub(PAGE).max(self.first))
    }

    fn after(&self) -> Option<u64> {
        let shown = self
            .lines
            .last()
            .map_or(0, |line| line.line + line.gap.saturating_sub(1));
        (shown < self.last && shown > 0).then_some(shown + 1)
    }

    fn end(&self) -> u64 {
        (self.last + 1).saturating_sub(PAGE).max(self.first)
    }

    fn link(&self, line: impl std::fmt::Display) -> String {
        format!("/jobs/{}?{}from={line}", self.job, self.query)
    }

    /// `[[from, to, open], …]`
    fn groups_data(&self) -> String {
        let inside = |group: &&Group| group.from >= self.first && group.to <= self.last;
        let groups = self.groups.iter().filter(inside).take(MOST_GROUPS);
        let told = groups.map(|group| format!("[{},{},{}]", group.from, group.to, u8::from(group.open)));
        format!("[{}]", told.collect::<Vec<_>>().join(","))
    }
}

/// Groups of a job's log; those that no end was written of are open unless the job went well.
pub(in super::super) fn groups(job: &Job, extent: &Extent) -> Vec<Group> {
    log_marks::groups(&extent.marks, extent.last, job.state != JobState::Succeeded)
}

/// `?from=1200&to=1400`
#[derive(Debug, Deserialize)]
pub(in super::super) struct LinesQuery {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    to: Option<u64>,
}

/// `GET /jobs/{number}/lines`
pub(in super::super) async fn lines(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(query): Query<LinesQuery>,
) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    let end = views::log_window::end(&mut conn, number)
        .await?
        .ok_or_else(|| unknown(number))?;
    let from = query.from.max(1);
    let to = query.to.unwrap_or(from.saturating_add(PAGE - 1));
    let wanted = to.saturating_add(1).saturating_sub(from).min(MOST);
    let limit = usize::try_from(wanted).unwrap_or_default();
    let mut lines = Vec::new();
    // Pieces of few lines come in several readings.
    let mut after = from - 1;
    while lines.len() < limit {
        let page = views::logs::page(&mut conn, number, None, after, limit - lines.len()).await?;
        let page = page.map(|page| page.lines).unwrap_or_default();
        let Some(reached) = page.last().map(|line| line.line + line.gap.saturating_sub(1)) else {
            break;
        };
        lines.extend(page.into_iter().filter(|line| line.line <= to));
        after = reached;
        if after >= to {
            break;
        }
    }
    let groups = if lines.is_empty() {
        Vec::new()
    } else {
        groups_of(&mut conn, number).await?
    };
    let causes = if end.failed {
        causes::known(viewer.app(), &mut conn).await?.among(lines.iter())
    } else {
        Vec::new()
    };
    let rows = rows::rows(&lines, &groups, &causes);
    let html = Lines {
        job: number,
        rows: &rows,
    }
    .render()
    .map_err(|error| OperationError::internal("drawing a piece of a log", error))?;
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
        (
            HeaderName::from_static("pointsman-last-line"),
            HeaderValue::from(end.last),
        ),
        (
            HeaderName::from_static("pointsman-log-over"),
            HeaderValue::from(u16::from(end.over)),
        ),
    ];
    Ok((headers, Html(html)).into_response())
}

async fn groups_of(conn: &mut PgConnection, number: i64) -> Answer<Vec<Group>> {
    let extent = views::log_window::extent(conn, number).await?;
    let extent = extent.ok_or_else(|| unknown(number))?;
    Ok(log_marks::groups(&extent.marks, extent.last, true))
}
