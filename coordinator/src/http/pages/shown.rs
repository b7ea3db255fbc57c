//! What a page shows now: a title, regions, and the same as data.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pointsman_shared::digest::Digest;
use serde::Serialize;

use super::super::problem::Answer;
use super::done::Done;
use crate::error::OperationError;

/// How the page's matter stands; the tab's icon and title tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    /// Nothing to tell.
    #[default]
    Quiet,
    /// Something goes on.
    Running,
    /// It is as wanted.
    Good,
    /// Somebody is needed.
    Bad,
}

impl Mood {
    /// Its name, in addresses of icons.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Running => "running",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// Where in the bar at the top a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Projects,
    Deployments,
    Fleet,
    Jobs,
    Migrations,
    Garbage,
    Audit,
    Settings,
    Nowhere,
}

/// A part of a page that is drawn and patched as a whole.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// Its id in the document.
    pub(super) id: &'static str,
    /// What it holds.
    pub(super) html: String,
    /// Short digest of what it holds: a patch is sent when it differs.
    pub(super) hash: String,
}

impl Region {
    /// A region that holds nothing.
    pub(super) fn empty(id: &'static str) -> Self {
        Self {
            id,
            html: String::new(),
            hash: "none".to_owned(),
        }
    }

    /// Draws a region.
    pub(super) fn draw(id: &'static str, template: &impl Template) -> Answer<Self> {
        let html = template
            .render()
            .map_err(|error| OperationError::internal("drawing a page", error))?;
        let mut hash = hex::encode(Digest::of(html.as_bytes()).as_bytes());
        hash.truncate(12);
        Ok(Self { id, html, hash })
    }
}

/// A page as it is now.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// What it is about, for the tab.
    pub(super) title: String,
    /// Where it belongs.
    pub(super) place: Place,
    /// How its matter stands.
    pub(super) mood: Mood,
    /// Its parts, in order.
    pub(super) regions: Vec<Region>,
    /// The same as data, written as JSON.
    pub(super) data: String,
    /// The command that shows the same in a terminal.
    pub(super) command: Option<String>,
    /// Whether a page without scripts should be loaded again by itself.
    pub(super) moving: bool,
    /// Whether it is shown this once: it is not patched, and kept nowhere.
    pub(super) once: bool,
}

impl Shown {
    /// A page without regions yet.
    pub(super) fn new(title: impl Into<String>, place: Place, data: &impl Serialize) -> Answer<Self> {
        let data = serde_json::to_string(data)
            .map_err(|error| OperationError::internal("writing a page's data", error))?;
        Ok(Self {
            title: title.into(),
            place,
            mood: Mood::Quiet,
            regions: Vec::new(),
            data,
            command: None,
            moving: false,
            once: false,
        })
    }

    /// Adds a region.
    pub(super) fn with(mut self, id: &'static str, template: &impl Template) -> Answer<Self> {
        self.regions.push(Region::draw(id, template)?);
        Ok(self)
    }

    /// Says how its matter stands.
    pub(super) fn in_mood(mut self, mood: Mood) -> Self {
        self.mood = mood;
        self.moving = mood == Mood::Running;
        self
    }

    /// Says that it stays as it is, and is kept nowhere: it holds a secret, or the answer to a press.
    pub(super) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Says which command shows the same.
    pub(super) fn like(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Where a press leads to; the guard makes `303 See Other` of it.
#[derive(Debug, Clone)]
pub(super) struct Went(pub(super) String);

impl Went {
    /// Leads to a page that says what was done.
    pub(super) fn telling(to: &str, done: Done) -> Self {
        Self(done.at(to))
    }
}

impl IntoResponse for Went {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        // A path that was made of parsed names is a header value.
        if let Ok(to) = self.0.parse() {
            response.headers_mut().insert(axum::http::header::LOCATION, to);
        }
        response
    }
}
