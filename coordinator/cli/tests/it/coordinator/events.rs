//! The stream of events: replayed after the cursor, then as they come.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::sse::{Event as Message, Sse};
use axum::routing::get;
use futures_util::Stream;

use super::Shared;

pub fn routes() -> Router<Shared> {
    Router::new().route("/events", get(events))
}

async fn events(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let mut count = shared.world().event_count.subscribe();
    let now = shared.world().events.len();
    let mut told: usize = query.get("after").map_or(now, |after| after.parse().unwrap());
    Sse::new(async_stream::stream! {
        loop {
            let news = shared.world().events[told..].to_vec();
            for event in news {
                told += 1;
                let data = serde_json::to_string(&event).unwrap();
                yield Ok(Message::default().id(event.cursor.to_string()).event(&event.kind).data(data));
            }
            if count.changed().await.is_err() {
                return;
            }
        }
    })
}
