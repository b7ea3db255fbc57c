//! The event stream: replay from a cursor, then live, with a beat that keeps it alive.
//!
//! A reader that cannot keep up is let go; it comes back with the last cursor it saw and misses nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use pointsman_shared::api::events::Event;
use pointsman_store::{StoreResult, events};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

use super::caller::{self, Caller, Credential};
use super::extract::Query;
use super::problem::{Answer, Failed};
use super::router::Api;
use crate::app::App;
use crate::live::Hub;

/// Pause between beats.
const BEAT: Duration = Duration::from_secs(15);
/// Rows of a replay read at once.
const PAGE: i64 = 200;

/// `?after=`
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    after: Option<i64>,
}

/// `GET /api/v1/events`
pub(super) async fn stream(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    // Listen first, then look: what is numbered in between comes twice and is dropped by its cursor.
    let live = api.events.subscribe();
    let cursor = match last_seen(&headers)?.or(query.after) {
        Some(cursor) => cursor,
        None => newest(&caller.app).await?,
    };
    let reading = Reading {
        app: caller.app,
        credential: caller.credential,
        cursor,
        live,
    };
    let mut response = Sse::new(frames(reading, api.events, api.shutdown)).into_response();
    let headers = response.headers_mut();
    // A proxy that collects the stream would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The cursor a reader saw last; it counts before the address, which a browser repeats unchanged.
fn last_seen(headers: &HeaderMap) -> Answer<Option<i64>> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let cursor = value.to_str().ok().and_then(|value| value.parse().ok());
    cursor.map(Some).ok_or_else(|| {
        let what = "Last-Event-ID is not one of our cursors";
        Failed::unread(StatusCode::UNPROCESSABLE_ENTITY, "invalid_cursor", what)
    })
}

async fn newest(app: &App) -> StoreResult<i64> {
    let mut conn = app.store.read().await?;
    events::newest_cursor(&mut conn).await
}

struct Reading {
    app: App,
    credential: Credential,
    cursor: i64,
    live: Receiver<Arc<Event>>,
}

fn frames(
    mut reading: Reading,
    hub: Hub,
    shutdown: tokio_util::sync::CancellationToken,
) -> impl Stream<Item = Result<Frame, Infallible>> {
    async_stream::stream! {
        let _counted = reading.app.metrics.process.reader();
        // So that the reader knows at once that it is connected.
        yield Ok(Frame::default().comment("here"));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = hub.begun() => {}
        }
        loop {
            match reading.replay().await {
                Ok(events) if events.is_empty() => break,
                Ok(events) => {
                    for event in &events {
                        yield Ok(frame(event));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a replay of events ended early");
                    return;
                }
            }
        }
        loop {
            let next = tokio::select! {
                () = shutdown.cancelled() => return,
                next = tokio::time::timeout(BEAT, reading.live.recv()) => next,
            };
            match next {
                Ok(Ok(event)) if event.cursor > reading.cursor => {
                    reading.cursor = event.cursor;
                    yield Ok(frame(&event));
                }
                Ok(Ok(_replayed)) => {}
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return,
                Err(_elapsed) => {
                    // A token that was revoked meanwhile ends the stream with the next beat.
                    if !caller::is_still_good(&reading.app, &reading.credential).await {
                        return;
                    }
                    yield Ok(Frame::default().comment("beat"));
                }
            }
        }
    }
}

impl Reading {
    async fn replay(&mut self) -> StoreResult<Vec<Event>> {
        let mut conn = self.app.store.read().await?;
        let events = events::after(&mut conn, self.cursor, PAGE).await?;
        self.cursor = events.last().map_or(self.cursor, |event| event.cursor);
        self.app.metrics.process.replayed(events.len());
        Ok(events)
    }
}

fn frame(event: &Event) -> Frame {
    let data = serde_json::to_string(event).unwrap_or_default();
    Frame::default()
        .id(event.cursor.to_string())
        .event(event.kind.as_str())
        .data(data)
}
