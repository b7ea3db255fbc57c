//! What the doctor finds at the artifact store.

use std::time::Duration;

use pointsman_shared::api::fleet::Finding;

use super::{fail, ok, warn};
use crate::app::App;

/// Free space below this share of the store's disk is named.
const LOW_PERCENT: u64 = 10;
/// Longest wait for a bucket.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn look(app: &App) -> Finding {
    let condition = match tokio::time::timeout(PATIENCE, app.objects.examine()).await {
        Ok(Ok(condition)) => condition,
        Ok(Err(trouble)) => return fail(trouble.to_string(), trouble.cure),
        Err(_) => {
            return fail(
                "artifact store: no answer within 5 s",
                "check store.s3.endpoint and that the service runs",
            );
        }
    };
    let name = condition.name;
    if condition.in_the_clear {
        return warn(
            format!("artifact store {name}, plain HTTP off loopback"),
            "give store.s3.endpoint an https:// address",
        );
    }
    let Some((free, all)) = condition.space else {
        return ok(format!("artifact store {name} can be listed"));
    };
    let text = format!(
        "artifact store {name}: {} MB free of {} MB",
        free / 1_000_000,
        all / 1_000_000
    );
    if free * 100 / all < LOW_PERCENT {
        warn(
            text,
            "make room on this disk, or move store.directory to a larger one",
        )
    } else {
        ok(text)
    }
}
