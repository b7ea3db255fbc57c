//! Why a wish is not granted, in words a person can act on and a code a program can compare.

/// What kind of refusal it is; the HTTP edge turns it into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The wish itself is wrong.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// The actor may not do this.
    Forbidden,
    /// It does not fit the present state.
    Conflict,
    /// A lock or the global stop refuses it.
    Locked,
    /// Something it needs is not there right now; trying again later may help.
    Unavailable,
}

/// A refusal: what, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// What kind.
    pub kind: RefusalKind,
    /// Stable code such as `unknown_ref`; never changed once released.
    pub code: &'static str,
    /// What, where and why.
    pub what: String,
    /// What to do; a command where there is one.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(kind: RefusalKind, code: &'static str, what: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            what: what.into(),
            hint: None,
        }
    }

    /// The wish itself is wrong.
    pub fn invalid(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, code, what)
    }

    /// What it names does not exist.
    pub fn not_found(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotFound, code, what)
    }

    /// It does not fit the present state.
    pub fn conflict(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, code, what)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
