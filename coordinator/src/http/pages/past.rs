//! The overview as of a moment that is over: which release was live in each target then, and since when.
//!
//! It is computed from how deployments ended, so it says what was decided and confirmed, not what each host had.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use pointsman_domain::Refusal;
use pointsman_store::views::past::{self, Then};
use pointsman_store::{PgConnection, StoreResult, environments, views};
use serde::Serialize;

use super::super::problem::Answer;
use super::overview::{self, OverviewQuery, ROWS};
use super::shown::{Place, Shown};
use super::viewer::Viewer;

/// The region that shows it.
#[derive(Template, Serialize)]
#[template(path = "past.html")]
pub(super) struct Past<'a> {
    #[serde(skip)]
    query: &'a OverviewQuery,
    /// Where more projects stand.
    #[serde(skip)]
    next: Option<String>,
    at: DateTime<Utc>,
    environments: Vec<String>,
    rows: Vec<(String, Vec<Option<Then>>)>,
}

/// `GET /?at=2026-11-20T12:00`
pub(super) async fn show(viewer: &Viewer, query: &OverviewQuery) -> Answer<Shown> {
    let at = moment(&query.at)?;
    let mut conn = viewer.app().store.read().await?;
    let mut environments = environments::names(&mut conn).await?;
    let sight = viewer.sight();
    // What was a problem then nobody knows: all of them are shown.
    let all = OverviewQuery {
        q: query.q.clone(),
        after: query.after.clone(),
        ..OverviewQuery::default()
    };
    let mut projects = overview::projects(&mut conn, sight.as_deref(), &all, None).await?;
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let more = projects.len() > rows;
    projects.truncate(rows);
    let next = projects.last().filter(|_| more).map(|after| query.after(after));
    if sight.is_some() {
        let targets = views::matrix::of_projects(&mut conn, &projects, &[]).await?;
        let has = |name: &String| targets.iter().any(|it| it.name.environment.as_str() == name);
        environments.retain(has);
    }
    let rows = read(&mut conn, &environments, (&projects, next), (query, at)).await?;
    let title = format!("Overview as of {}", at.format("%F %H:%M UTC"));
    Shown::new(title, Place::Overview, &rows)?.with("past", &rows)
}

/// Reads what somebody typed: `2026-11-20T12:00`, `2026-11-20`, or with a zone. Without one it is UTC.
fn moment(text: &str) -> Answer<DateTime<Utc>> {
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let minute = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").map(|at| at.and_utc());
    let second = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").map(|at| at.and_utc());
    let day = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    let found = zoned
        .ok()
        .or_else(|| minute().ok())
        .or_else(|| second().ok())
        .or_else(|| day().ok());
    let found = found.filter(|at| (1970..10_000).contains(&at.year()));
    Ok(found.ok_or_else(|| {
        let what = format!("{text:?} is no moment");
        Refusal::invalid("invalid_moment", what).hint("write 2026-11-20T12:00, in UTC")
    })?)
}

/// What was live in these projects at that moment.
async fn read<'a>(
    conn: &mut PgConnection,
    environments: &[String],
    (projects, next): (&[String], Option<String>),
    (query, at): (&'a OverviewQuery, DateTime<Utc>),
) -> StoreResult<Past<'a>> {
    let mut found: BTreeMap<(String, String), Then> = BTreeMap::new();
    for then in past::live_at(conn, projects, at).await? {
        found.insert((then.project.clone(), then.environment.clone()), then);
    }
    let rows = projects.iter().map(|project| {
        let cells = environments
            .iter()
            .map(|environment| found.remove(&(project.clone(), environment.clone())));
        (project.clone(), cells.collect())
    });
    Ok(Past {
        query,
        next,
        at,
        rows: rows.collect(),
        environments: environments.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_and_browsers_write_them() {
        for (text, wanted) in [
            ("2026-11-20", "2026-11-20T00:00:00+00:00"),
            ("2026-11-20T12:30", "2026-11-20T12:30:00+00:00"),
            ("2026-11-20T12:30:05", "2026-11-20T12:30:05+00:00"),
            ("2026-11-20T12:30:00+02:00", "2026-11-20T10:30:00+00:00"),
        ] {
            assert_eq!(
                moment(text).ok().map(|at| at.to_rfc3339()).as_deref(),
                Some(wanted)
            );
        }
        for wrong in ["yesterday", "-0001-01-01", "+12345-01-01"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
