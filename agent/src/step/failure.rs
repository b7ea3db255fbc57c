//! How a step fails: typed by phase, with a stable code and words for people.

use pointsman_shared::outcome::{Phase, ProcessExit};

use super::desk::TransferError;
use crate::describe::describe;
use crate::dir::FileError;
use crate::layout::{FenceError, LinkError, LockError, ReleaseError, RootError};

/// What a job's result will say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub phase: Phase,
    /// A stable code.
    pub code: &'static str,
    /// One line for people.
    pub message: String,
    /// The child's end, when a child failed.
    pub exit: Option<ProcessExit>,
}

/// Why a step did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepError {
    /// It was asked to stop, or its lease ended; the lease says which.
    Stopped,
    /// It failed.
    Failed(Failure),
}

impl Failure {
    /// A failure in words.
    pub fn new(phase: Phase, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            phase,
            code,
            message: message.into(),
            exit: None,
        }
    }

    /// A failure by an error and its causes.
    pub fn of(phase: Phase, code: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(phase, code, describe(error))
    }

    /// A failed file operation; a full disk has its own code.
    pub fn file(phase: Phase, error: &FileError) -> Self {
        let code = if error.is_full() {
            "disk_full"
        } else {
            "file_error"
        };
        Self::of(phase, code, error)
    }

    /// A failed operation of `fs_err`, whose errors name their path.
    pub fn io(phase: Phase, error: &std::io::Error) -> Self {
        let full = matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        );
        Self::of(phase, if full { "disk_full" } else { "file_error" }, error)
    }

    /// Bytes that did not travel.
    pub fn transfer(phase: Phase, error: &TransferError) -> Self {
        Self::new(phase, error.code, error.message.clone())
    }

    /// A root that cannot be used.
    pub fn root(phase: Phase, error: &RootError) -> Self {
        match error {
            RootError::Missing { .. } => Self::of(phase, "root_missing", error),
            RootError::File(file) => Self::file(phase, file),
            RootError::Denied { .. } | RootError::Closed { .. } | RootError::ReadOnly { .. } => {
                Self::of(phase, "root_closed", error)
            }
            RootError::Owner { .. }
            | RootError::Writable { .. }
            | RootError::Filesystem { .. }
            | RootError::Mounted { .. } => Self::of(phase, "root_unsafe", error),
        }
    }

    /// A lock that was not to be had.
    pub fn lock(phase: Phase, error: &LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::of(phase, "root_locked", error),
            LockError::File(file) => Self::file(phase, file),
        }
    }

    /// A fence that did not let us pass.
    pub fn fence(error: &FenceError) -> Self {
        let code = match error {
            FenceError::NotAdopted { .. } | FenceError::Missing { .. } => "fence_missing",
            FenceError::Damaged { .. } => "fence_damaged",
            FenceError::OtherPlacement { .. } => "root_of_other_placement",
            FenceError::Refused(_) => "fence_refused",
            FenceError::File(file) => return Self::file(Phase::Refused, file),
        };
        Self::of(Phase::Refused, code, error)
    }

    /// A release that cannot be trusted.
    pub fn release(phase: Phase, error: &ReleaseError) -> Self {
        match error {
            ReleaseError::Missing { .. } => Self::of(phase, "release_missing", error),
            ReleaseError::Unrecorded { .. } | ReleaseError::OtherDigest { .. } => {
                Self::of(phase, "release_damaged", error)
            }
            ReleaseError::File(file) => Self::file(phase, file),
        }
    }

    /// A link that was not switched.
    pub fn link(error: &LinkError) -> Self {
        match error {
            LinkError::InTheWay { .. } => Self::of(Phase::Switch, "current_in_the_way", error),
            LinkError::ReadBack { .. } => Self::of(Phase::Switch, "current_differs", error),
            LinkError::File(file) => Self::file(Phase::Switch, file),
        }
    }

    /// A release that could not be listed, packed, unpacked or verified.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other crate's list may grow; its words say what, and only these need a code of their own"
    )]
    pub fn archive(phase: Phase, error: &pointsman_archive::Error) -> StepError {
        let code = match error {
            pointsman_archive::Error::Stopped => return StepError::Stopped,
            pointsman_archive::Error::DiskFull { .. } => "disk_full",
            pointsman_archive::Error::TooLarge { .. } => "release_too_large",
            pointsman_archive::Error::Differs { .. } => "release_damaged",
            pointsman_archive::Error::ArchiveSize { .. } | pointsman_archive::Error::ArchiveDigest { .. } => {
                "archive_damaged"
            }
            pointsman_archive::Error::Refused { .. } => "archive_refused",
            _ => "release_refused",
        };
        Self::of(phase, code, error).into()
    }
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
