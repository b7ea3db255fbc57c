//! Every route on one screen, each with its rule.

use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::live::Hub;

/// The whole API.
pub(super) fn router(app: App, events: Hub, shutdown: CancellationToken) -> Router {
    let _ = (events, shutdown);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(app)
}
