//! The answer to a press that makes something secret: it is shown this once, and kept nowhere.

use askama::Template;
use chrono::{DateTime, Utc};

use super::super::problem::Answer;
use super::shown::{Place, Shown};

/// What is shown once.
#[derive(Debug, Template)]
#[template(path = "once.html")]
pub(super) struct Once {
    /// What it is.
    pub(super) title: String,
    /// What to do with it.
    pub(super) what: String,
    /// The secrets, each under what it is.
    pub(super) lines: Vec<(&'static str, String)>,
    /// When it is void.
    pub(super) until: Option<DateTime<Utc>>,
    /// How it is made void.
    pub(super) way_back: &'static str,
    /// Where it was asked for.
    pub(super) back: &'static str,
}

impl Once {
    /// The page of it; its data hold nothing.
    pub(super) fn page(&self, place: Place) -> Answer<Shown> {
        Ok(Shown::new(&self.title, place, &())?.with("once", self)?.once())
    }
}
