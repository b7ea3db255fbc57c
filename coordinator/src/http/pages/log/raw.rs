//! A log as it was written: all of it, some lines, or one.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use pointsman_store::views;
use serde::Deserialize;

use super::super::super::extract::{Path, Query};
use super::super::super::problem::Answer;
use super::super::viewer::Viewer;
use super::unknown;

/// Lines that are read at once.
const AT_ONCE: usize = 2000;

/// `?line=120` or `?from=120&to=140`
#[derive(Debug, Deserialize)]
pub(in super::super) struct RawQuery {
    line: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
}

/// `GET /jobs/{number}/raw`
pub(in super::super) async fn show(
    viewer: Viewer,
    Path(number): Path<i64>,
    Query(query): Query<RawQuery>,
) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    views::log_window::end(&mut conn, number)
        .await?
        .ok_or_else(|| unknown(number))?;
    drop(conn);
    let from = query.line.or(query.from).unwrap_or(1).max(1);
    let to = query.line.or(query.to).unwrap_or(u64::MAX);
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
    ];
    let text = async_stream::stream! {
        let mut after = from - 1;
        while after < to {
            match piece(&viewer, number, after, to).await {
                Ok(Some((text, end))) => {
                    after = end;
                    yield Ok(text);
                }
                Ok(None) => break,
                // What is cut off must not look whole.
                Err(_) => {
                    yield Err(std::io::Error::other("the log could not be read to its end"));
                    break;
                }
            }
        }
    };
    Ok((headers, Body::from_stream(text)).into_response())
}

/// The next lines, and the number of the last.
async fn piece(viewer: &Viewer, number: i64, after: u64, to: u64) -> Answer<Option<(String, u64)>> {
    let mut conn = viewer.app().store.read().await?;
    let limit = usize::try_from(to - after).map_or(AT_ONCE, |left| left.min(AT_ONCE));
    let page = views::logs::page(&mut conn, number, None, after, limit).await?;
    let lines = page.map(|page| page.lines).unwrap_or_default();
    let Some(end) = lines.last().map(|line| line.line + line.gap.saturating_sub(1)) else {
        return Ok(None);
    };
    let mut text = String::new();
    for line in lines.iter().filter(|line| line.line <= to) {
        text.push_str(&line.text);
        text.push('\n');
    }
    Ok(Some((text, end)))
}
