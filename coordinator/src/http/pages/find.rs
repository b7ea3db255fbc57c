//! Finding by name: projects, targets, releases, hosts, pages, and whatever a number names. The palette asks the same page for its data.
//!
//! It searches names, not contents: logs have a search of their own.

use askama::Template;
use pointsman_store::{PgConnection, StoreResult, views};
use serde::{Deserialize, Serialize};

use super::super::extract::Query;
use super::super::problem::Answer;
use super::settings::tabs;
use super::shown::{Place, Shown};
use super::viewer::Viewer;

/// Finds of each kind at most.
const MOST: i64 = 8;
/// Shortest text that releases are looked for by: one character is in nearly all of them.
const SHORTEST: usize = 2;

/// Pages that are found by their names.
const PAGES: [(&str, &str); 10] = [
    ("Overview", "/"),
    ("Projects", "/p"),
    ("Deployments", "/d"),
    ("Fleet", "/hosts"),
    ("Jobs", "/jobs"),
    ("Migrations", "/migrations"),
    ("Garbage", "/gc"),
    ("Locks and the stop", "/locks"),
    ("Audit", "/audit"),
    ("Profile", "/profile"),
];

/// `?q=shop`
#[derive(Debug, Deserialize)]
pub(super) struct FindQuery {
    #[serde(default)]
    q: String,
}

/// Something that was found.
#[derive(Debug, Serialize)]
struct Find {
    kind: &'static str,
    name: String,
    href: String,
}

#[derive(Template)]
#[template(path = "find.html")]
struct Finds<'a> {
    q: &'a str,
    finds: &'a [Find],
}

/// `GET /find`
pub(super) async fn show(viewer: Viewer, Query(query): Query<FindQuery>) -> Answer<Shown> {
    let q = query.q.trim().to_lowercase();
    let settings = tabs::pages(&viewer);
    let mut finds: Vec<Find> = PAGES
        .iter()
        .chain(&settings)
        .filter(|(name, _)| !q.is_empty() && name.to_lowercase().contains(&q))
        .map(|(name, href)| find("page", *name, *href))
        .collect();
    if !q.is_empty() {
        let mut conn = viewer.app().store.read().await?;
        finds.splice(0..0, numbered(&mut conn, &viewer, &q).await?);
        finds.extend(named(&mut conn, &viewer, &q).await?);
    }
    let list = Finds {
        q: &query.q,
        finds: &finds,
    };
    Shown::new("Find", Place::Nowhere, &finds)?.with("find", &list)
}

fn find(kind: &'static str, name: impl Into<String>, href: impl Into<String>) -> Find {
    Find {
        kind,
        name: name.into(),
        href: href.into(),
    }
}

/// What a number names: `812` or `#812`.
async fn numbered(conn: &mut PgConnection, viewer: &Viewer, q: &str) -> StoreResult<Vec<Find>> {
    let Ok(number) = q.trim_start_matches('#').parse::<i64>() else {
        return Ok(Vec::new());
    };
    let deployment = views::deployments::one(conn, number).await?;
    let deployment = deployment.filter(|deployment| viewer.sees(&deployment.target.project));
    let deployment = deployment.map(|deployment| {
        let name = format!("#{number} {} to {}", deployment.release, deployment.target);
        find("deployment", name, format!("/d/{number}"))
    });
    let job = views::jobs::one(conn, number).await?;
    let job = job.filter(|job| viewer.sees(&job.project)).map(|job| {
        find(
            "job",
            format!("#{number} {}", job.kind),
            format!("/jobs/{number}"),
        )
    });
    Ok(deployment.into_iter().chain(job).collect())
}

async fn named(conn: &mut PgConnection, viewer: &Viewer, q: &str) -> StoreResult<Vec<Find>> {
    let sight = viewer.sight();
    let projects = views::projects::page(conn, sight.as_deref(), None, q, MOST).await?;
    let targets = views::targets::holding(conn, sight.as_deref(), q, MOST).await?;
    let releases = if q.chars().count() < SHORTEST {
        Vec::new()
    } else {
        views::releases::holding(conn, sight.as_deref(), q, MOST).await?
    };
    // Of hosts those hear who see everything.
    let hosts = match sight {
        None => views::hosts::holding(conn, q, MOST).await?,
        Some(_) => Vec::new(),
    };
    let projects = projects
        .iter()
        .map(|project| find("project", project.name.as_str(), format!("/p/{}", project.name)));
    let targets = targets
        .iter()
        .map(|target| find("target", target.as_str(), format!("/t/{target}")));
    let hosts = hosts
        .iter()
        .map(|host| find("host", host.as_str(), format!("/h/{host}")));
    let releases = releases.iter().map(|release| {
        let name = format!("{} {}", release.project, release.label);
        find(
            "release",
            name,
            format!("/r/{}/{}", release.project, release.number),
        )
    });
    Ok(projects.chain(targets).chain(hosts).chain(releases).collect())
}
