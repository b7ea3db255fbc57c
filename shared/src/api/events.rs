//! The event stream: `GET /api/v1/events`, server-sent events that replay from a cursor.
//!
//! The SSE `id` is the cursor; `Last-Event-ID` or `?after=` replays what came later. A beat comment keeps it alive.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Something that happened to machines or work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place in the order all readers see.
    pub cursor: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What, such as `deployment.live`, `job.running`, `host.seen`; also the SSE event name.
    pub kind: String,
    /// Its project.
    pub project: Option<String>,
    /// Its target, `project@environment`.
    pub target: Option<String>,
    /// Number of its deployment.
    pub deployment: Option<i64>,
    /// Number of its job.
    pub job: Option<i64>,
    /// Its host.
    pub host: Option<String>,
    /// For people.
    pub message: String,
}
