//! How an operation fails: a refusal speaks to the caller, everything else is logged once and shown as a code.

use pointsman_domain::Refusal;
use pointsman_store::StoreError;

/// Result of an operation.
pub type OperationResult<T> = Result<T, OperationError>;

/// A failed operation.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The wish is not granted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// Something inside failed.
    #[error("{what}")]
    Internal {
        /// What was being done.
        what: String,
        /// The cause.
        #[source]
        source: anyhow::Error,
    },
}

impl OperationError {
    /// Something inside failed while doing `what`.
    pub fn internal(what: impl Into<String>, source: impl Into<anyhow::Error>) -> Self {
        Self::Internal {
            what: what.into(),
            source: source.into(),
        }
    }
}
