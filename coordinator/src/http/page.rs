//! The plain page at `/`: what is live, what is under way, who is there; nothing that needs a script.
//!
//! Status needs a token, and a page cannot carry one: strangers are told how to sign in, unless `http.public_status`
//! says that everybody who reaches this address may look.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};
use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::fleet::Host;
use pointsman_shared::api::locks::Lock;
use pointsman_shared::api::projects::Target;
use pointsman_shared::digest::Digest;
use pointsman_store::{StoreResult, environments, locks, views};

use super::problem::Answer;
use super::router::Api;
use crate::app::App;
use crate::error::OperationError;

const CSS: &str = include_str!("../../templates/status.css");
/// Rows of each table at most.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "status.html")]
struct Page<'a> {
    installation: &'a str,
    version: &'a str,
    url: &'a str,
    css: &'a str,
    at: DateTime<Utc>,
    status: Option<Status>,
}

struct Status {
    environments: Vec<String>,
    rows: Vec<Row>,
    deployments: Vec<Deployment>,
    hosts: Vec<Host>,
    locks: Vec<Lock>,
}

struct Row {
    project: String,
    cells: Vec<Option<Cell>>,
}

struct Cell {
    live: String,
    hosts: String,
    tone: &'static str,
    open: Option<i64>,
}

/// `GET /`
pub(super) async fn show(State(api): State<Api>) -> Answer<Response> {
    let app = &api.app;
    let status = if app.config.http.public_status {
        Some(read(app).await?)
    } else {
        None
    };
    let page = Page {
        installation: &app.config.installation.name,
        version: env!("CARGO_PKG_VERSION"),
        url: app.config.http.public_url.as_str(),
        css: CSS,
        at: app.clock.now(),
        status,
    };
    let html = page
        .render()
        .map_err(|error| OperationError::internal("drawing the status page", error))?;
    let mut response = Html(html).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy()) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Nothing but this page's own style, named by its digest.
fn policy() -> String {
    use base64::Engine as _;
    let style = base64::engine::general_purpose::STANDARD.encode(Digest::of(CSS.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

async fn read(app: &App) -> StoreResult<Status> {
    let rhythm = app.config.timing.rhythm();
    let mut conn = app.store.read().await?;
    let environments = environments::names(&mut conn).await?;
    let targets = views::targets::page(&mut conn, None, MOST, &rhythm).await?;
    let open = views::deployments::Wanted {
        over: Some(false),
        ..Default::default()
    };
    let now = pointsman_store::now(&mut conn).await?;
    Ok(Status {
        locks: locks::all(&mut conn, now).await?,
        rows: rows(&environments, &targets),
        environments,
        deployments: views::deployments::page(&mut conn, open, MOST).await?,
        hosts: views::hosts::page(&mut conn, None, MOST, &rhythm).await?,
    })
}

/// Targets come by project, so that a project's are neighbours.
fn rows(environments: &[String], targets: &[Target]) -> Vec<Row> {
    targets
        .chunk_by(|one, other| one.name.project == other.name.project)
        .filter_map(|of_project| {
            let cell = |environment: &String| {
                of_project
                    .iter()
                    .find(|target| target.name.environment.as_str() == environment)
                    .map(cell)
            };
            Some(Row {
                project: of_project.first()?.name.project.to_string(),
                cells: environments.iter().map(cell).collect(),
            })
        })
        .collect()
}

fn cell(target: &Target) -> Cell {
    let all = target.placements.len();
    let live = target
        .placements
        .iter()
        .filter(|placement| target.desired.is_some() && placement.confirmed == target.desired)
        .count();
    Cell {
        live: target
            .desired
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), ToString::to_string),
        hosts: format!("{live}/{all}"),
        tone: if live == all { "good" } else { "bad" },
        open: target.open_deployment,
    }
}
