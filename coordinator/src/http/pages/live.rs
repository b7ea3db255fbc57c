//! What makes an open page live: it is drawn again when something happens, and the regions that differ are sent.
//!
//! The stream compares what is with what the browser says it has, so that nothing is lost between a page and its
//! stream, after a disturbance, or by events that come twice: whatever happened, the browser ends with what a fresh
//! page would show. The page is drawn through its own route and rule; an ended session ends the stream.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tower::ServiceExt as _;

use super::super::edge::RequestTrace;
use super::super::extract::Query;
use super::super::problem::Answer;
use super::super::router::Api;
use super::assets;
use super::company::{self, Seat};
use super::due;
use super::shown::{Region, Shown};
use super::sign_in::local;
use super::stop;
use super::viewer::{Redrawn, Viewer};
use pointsman_shared::api::events::Event;

/// Pause between beats; a page is drawn again with each, for what changes without an event.
const BEAT: Duration = Duration::from_secs(15);
/// How long to gather events before a page is drawn again.
const GATHER: Duration = Duration::from_millis(120);

/// The same for people who come and go.
const ARRIVALS: Duration = Duration::from_secs(1);

/// The pages' own routes, which a stream asks as a browser would.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Inner(pub(in super::super) Arc<OnceLock<Router>>);

/// `?page=/d/7&have=hosts:ab12,log:cd34`
#[derive(Debug, Deserialize)]
pub(super) struct LiveQuery {
    page: String,
    #[serde(default)]
    have: String,
}

/// One region that differs.
#[derive(Serialize)]
struct Patch<'a> {
    id: &'a str,
    /// The region before it, for one that was not there yet.
    after: Option<&'a str>,
    hash: &'a str,
    html: &'a str,
    /// Rises within a stream: what is older, or comes twice, changes nothing.
    turn: u64,
    /// Whether the page has no such region any more.
    gone: bool,
}

impl Patch<'_> {
    fn frame(&self) -> Frame {
        let data = serde_json::to_string(self).unwrap_or_default();
        Frame::default().event("patch").data(data)
    }
}

/// What the tab shows.
#[derive(Serialize)]
struct Tab<'a> {
    title: &'a str,
    icon: &'a str,
}

/// `GET /live`
pub(super) async fn stream(
    State(api): State<Api>,
    viewer: Viewer,
    Query(query): Query<LiveQuery>,
    headers: HeaderMap,
    request: Request,
) -> Answer<Response> {
    // Listen first, then look.
    let events = api.events.subscribe();
    let page: Uri = local(&query.page).parse().unwrap_or_default();
    let have = query
        .have
        .split(',')
        .filter_map(|pair| pair.split_once(':'))
        .map(|(id, hash)| (id.to_owned(), hash.to_owned()))
        .collect();
    let reader = Reader {
        api,
        page,
        cookie: headers.get(COOKIE).cloned(),
        address: request
            .extensions()
            .get::<ConnectInfo<std::net::SocketAddr>>()
            .copied(),
        trace: request.extensions().get::<RequestTrace>().cloned(),
        have,
        turn: 0,
        tab: String::new(),
        events,
        seat: None,
        viewer,
    };
    let mut response = Sse::new(frames(reader)).into_response();
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A stream for a browser that is not signed in any more: it says so, and ends.
pub(super) fn gone() -> Response {
    let told = futures_util::stream::iter([Ok::<_, Infallible>(signed_out())]);
    Sse::new(told).into_response()
}

fn signed_out() -> Frame {
    Frame::default().event("gone").data("signed out")
}

struct Reader {
    api: Api,
    page: Uri,
    cookie: Option<HeaderValue>,
    address: Option<ConnectInfo<std::net::SocketAddr>>,
    trace: Option<RequestTrace>,
    have: HashMap<String, String>,
    turn: u64,
    tab: String,
    events: Receiver<Arc<Event>>,
    seat: Option<Seat>,
    viewer: Viewer,
}

/// Why a stream ends or goes on.
enum Next {
    Draw,
    End,
}

fn frames(mut reader: Reader) -> impl Stream<Item = Result<Frame, Infallible>> {
    async_stream::stream! {
        let _counted = reader.api.app.metrics.process.reader();
        tokio::select! {
            () = reader.api.shutdown.cancelled() => return,
            () = reader.api.events.begun() => {}
        }
        loop {
            match reader.draw().await {
                Some(Some(shown)) => {
                    if reader.seat.is_none() {
                        // A page that may not be seen has no company.
                        reader.seat = reader.api.company.sit(reader.page.path(), &reader.viewer);
                    }
                    let others = reader.seat.as_ref().map_or_else(company::nobody, Seat::others);
                    let around = [
                        stop::region(&reader.api.app).await,
                        due::region(&reader.viewer).await,
                        others,
                    ];
                    for frame in reader.differing(&shown, &around) {
                        yield Ok(frame);
                    }
                }
                // What cannot be drawn now may be drawn at the next beat; the page stays as it is.
                Some(None) => {}
                None => {
                    yield Ok(signed_out());
                    return;
                }
            }
            // A browser drops events without data.
            yield Ok(Frame::default().event("beat").data("1"));
            match reader.wait().await {
                Next::Draw => {}
                Next::End => return,
            }
        }
    }
}

impl Reader {
    /// Draws the page through its own route. None = this browser is not signed in any more; some none = not now.
    async fn draw(&self) -> Option<Option<Arc<Shown>>> {
        let Some(pages) = self.api.pages.0.get() else {
            return Some(None);
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.page.clone();
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        if let Some(address) = self.address {
            request.extensions_mut().insert(address);
        }
        if let Some(trace) = &self.trace {
            request.extensions_mut().insert(trace.clone());
        }
        request.extensions_mut().insert(Redrawn);
        let Ok(mut response) = pages.clone().oneshot(request).await;
        if response.status().is_redirection() {
            return None;
        }
        Some(response.extensions_mut().remove::<Arc<Shown>>())
    }

    /// Frames for what the browser does not have yet.
    fn differing(&mut self, shown: &Shown, around: &[Region; 3]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let all = || around.iter().chain(&shown.regions);
        let there = |id: &String| all().any(|region| region.id == id);
        let gone: Vec<String> = self.have.keys().filter(|id| !there(id)).cloned().collect();
        self.turn += 1;
        for id in gone {
            self.have.remove(&id);
            let patch = Patch {
                id: &id,
                after: None,
                hash: "",
                html: "",
                turn: self.turn,
                gone: true,
            };
            frames.push(patch.frame());
        }
        // What stands around the page has places of its own.
        let before = [None; 4]
            .into_iter()
            .chain(shown.regions.iter().map(|region| Some(region.id)));
        for (region, after) in all().zip(before) {
            if self.have.get(region.id) == Some(&region.hash) {
                continue;
            }
            let patch = Patch {
                id: region.id,
                after,
                hash: &region.hash,
                html: &region.html,
                turn: self.turn,
                gone: false,
            };
            frames.push(patch.frame());
            self.have.insert(region.id.to_owned(), region.hash.clone());
        }
        let icon = assets::path(&format!("{}.svg", shown.mood.as_str()));
        let title = format!("{} · {}", shown.title, self.api.app.config.installation.name);
        let tab = Tab { title: &title, icon };
        let tab = serde_json::to_string(&tab).unwrap_or_default();
        if self.tab != tab {
            self.tab.clone_from(&tab);
            frames.push(Frame::default().event("tab").data(tab));
        }
        frames
    }

    /// Waits until something happened, or for the next beat.
    async fn wait(&mut self) -> Next {
        let shutdown = self.api.shutdown.clone();
        let company = async {
            match &mut self.seat {
                Some(seat) => seat.changed().await,
                None => std::future::pending().await,
            }
        };
        let first = tokio::select! {
            () = shutdown.cancelled() => return Next::End,
            () = company => {
                // Many may come at once.
                tokio::time::sleep(ARRIVALS).await;
                return Next::Draw;
            }
            first = tokio::time::timeout(BEAT, self.events.recv()) => first,
        };
        match first {
            Ok(Err(RecvError::Closed)) => return Next::End,
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {
                tokio::select! {
                    () = shutdown.cancelled() => return Next::End,
                    () = tokio::time::sleep(GATHER) => {}
                }
                // What came meanwhile is in the next drawing.
                self.events = self.events.resubscribe();
            }
            Err(_elapsed) => {}
        }
        Next::Draw
    }
}
