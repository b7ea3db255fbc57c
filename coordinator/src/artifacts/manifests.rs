//! The manifests that were read last. Their name is their content, so that what is kept is never out of date.

use std::sync::{Arc, Mutex, PoisonError};

use pointsman_archive::Manifest;
use pointsman_shared::digest::Digest;

/// How many are kept: what a few people look at; each may take some megabytes.
const MOST: usize = 8;

/// A few manifests, the one that was asked for last first.
#[derive(Debug, Default)]
pub(super) struct Manifests(Mutex<Vec<(Digest, Arc<Manifest>)>>);

impl Manifests {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Manifest>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(name, _)| name == digest)?;
        kept[..=at].rotate_right(1);
        kept.first().map(|(_, manifest)| Arc::clone(manifest))
    }

    pub(super) fn keep(&self, digest: Digest, manifest: Arc<Manifest>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(name, _)| *name != digest);
        kept.insert(0, (digest, manifest));
        kept.truncate(MOST);
    }
}
