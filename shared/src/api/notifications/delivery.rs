//! What became of a notification: deliveries, and each try of one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::ChannelName;

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is sent, or waits for its next try.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Failed,
    /// A newer one of the same message took its place before it was sent.
    Superseded,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Failed, Self::Superseded];

    /// The name used in the database and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

/// A delivery: one notification to one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Its number.
    pub number: i64,
    /// Where to.
    pub channel: ChannelName,
    /// What it tells.
    pub topic: String,
    /// In a sentence.
    pub message: String,
    /// Where it is.
    pub state: DeliveryState,
    /// Tries so far.
    pub tries: u32,
    /// Since when it is to be sent.
    pub created_at: DateTime<Utc>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// How the last try failed.
    pub last_error: Option<String>,
}

/// `GET /api/v1/deliveries/{number}`: a delivery with every try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryLog {
    /// The delivery.
    pub delivery: Delivery,
    /// `webhook-id`, the same at every try.
    pub id: String,
    /// Its tries, the first first.
    pub tries: Vec<DeliveryTry>,
}

/// A try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryTry {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// Status of the answer, of HTTP or SMTP.
    pub status: Option<u16>,
    /// What was sent.
    pub request: String,
    /// The answer's beginning.
    pub answer: Option<String>,
    /// Why it counts as failed.
    pub error: Option<String>,
}
