//! The state of one install, and its steps.

mod present;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pointsman_archive::{SharedLink, Watch, unpack, verify};
use pointsman_shared::outcome::{Effect, Phase, Product};
use pointsman_shared::wire::job::{InstallOrder, Order};
use pointsman_shared::wire::logs::LogSource;
use rustix::fs::Mode;

use super::fetch::{self, Documents};
use super::{shared, space};
use crate::crash_point;
use crate::executor::Work;
use crate::journal::RootRecord;
use crate::layout::{Root, RootLock};
use crate::lease::Standing;
use crate::plan::InstallStep;
use crate::step::{Desk, Failure, Job, StepError};

/// How long the final rename waits for a switch that holds the root.
const LOCK_PATIENCE: Duration = Duration::from_mins(5);
/// Name of the tree inside the folder of unfinished work.
const TREE: &str = "tree";

/// One install.
pub struct InstallWork<'a, D> {
    job: &'a Job<D>,
    order: &'a InstallOrder,
    links: Vec<SharedLink>,
    root: Option<Arc<Root>>,
    documents: Option<Arc<Documents>>,
    reused: bool,
    effect: Effect,
}

impl<D> std::fmt::Debug for InstallWork<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallWork")
            .field("order", self.order)
            .finish_non_exhaustive()
    }
}

impl<'a, D: Desk> InstallWork<'a, D> {
    /// Looks at the order only.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let Order::Install(order) = &job.body.order else {
            return Err(Failure::new(
                Phase::Refused,
                "wrong_kind",
                "the order is not an install",
            ));
        };
        let links = match shared::links(&order.shared) {
            Ok(links) => links,
            Err(StepError::Failed(failure)) => return Err(failure),
            Err(StepError::Stopped) => Vec::new(),
        };
        Ok(Self {
            job,
            order,
            links,
            root: None,
            documents: None,
            reused: false,
            effect: Effect::None,
        })
    }

    fn root(&self) -> Result<&Arc<Root>, StepError> {
        let missing = || Failure::new(Phase::Install, "not_prepared", "the root was not opened");
        self.root.as_ref().ok_or_else(|| missing().into())
    }

    fn documents(&self) -> Result<&Arc<Documents>, StepError> {
        let missing = || Failure::new(Phase::Install, "not_fetched", "the release was not fetched");
        self.documents.as_ref().ok_or_else(|| missing().into())
    }

    fn work(&self) -> Result<PathBuf, StepError> {
        Ok(self
            .root()?
            .releases()
            .path()
            .join(format!(".tmp-{}", self.job.work_name())))
    }

    async fn prepare(&mut self) -> Result<(), StepError> {
        let record = RootRecord {
            placement: self.order.placement,
            root: self.order.root.clone(),
        };
        let (roots, order, host) = (
            Arc::clone(&self.job.host.roots),
            self.order.clone(),
            self.job.host.id.to_string(),
        );
        let kept_free = self.job.host.spare_bytes;
        let opened = self
            .blocking(move || {
                roots
                    .record(&record)
                    .map_err(|error| Failure::file(Phase::Install, &error))?;
                let root = Root::open(&order.root).map_err(|error| Failure::root(Phase::Install, &error))?;
                root.require_adopted(order.placement)
                    .map_err(|error| Failure::fence(&error))?;
                shared::provide(&root, &order.shared, &host)?;
                let fits = space::check(&root, &order, &host, kept_free);
                Ok::<_, Failure>((Arc::new(root), fits))
            })
            .await?;
        let (root, fits) = opened?;
        self.root = Some(Arc::clone(&root));
        if self.is_installed(&root).await? {
            self.reused = true;
            self.effect = Effect::Done;
            self.say(
                "prepare",
                format!("{} is installed already and was read again", self.order.folder),
            );
            return Ok(());
        }
        if self.take_back(&root).await? {
            self.reused = true;
            self.effect = Effect::Done;
            self.say(
                "prepare",
                format!("{} was read again in the trash and taken back", self.order.folder),
            );
            return Ok(());
        }
        fits?;
        self.make_work_folder(&root)
    }

    async fn lock(&self, root: &Arc<Root>) -> Result<RootLock, StepError> {
        let lock = tokio::select! {
            lock = RootLock::take(root, LOCK_PATIENCE) => lock,
            _ = self.job.lease.ended() => return Err(StepError::Stopped),
        };
        let lock = lock.map_err(|error| Failure::lock(Phase::Install, &error))?;
        if self.job.lease.standing() != Standing::Held {
            return Err(StepError::Stopped);
        }
        Ok(lock)
    }

    fn make_work_folder(&self, root: &Root) -> Result<(), StepError> {
        let work = self.work()?;
        if work.exists() {
            fs_err::remove_dir_all(&work).map_err(|error| Failure::io(Phase::Install, &error))?;
        }
        let name = format!(".tmp-{}", self.job.work_name());
        let made = root.releases().make_dir(&name, Mode::RWXU);
        made.map(drop)
            .map_err(|error| Failure::file(Phase::Install, &error).into())
    }

    async fn fetch(&mut self) -> Result<(), StepError> {
        let fetched = fetch::all(self.job, self.order, &self.work()?).await?;
        self.documents = Some(Arc::new(fetched));
        Ok(())
    }

    async fn unpack(&self) -> Result<(), StepError> {
        let (work, documents) = (self.work()?, Arc::clone(self.documents()?));
        let (lease, limits) = (self.job.lease.clone(), self.job.host.policy.limits());
        let unpacked = self.blocking(move || {
            let stop = || lease.standing() != Standing::Held;
            let progress = |_| crash_point!(C9);
            let watch = Watch::none().stop_when(&stop).on_progress(&progress);
            let Documents { manifest, packing } = &*documents;
            unpack(
                &work.join("archive"),
                packing,
                manifest,
                &work.join(TREE),
                &limits,
                &watch,
            )
        });
        unpacked
            .await?
            .map_err(|error| Failure::archive(Phase::Install, &error))
    }

    async fn link_and_verify(&self) -> Result<(), StepError> {
        let (tree, documents) = (self.work()?.join(TREE), Arc::clone(self.documents()?));
        let (links, lease) = (self.links.clone(), self.job.lease.clone());
        let done = self.blocking(move || {
            shared::link(&tree, &links).map_err(|error| Failure::file(Phase::Install, &error))?;
            let stop = || lease.standing() != Standing::Held;
            let watch = Watch::none().stop_when(&stop);
            verify(&tree, &documents.manifest, &links, &watch)
                .map_err(|e| Failure::archive(Phase::Install, &e))
        });
        done.await?
    }

    async fn publish(&mut self) -> Result<(), StepError> {
        let root = Arc::clone(self.root()?);
        let lock = self.lock(&root).await?;
        let (documents, order) = (Arc::clone(self.documents()?), self.order.clone());
        let name = format!(".tmp-{}", self.job.work_name());
        let published = self.blocking(move || {
            let work = root.releases().open_dir(&name)?;
            lock.publish(&work, TREE, &order.folder, &documents.manifest, &order.shared)
        });
        let trash = published
            .await?
            .map_err(|error| Failure::file(Phase::Install, &error))?;
        self.effect = Effect::Done;
        if let Some(trash) = trash {
            self.say(
                "publish",
                format!("what stood there before lies in .trash/{}", trash.0),
            );
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StepError> {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Failure::of(Phase::Install, "internal", &error).into())
    }

    fn say(&self, stage: &str, text: String) {
        self.job.desk.say(stage, LogSource::Agent, text);
    }
}

impl<D: Desk> Work for InstallWork<'_, D> {
    type Step = InstallStep;

    async fn perform(&mut self, step: &InstallStep) -> Result<(), StepError> {
        match step {
            InstallStep::Prepare => self.prepare().await,
            InstallStep::Fetch => self.fetch().await,
            InstallStep::Unpack => self.unpack().await,
            InstallStep::LinkAndVerify => self.link_and_verify().await,
            InstallStep::Publish => self.publish().await,
        }
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn is_done(&self) -> bool {
        self.reused
    }

    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        let Ok(work) = self.work() else { return Ok(()) };
        let removed = self
            .blocking(move || {
                if work.exists() {
                    fs_err::remove_dir_all(work)
                } else {
                    Ok(())
                }
            })
            .await?;
        if let Err(error) = removed {
            tracing::warn!(%error, "unfinished work stays behind until the agent starts again");
        }
        Ok(())
    }

    fn product(&self) -> Product {
        Product::Installed { reused: self.reused }
    }
}
