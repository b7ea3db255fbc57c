//! Pages: an opaque cursor names the last row of the page before.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pointsman_shared::api::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::Json;
use super::problem::{Answer, Failed};

/// Rows of a page that says nothing else.
const USUAL: u32 = 50;
/// Rows of a page at most.
const MOST: u32 = 200;

/// `?cursor=&limit=`
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    pub(super) cursor: Option<String>,
    pub(super) limit: Option<u32>,
}

impl PageQuery {
    /// The name of the last row before this page.
    pub(super) fn after(&self) -> Answer<Option<String>> {
        self.cursor.as_deref().map(decode).transpose()
    }

    /// The number of the last row before this page.
    pub(super) fn before(&self) -> Answer<Option<i64>> {
        let number = |text: String| text.parse().map_err(|_| unreadable());
        self.after()?.map(number).transpose()
    }

    /// How many rows stand before this page, of a list that never changes.
    pub(super) fn place(&self) -> Answer<usize> {
        let number = |text: String| text.parse().map_err(|_| unreadable());
        Ok(self.after()?.map(number).transpose()?.unwrap_or_default())
    }

    /// This page of a list that never changes.
    pub(super) fn slice<T>(&self, items: Vec<T>, from: usize) -> Json<Page<T>> {
        let shown = usize::try_from(self.shown()).unwrap_or(usize::MAX);
        let more = items.len() > from.saturating_add(shown);
        let items = items.into_iter().skip(from).take(shown).collect();
        let next = more.then(|| URL_SAFE_NO_PAD.encode((from + shown).to_string()));
        Json(Page { items, next })
    }

    /// How many rows to read: one more than are shown, to know whether there are more.
    pub(super) fn rows(&self) -> i64 {
        i64::from(self.shown()) + 1
    }

    /// Cuts the page and names its last row when there are more.
    pub(super) fn page<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> String) -> Json<Page<T>> {
        let shown = usize::try_from(self.shown()).unwrap_or(usize::MAX);
        let more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| more);
        let next = last.map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        Json(Page { items, next })
    }

    fn shown(&self) -> u32 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }
}

fn decode(cursor: &str) -> Answer<String> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !text.contains('\0'))
        .ok_or_else(unreadable)
}

/// The cursor is none of ours.
pub(super) fn unreadable() -> Failed {
    let what =
        "the cursor is not one of ours; pass the `next` of the page before, or none for the first page";
    Failed::unread(StatusCode::UNPROCESSABLE_ENTITY, "invalid_cursor", what)
}
