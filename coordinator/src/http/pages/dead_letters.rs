//! Messages that were refused: what came, when, from where, and why nothing was done. What a message held is shown only
//! so far that one sees what it was.

use askama::Template;
use pointsman_shared::api::jobs::DeadLetter;
use serde::Deserialize;

use super::super::extract::Query;
use super::super::problem::Answer;
use super::format;
use super::shown::{Place, Shown};
use super::viewer::Viewer;
use crate::operations::list_dead_letters;

/// Rows of a page.
const ROWS: i64 = 100;
/// `?before=120`
#[derive(Debug, Deserialize)]
pub(super) struct Before {
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct List<'a> {
    rows: Vec<(&'a DeadLetter, String)>,
    next: Option<i64>,
}

/// `GET /jobs/dead`
pub(super) async fn list(viewer: Viewer, Query(query): Query<Before>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let mut letters = list_dead_letters::execute(&mut conn, query.before, ROWS + 1).await?;
    let more = letters.len() > usize::try_from(ROWS).unwrap_or_default();
    letters.truncate(usize::try_from(ROWS).unwrap_or_default());
    let size = |letter: &DeadLetter| format::bytes(u64::try_from(letter.bytes).unwrap_or_default());
    let list = List {
        rows: letters.iter().map(|letter| (letter, size(letter))).collect(),
        next: letters.last().filter(|_| more).map(|last| last.number),
    };
    Ok(Shown::new("Dead letters", Place::Jobs, &letters)?
        .with("dead", &list)?
        .like("pointsman jobs dead"))
}
