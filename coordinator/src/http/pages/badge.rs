//! What is live, for other places: a badge as a picture, the same in the form that shields.io reads, and the bare
//! release for scripts.
//!
//! Where `http.public_status` shows strangers the overview, they may see these, too: they say nothing else.

use askama::Template;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pointsman_domain::Refusal;
use pointsman_shared::api::projects::Target;
use pointsman_shared::name::TargetName;
use pointsman_store::views;
use serde::Serialize;

use super::super::extract::Path;
use super::super::problem::Answer;
use super::shown::{Place, Shown};
use super::viewer::Viewer;
use crate::error::OperationError;
use crate::operations::known;

/// Width of a character of the picture's text, and of the space around a text: what 11 px Verdana takes on average.
const CHARACTER: usize = 7;
const AROUND: usize = 10;

/// The form that shields.io reads as an endpoint.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shield {
    schema_version: u8,
    label: String,
    message: String,
    color: &'static str,
}

#[derive(Template)]
#[template(path = "badge.svg", escape = "html")]
struct Picture<'a> {
    label: &'a str,
    message: &'a str,
    color: &'static str,
    left: usize,
    right: usize,
}

#[derive(Template)]
#[template(path = "badge.html")]
struct About<'a> {
    target: &'a TargetName,
    here: &'a str,
    public: bool,
}

/// `GET /t/{target}/badge`, and its data.
pub(super) async fn show(viewer: Viewer, Path(name): Path<TargetName>) -> Answer<Shown> {
    let target = read(&viewer, &name).await?;
    let http = &viewer.app().config.http;
    let about = About {
        target: &name,
        here: http.public_url.as_str().trim_end_matches('/'),
        public: http.public_status,
    };
    Shown::new(format!("Badge of {name}"), Place::Projects, &shield(&target))?.with("badge", &about)
}

/// `GET /t/{target}/badge.svg`
pub(super) async fn picture(viewer: Viewer, Path(name): Path<TargetName>) -> Answer<Response> {
    let Shield {
        label,
        message,
        color,
        ..
    } = shield(&read(&viewer, &name).await?);
    let width = |text: &str| text.chars().count() * CHARACTER + AROUND;
    let picture = Picture {
        left: width(&label),
        right: width(&message),
        label: &label,
        message: &message,
        color,
    };
    let svg = picture
        .render()
        .map_err(|error| OperationError::internal("drawing a badge", error))?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "no-cache, private"),
    ];
    Ok((headers, svg).into_response())
}

/// `GET /t/{target}/version`: the label of what is live, or an empty line.
pub(super) async fn version(viewer: Viewer, Path(name): Path<TargetName>) -> Answer<String> {
    let target = read(&viewer, &name).await?;
    let live = target.desired.map(|label| label.to_string());
    Ok(format!("{}\n", live.unwrap_or_default()))
}

async fn read(viewer: &Viewer, name: &TargetName) -> Answer<Target> {
    let mut conn = viewer.app().store.read().await?;
    known::target(&mut conn, name).await?;
    let rhythm = viewer.app().config.timing.rhythm();
    let target = views::targets::one(&mut conn, name, &rhythm).await?;
    let gone = || Refusal::not_found("unknown_target", format!("there is no target {name}"));
    Ok(target.ok_or_else(gone)?)
}

fn shield(target: &Target) -> Shield {
    let there = |placement: &&pointsman_shared::api::projects::Placement| {
        placement.seen && placement.health == "healthy" && placement.confirmed == target.desired
    };
    let well = target.placements.iter().filter(there).count();
    let all = target.placements.len();
    let (message, color) = match &target.desired {
        None => ("nothing live".to_owned(), "lightgrey"),
        Some(live) if well == all => (live.to_string(), "brightgreen"),
        Some(live) => (format!("{live} on {well}/{all}"), "orange"),
    };
    Shield {
        schema_version: 1,
        label: target.name.to_string(),
        message,
        color,
    }
}
