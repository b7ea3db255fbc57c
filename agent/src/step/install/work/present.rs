//! What is here already: the release itself, or a copy of it in the trash.

use std::path::PathBuf;
use std::sync::Arc;

use pointsman_archive::{Watch, verify};
use pointsman_shared::outcome::Phase;

use super::InstallWork;
use crate::layout::Root;
use crate::lease::Standing;
use crate::step::{Desk, Failure, StepError};

impl<D: Desk> InstallWork<'_, D> {
    /// Whether the release stands already, every byte of it as it should be.
    pub(super) async fn is_installed(&self, root: &Arc<Root>) -> Result<bool, StepError> {
        let path = root.release_path(&self.order.folder);
        let checked = self.check(root, path.clone()).await?;
        if let Err(reason) = &checked
            && path.exists()
        {
            self.say(
                "prepare",
                format!("what stands as {} is replaced: {reason}", self.order.folder),
            );
        }
        Ok(checked.is_ok())
    }

    /// A release that was collected lately still lies in the trash. It is read there: whatever stands in `releases/`
    /// counts as complete, so nothing may come back that is not.
    pub(super) async fn take_back(&self, root: &Arc<Root>) -> Result<bool, StepError> {
        let (looked, folder) = (Arc::clone(root), self.order.folder.clone());
        let newest = self.blocking(move || looked.newest_discarded(&folder));
        let newest = newest
            .await?
            .map_err(|error| Failure::file(Phase::Install, &error))?;
        let Some(newest) = newest else {
            return Ok(false);
        };
        if let Err(reason) = self.check(root, root.discarded_path(&newest)).await? {
            self.say(
                "prepare",
                format!(".trash/{} is not taken back: {reason}", newest.name),
            );
            return Ok(false);
        }
        let (lock, folder) = (self.lock(root).await?, self.order.folder.clone());
        let back = self.blocking(move || lock.take_back(&folder, &newest));
        Ok(back
            .await?
            .map_err(|error| Failure::file(Phase::Install, &error))?)
    }

    /// Whether the tree at `path` is the recorded release and the ordered one; if not, why.
    async fn check(&self, root: &Arc<Root>, path: PathBuf) -> Result<Result<(), String>, StepError> {
        let (root, order, links) = (Arc::clone(root), self.order.clone(), self.links.clone());
        let lease = self.job.lease.clone();
        let checked = self.blocking(move || {
            let (manifest, recorded) = root
                .release_record(&order.folder)
                .map_err(|error| crate::describe::describe(&error))?;
            if manifest.digest() != order.manifest {
                return Err(format!("it is recorded with digest {}", manifest.digest()));
            }
            if recorded != order.shared {
                return Err("it is linked to other shared paths".to_owned());
            }
            let stop = || lease.standing() != Standing::Held;
            let verified = verify(&path, &manifest, &links, &Watch::none().stop_when(&stop));
            verified.map_err(|error| crate::describe::describe(&error))
        });
        let checked = checked.await?;
        if self.job.lease.standing() != Standing::Held {
            return Err(StepError::Stopped);
        }
        Ok(checked)
    }
}
