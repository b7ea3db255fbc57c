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

/// How often to ask, and the pauses in between: a coordinator may restart meanwhile.
const TRIES: u32 = 10;
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// The tries of one request.
pub(super) struct Tries<'a> {
    lease: &'a Lease,
    left: u32,
    pause: Duration,
}

impl<'a> Tries<'a> {
    pub(super) const fn new(lease: &'a Lease) -> Self {
        Self {
            lease,
            left: TRIES,
            pause: FIRST,
        }
    }

    /// Runs one attempt, as long as the lease lives.
    pub(super) async fn run<T>(
        &self,
        attempt: impl Future<Output = Result<T, ArtifactError>>,
    ) -> Result<T, ArtifactError> {
        tokio::select! {
            biased;
            standing = self.lease.ended() => Err(ArtifactError::Stopped(standing)),
            outcome = attempt => outcome,
        }
    }

    /// Returns when it may be tried again, or with the error when it may not.
    pub(super) async fn again(&mut self, error: ArtifactError) -> Result<(), ArtifactError> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || !error.may_pass() {
            return Err(error);
        }
        tracing::warn!(
            error = crate::describe::describe(&error),
            left = self.left,
            "asking the coordinator again"
        );
        let pause = self.pause;
        self.pause = LONGEST.min(pause * 2);
        self.run(async {
            tokio::time::sleep(pause).await;
            Ok(())
        })
        .await
    }
}
