//! How tickets are named in a project's commits, and where they are: `SHOP-\d+`, `https://tracker.example.org/browse/{}`.

use serde::{Deserialize, Serialize};

/// `PUT /api/v1/projects/{project}/tickets`, and `tickets` of a project in an applied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tickets {
    /// A regular expression that fits the name of a ticket. Where it has a group, the first one is what the address takes.
    pub pattern: String,
    /// The address of a ticket; `{}` in it stands for the ticket.
    pub link: String,
}
