//! What can go wrong between us and the database, sorted by what the caller can do about it.

/// Result of a query.
pub type StoreResult<T> = Result<T, StoreError>;

/// A failed query.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is overloaded or is shutting down; trying again may help.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Two transactions met; trying again will help.
    #[error("two transactions met")]
    Serialization(#[source] sqlx::Error),
    /// The database ended a statement that took too long ([`crate::STATEMENT_TIMEOUT`]).
    #[error("a statement took longer than {} s and was ended", crate::STATEMENT_TIMEOUT.as_secs())]
    TooLong(#[source] sqlx::Error),
    /// A text that the database cannot keep: it holds a NUL character.
    #[error("a text holds a NUL character")]
    Unstorable(#[source] sqlx::Error),
    /// A constraint refused a row; the operation turns its name into words.
    #[error("constraint {constraint} refused the row")]
    Conflict {
        /// The constraint or index.
        constraint: String,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A row says what no writer of ours can have written.
    #[error("table {table}, row {row}: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it.
        what: String,
    },
    /// A repeat of the request took its place; nothing was changed.
    #[error("a repeat of the request took its place")]
    TakenOver,
    /// The migrations could not be applied.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Anything else.
    #[error("a query failed")]
    Query(#[source] sqlx::Error),
}

impl StoreError {
    /// An impossible row.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over errors and ids as they have them"
    )]
    pub fn inconsistent(table: &'static str, row: impl ToString, what: impl ToString) -> Self {
        Self::Inconsistent {
            table,
            row: row.to_string(),
            what: what.to_string(),
        }
    }

    /// Whether trying the same again later can help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Serialization(_) | Self::TooLong(_) => true,
            Self::Conflict { .. }
            | Self::Unstorable(_)
            | Self::Inconsistent { .. }
            | Self::TakenOver
            | Self::Migrate(_)
            | Self::Query(_) => false,
        }
    }

    /// The name of the constraint that refused the row.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Conflict { constraint, .. } => Some(constraint),
            Self::Unavailable(_)
            | Self::Serialization(_)
            | Self::TooLong(_)
            | Self::Unstorable(_)
            | Self::Inconsistent { .. }
            | Self::TakenOver
            | Self::Migrate(_)
            | Self::Query(_) => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "not our enum; what is new in it is a failed query"
    )]
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                other => Self::Query(other),
            };
        };
        let constraint = database.constraint().map(str::to_owned);
        // SQLSTATE classes: 08 connection, 53 resources, 57P shutdown, 40 serialization and deadlock; 55000 is a database
        // that takes no connections, 57014 a statement that ran into `statement_timeout`;
        // 22021 and 22P05 a text with NUL.
        let code = database
            .code()
            .map(std::borrow::Cow::into_owned)
            .unwrap_or_default();
        match constraint {
            Some(constraint) => Self::Conflict {
                constraint,
                source: error,
            },
            None if ["08", "53", "57P", "55000"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Self::Unavailable(error)
            }
            None if code.starts_with("40") => Self::Serialization(error),
            None if code == "57014" => Self::TooLong(error),
            None if ["22021", "22P05"].contains(&code.as_str()) => Self::Unstorable(error),
            None => Self::Query(error),
        }
    }
}
