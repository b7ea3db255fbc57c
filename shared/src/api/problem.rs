//! Errors of the API (RFC 9457, `application/problem+json`): a stable code outside, the full cause in the log.

use serde::{Deserialize, Serialize};

/// Media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error a caller can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank#<code>`; clients compare [`Self::code`].
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, short.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What, where and why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable code such as `unknown_ref`.
    pub code: String,
    /// What to do about it; a command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Id of the request, to find it in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Problem {
    /// A problem with its stable code and title.
    pub fn new(status: u16, code: &str, title: impl Into<String>) -> Self {
        Self {
            kind: format!("about:blank#{code}"),
            title: title.into(),
            status,
            detail: None,
            code: code.to_owned(),
            hint: None,
            request: None,
        }
    }

    /// Adds what, where and why.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
