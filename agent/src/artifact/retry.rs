//! When to ask again: as long as it may help, as long as the lease lives, with growing pauses.

use std::time::Duration;

use pointsman_shared::digest::Digest;

use crate::dir::FileError;
use crate::http::RequestError;
use crate::lease::{Lease, Standing};

/// Bytes or values that could not be had or given.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The coordinator did not answer or refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The bytes are not what was asked for.
    #[error("{what} arrived damaged: its digest is {found}, not {wanted}")]
    Damaged {
        /// Which object.
        what: String,
        /// The digest of what came.
        found: Digest,
        /// The digest that was asked for.
        wanted: Digest,
    },
    /// More came than is allowed.
    #[error("{what} is larger than the {cap} bytes that are allowed")]
    TooLarge {
        /// Which object.
        what: String,
        /// Allowed bytes.
        cap: u64,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The lease ended meanwhile.
    #[error("stopped: the job was cancelled or its lease was lost")]
    Stopped(Standing),
}

impl ArtifactError {
    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Request(error) => error.may_pass(),
            // A proxy or a disk may have cut or bent the bytes once; a second time is no accident, and tries are few.
            Self::Damaged { .. } => true,
            Self::TooLarge { .. } | Self::File(_) | Self::Stopped(_) => false,
        }
    }
}

/// How often and how slowly to ask again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    tries: u32,
    first: Duration,
    longest: Duration,
}

impl Default for Patience {
    /// 10 tries, pauses from 250 ms to 15 s: a coordinator may restart meanwhile.
    fn default() -> Self {
        Self {
            tries: 10,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(15),
        }
    }
}

/// Runs `attempt` until it succeeds, cannot succeed any more, or the lease ends.
pub(super) async fn retrying<T>(
    patience: &Patience,
    lease: &Lease,
    mut attempt: impl AsyncFnMut() -> Result<T, ArtifactError>,
) -> Result<T, ArtifactError> {
    let mut pause = patience.first;
    for left in (0..patience.tries).rev() {
        let outcome = tokio::select! {
            biased;
            standing = lease.ended() => return Err(ArtifactError::Stopped(standing)),
            outcome = attempt() => outcome,
        };
        match outcome {
            Err(error) if left > 0 && error.may_pass() => {
                tracing::warn!(
                    error = crate::describe::describe(&error),
                    left,
                    "asking the coordinator again"
                );
            }
            Ok(_) | Err(_) => return outcome,
        }
        tokio::select! {
            biased;
            standing = lease.ended() => return Err(ArtifactError::Stopped(standing)),
            () = tokio::time::sleep(pause) => pause = patience.longest.min(pause * 2),
        }
    }
    // The last attempt returned above; a patience without tries asked nobody.
    Err(ArtifactError::Stopped(lease.standing()))
}
