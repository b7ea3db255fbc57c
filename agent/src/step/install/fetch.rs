//! A release's three objects from the store, into the folder of unfinished work.
//!
//! The two documents are small and are checked here; the archive is checked by whoever opens it, before its first byte
//! is used.

use std::path::Path;

use pointsman_archive::{Manifest, Packing};
use pointsman_shared::digest::Digest;
use pointsman_shared::outcome::Phase;
use pointsman_shared::wire::job::InstallOrder;

use crate::crash_point;
use crate::step::{Desk, Failure, Job, Object, StepError};

/// Largest manifest or packing that is fetched, in bytes: 200,000 entries with long paths stay below it.
const MAX_DOCUMENT: u64 = 256 * 1024 * 1024;

/// What describes a fetched release.
pub(super) struct Documents {
    pub(super) manifest: Manifest,
    pub(super) packing: Packing,
}

/// Fetches all three to files in `work`.
pub(super) async fn all<D: Desk>(
    job: &Job<D>,
    order: &InstallOrder,
    work: &Path,
) -> Result<Documents, StepError> {
    let manifest = document(job, Object::Manifest(order.manifest), work).await?;
    let packing = document(job, Object::Packing(order.packing), work).await?;
    crash_point!(C8);
    let archive = Object::Archive(order.archive);
    object(job, archive, &work.join(archive.word()), order.archive_bytes).await?;
    let refused = |error| Failure::archive(Phase::Download, &error);
    let manifest = Manifest::parse(&manifest).map_err(refused)?;
    let packing = Packing::parse(&packing).map_err(refused)?;
    let signed = (order.total_bytes, order.entries, order.archive);
    if signed
        != (
            manifest.total_bytes(),
            manifest.entries().len() as u64,
            packing.archive(),
        )
    {
        let message = "the release's sizes or archive are not those that were signed; build it again";
        return Err(Failure::new(Phase::Download, "release_refused", message).into());
    }
    Ok(Documents { manifest, packing })
}

/// Small enough to be held in memory.
async fn document<D: Desk>(job: &Job<D>, wanted: Object, work: &Path) -> Result<Vec<u8>, StepError> {
    let path = work.join(wanted.word());
    object(job, wanted, &path, MAX_DOCUMENT).await?;
    let bytes = fs_err::read(&path).map_err(|error| Failure::io(Phase::Download, &error))?;
    let found = Digest::of(&bytes);
    if found == wanted.digest() {
        return Ok(bytes);
    }
    let message = format!(
        "the {} has digest {found} instead of {}; fetch it again",
        wanted.word(),
        wanted.digest()
    );
    Err(Failure::new(Phase::Download, "object_damaged", message).into())
}

async fn object<D: Desk>(job: &Job<D>, wanted: Object, into: &Path, limit: u64) -> Result<(), StepError> {
    let fetched = tokio::select! {
        fetched = job.desk.fetch(wanted, into, limit) => fetched,
        _ = job.lease.ended() => return Err(StepError::Stopped),
    };
    fetched.map_err(|error| Failure::transfer(Phase::Download, &error).into())
}
