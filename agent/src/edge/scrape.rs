//! A listener for `GET /metrics`, off unless `metrics.listen` is set: plain, without tokens, for a scraper on this host.
//! It knows nothing else, changes nothing, and what goes wrong with it never ends the agent.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::tools::Tools;
use crate::metrics::{Disk, MEDIA_TYPE, Moment};

/// Answers until `stop`.
pub(super) async fn run(tools: Arc<Tools>, listen: SocketAddr, stop: CancellationToken) {
    let router = Router::new().route("/metrics", get(show)).with_state(tools);
    let served = async {
        let listener = TcpListener::bind(listen).await?;
        tracing::info!(%listen, "listening for scrapers");
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    };
    if let Err(error) = served.await {
        tracing::error!(%listen, %error, "metrics are not served; see metrics.listen");
    }
}

async fn show(State(tools): State<Arc<Tools>>) -> Response {
    let looking = Arc::clone(&tools);
    let looked = tokio::task::spawn_blocking(move || moment(&looking)).await;
    match tools.metrics.text(&looked.unwrap_or_default()) {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Reads disks.
fn moment(tools: &Tools) -> Moment {
    let roots = tools.state.roots.all();
    let roots = roots.iter().map(|record| Path::new(record.root.as_str()));
    let work_dir = tools.config.work_dir();
    let own = [tools.config.state_dir.as_path(), work_dir.as_path()];
    Moment {
        reports: tools.reports.waiting() as u64,
        log_bytes: tools.logs.bytes(),
        disks: roots.chain(own).filter_map(disk).collect(),
    }
}

/// The disk below a folder; none while the folder is not there.
fn disk(folder: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(Disk {
        folder: folder.display().to_string(),
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        size: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}
