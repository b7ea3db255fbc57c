//! The banner of the global stop, on every page: why nothing new is begun, and who said so.

use askama::Template;
use chrono::{DateTime, Utc};
use pointsman_store::{StoreResult, locks};

use super::shown::Region;
use crate::app::App;

/// Its id in the document.
const ID: &str = "stop";

#[derive(Template)]
#[template(path = "stop.html")]
struct Banner {
    reason: String,
    owner: String,
    until: Option<DateTime<Utc>>,
}

/// The banner as it is now; empty while nothing is stopped, and while nobody can say.
pub(super) async fn region(app: &App) -> Region {
    match read(app).await {
        Ok(Some(banner)) => Region::draw(ID, &banner).unwrap_or_else(|_| none()),
        Ok(None) => none(),
        Err(error) => {
            tracing::debug!("the global stop was not read for a page: {error}");
            none()
        }
    }
}

/// No banner.
pub(super) fn none() -> Region {
    Region::empty(ID)
}

async fn read(app: &App) -> StoreResult<Option<Banner>> {
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let stop = locks::global_stop(&mut conn, now).await?;
    Ok(stop.map(|stop| Banner {
        reason: stop.reason,
        owner: stop.owner,
        until: stop.expires_at,
    }))
}
