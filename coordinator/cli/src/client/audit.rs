//! The audit trail: acts that match, and whether its chain of hashes holds.

use chrono::{DateTime, SecondsFormat, Utc};
use pointsman_shared::api::tokens::{AuditChain, AuditEntry};

use super::{Client, Listing};
use crate::error::CliError;

/// Which acts.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those of this principal, by name.
    pub who: Option<String>,
    /// Only those whose action is this, or begins with this and a dot.
    pub what: Option<String>,
    /// Only those on objects with this in their name.
    pub object: Option<String>,
    /// Only those since then.
    pub since: Option<DateTime<Utc>>,
    /// Only those before then.
    pub until: Option<DateTime<Utc>>,
    /// Only those of whoever asks. Names may be shared by a user and a token, this cannot be mistaken.
    pub mine: bool,
}

impl Client {
    pub async fn audit(&self, filter: AuditFilter, most: usize) -> Result<Listing<AuditEntry>, CliError> {
        let AuditFilter {
            who,
            what,
            object,
            since,
            until,
            mine,
        } = filter;
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let filters = [
            ("who", who),
            ("what", what),
            ("object", object),
            ("since", since.map(written)),
            ("until", until.map(written)),
            ("mine", mine.then(|| "true".to_owned())),
        ];
        let query: Vec<_> = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        self.list(&["audit"], &query, most).await
    }

    pub async fn audit_chain(&self) -> Result<AuditChain, CliError> {
        self.get(&["audit", "chain"], &[]).await
    }
}
