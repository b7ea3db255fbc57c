//! Adopting a placement: a coordinator's signed word that creates a root's fence or raises it.
//!
//! It is the only thing that may be done in a root without a fence. It never lowers one, and it refuses a root that
//! belongs to another placement or that the host's policy does not allow.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::ids::Generation;
use pointsman_shared::name::SlotName;

use crate::dir::FileError;
use crate::journal::{RootRecord, Roots};
use crate::layout::{Fence, FenceError, LockError, Root, RootError, RootLock};
use crate::policy::{Policy, PolicyRefusal};

/// How long a switch that holds the root is waited for.
const LOCK_PATIENCE: Duration = Duration::from_mins(5);

/// The placement was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The host's policy does not allow the root.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// The root cannot be used.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Somebody else holds it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The fence is another placement's, or cannot be written.
    #[error(transparent)]
    Fence(#[from] FenceError),
    /// The system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Adopts; adopting again is free. The fence is durable when this returns.
pub async fn adopt(
    policy: &Policy,
    roots: &Roots,
    record: &RootRecord,
    slots: &[SlotName],
    generation: Generation,
) -> Result<Fence, AdoptionError> {
    policy.check_root(&record.root)?;
    roots.record(record)?;
    let root = Arc::new(Root::open(&record.root)?);
    let lock = RootLock::take(&root, LOCK_PATIENCE).await?;
    Ok(lock.adopt(record.placement, slots, generation)?)
}
