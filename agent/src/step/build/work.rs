//! The state of one build, and its steps.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pointsman_archive::{Manifest, PackOptions, Packing, Selection, Watch, pack};
use pointsman_git::Stop;
use pointsman_shared::outcome::{Effect, Phase, Product};
use pointsman_shared::wire::job::{BuildOrder, Order};
use pointsman_shared::wire::logs::LogSource;
use tokio::time::Instant;

use super::cache::{Cache, paths};
use super::shell;
use super::source::Source;
use super::upkeep::{self, InUse, Reach};
use super::workshop::{Bench, Workshop};
use crate::describe::describe;
use crate::executor::Work;
use crate::lease::{Lease, Standing};
use crate::plan::BuildStep;
use crate::step::{Desk, Failure, Job, Object, StepError, Values};

/// A packed tree.
struct Packed {
    manifest: Manifest,
    packing: Packing,
}

/// One build.
pub struct BuildWork<'a, D> {
    job: &'a Job<D>,
    order: &'a BuildOrder,
    workshop: Arc<Workshop>,
    bench: Bench,
    caches: PathBuf,
    /// The project's caches are spared until the build is over.
    using: Option<InUse>,
    values: Option<Values>,
    deadline: Option<Instant>,
    packed: Option<Packed>,
}

impl<D> std::fmt::Debug for BuildWork<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildWork")
            .field("bench", &self.bench)
            .finish_non_exhaustive()
    }
}

impl<'a, D: Desk> BuildWork<'a, D> {
    /// Prepares the folder of this build.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let Order::Build(order) = &job.body.order else {
            return Err(Failure::new(
                Phase::Refused,
                "wrong_kind",
                "the order is not a build",
            ));
        };
        let Some(workshop) = job.host.workshop.clone() else {
            let message = "this host has no folder for builds; set `build_dir` in its configuration";
            return Err(Failure::new(Phase::Refused, "no_builder", message));
        };
        let bench = workshop
            .bench(&job.work_name())
            .map_err(|error| Failure::io(Phase::Checkout, &error))?;
        let (caches, using) = workshop.caches(job.body.project_id);
        Ok(Self {
            job,
            order,
            workshop,
            bench,
            caches,
            using: Some(using),
            values: None,
            deadline: None,
            packed: None,
        })
    }

    async fn checkout(&mut self) -> Result<(), StepError> {
        let source = Source {
            workshop: Arc::clone(&self.workshop),
            project: self.job.body.project_id,
            order: self.order.clone(),
            access: Arc::clone(&self.job.access),
            destination: self.bench.source.clone(),
            stop: Stop::default(),
            now: self.now(),
        };
        let stop = source.stop.clone();
        let checkout = tokio::task::spawn_blocking(move || source.check_out());
        let written = stoppable(&self.job.lease, &stop, checkout)
            .await?
            .map_err(|error| checkout_failed(&error))?;
        for line in written.lines(&self.order.commit) {
            self.say("checkout", line);
        }
        self.values = Some(shell::values(self.job, self.order, &self.bench, written.time));
        Ok(())
    }

    async fn run(&mut self, script: &str) -> Result<(), StepError> {
        let (Some(recipe), Some(values)) = (&self.order.recipe, &self.values) else {
            return Err(Failure::new(Phase::Build, "not_checked_out", "there is nothing to build").into());
        };
        let total = Duration::from_secs(recipe.timeout_s);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + total);
        shell::run(self.job, recipe, script, values, &self.bench, deadline).await
    }

    fn cache(&self) -> Result<Option<Cache>, StepError> {
        let Some(recipe) = &self.order.recipe else {
            return Ok(None);
        };
        let cache = Cache::of(self.caches.clone(), recipe, &self.bench.source);
        cache
            .map(Some)
            .map_err(|error| Failure::archive(Phase::Build, &error))
    }

    async fn restore_cache(&self) -> Result<(), StepError> {
        let Some(cache) = self.cache()? else { return Ok(()) };
        let (source, lease) = (self.bench.source.clone(), self.job.lease.clone());
        let now = self.now();
        let restored = blocking(move || {
            let restored = cache.restore(&source, &|| lease.standing() != Standing::Held)?;
            cache.used(now).map(|()| restored)
        });
        let restored = restored.await?;
        self.say(
            "restore cache",
            match restored {
                Ok(0) => "nothing kept for these files yet".to_owned(),
                Ok(folders) => format!("{folders} folders restored"),
                Err(error) => format!("building without it: {}", describe(&error)),
            },
        );
        Ok(())
    }

    async fn save_cache(&self) -> Result<(), StepError> {
        let Some(cache) = self.cache()? else { return Ok(()) };
        let (source, name) = (self.bench.source.clone(), self.job.work_name());
        let now = self.now();
        let saved = blocking(move || cache.save(&source, &name).and_then(|()| cache.used(now)));
        if let Err(error) = saved.await? {
            self.say(
                "save cache",
                format!("the next build goes without it: {}", describe(&error)),
            );
        }
        Ok(())
    }

    async fn pack(&mut self) -> Result<(), StepError> {
        let failed = |error: &pointsman_archive::Error| Failure::archive(Phase::Pack, error);
        let selection = self.selection().map_err(|error| failed(&error))?;
        let (source, archive) = (self.bench.source.clone(), self.path("archive"));
        let (lease, limits) = (self.job.lease.clone(), self.job.host.policy.limits());
        let packed = blocking(move || {
            let stop = || lease.standing() != Standing::Held;
            let watch = Watch::none().stop_when(&stop);
            let manifest = Manifest::scan(&source, &selection, &watch)?;
            limits.check(&manifest)?;
            let packing = pack(&source, &manifest, &archive, &PackOptions::default(), &watch)?;
            Ok(Packed { manifest, packing })
        });
        let packed = packed.await?.map_err(|error| failed(&error))?;
        for (name, bytes) in [
            ("manifest", packed.manifest.canonical_bytes()),
            ("packing", packed.packing.canonical_bytes()),
        ] {
            fs_err::write(self.path(name), bytes).map_err(|error| Failure::io(Phase::Pack, &error))?;
        }
        let (files, bytes) = (packed.manifest.files(), packed.manifest.total_bytes());
        let words = format!("{files} files, {bytes} bytes, {} packed", packed.packing.size());
        self.say("pack", format!("release {}: {words}", packed.manifest.digest()));
        self.packed = Some(packed);
        Ok(())
    }

    /// Explicit patterns are taken at their word; without them the caches are left out, and `.git` always is when
    /// programs ran. Without a recipe the commit's tree is the release, whole.
    fn selection(&self) -> Result<Selection, pointsman_archive::Error> {
        let shared: Vec<_> = self
            .order
            .shared
            .iter()
            .map(|shared| shared.path.clone())
            .collect();
        let mut selection = Selection {
            shared: paths(&shared)?,
            ..Selection::default()
        };
        if let Some(recipe) = &self.order.recipe {
            selection.include.clone_from(&recipe.include);
            if recipe.include.is_empty() {
                selection.exclude = paths(&recipe.cache)?;
            }
            selection.exclude.extend(paths(&[".git".to_owned()])?);
        }
        Ok(selection)
    }

    async fn upload(&self) -> Result<(), StepError> {
        let Some(packed) = &self.packed else {
            return Err(Failure::new(Phase::Upload, "not_packed", "there is nothing to upload").into());
        };
        // The manifest last: whoever finds it finds the others.
        for object in [
            Object::Archive(packed.packing.archive()),
            Object::Packing(packed.packing.digest()),
            Object::Manifest(packed.manifest.digest()),
        ] {
            let path = self.path(object.word());
            let sent = tokio::select! {
                sent = self.job.desk.store(object, &path) => sent,
                _ = self.job.lease.ended() => return Err(StepError::Stopped),
            };
            sent.map_err(|error| Failure::transfer(Phase::Upload, &error))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.folder.join(name)
    }

    /// What this build's own leavings replace, and what makes room; whatever goes wrong with it is no matter of this build.
    async fn collect(&mut self) -> Result<(), StepError> {
        self.using = None;
        let (workshop, now) = (Arc::clone(&self.workshop), self.now());
        match blocking(move || workshop.collect(Reach::Room, now)).await? {
            Ok(collected) => {
                for gone in &collected {
                    self.say("collect", upkeep::line(gone));
                }
            }
            Err(error) => tracing::warn!(%error, "what builds left behind could not be collected"),
        }
        Ok(())
    }

    fn now(&self) -> SystemTime {
        SystemTime::from(self.job.host.clock.now())
    }

    fn say(&self, stage: &str, text: String) {
        self.job.desk.say(stage, LogSource::Agent, text);
    }
}

fn checkout_failed(error: &pointsman_git::Error) -> StepError {
    if matches!(error, pointsman_git::Error::Stopped) {
        return StepError::Stopped;
    }
    let message = format!("{}; {}", describe(error), error.remedy());
    Failure::new(Phase::Checkout, error.kind(), message).into()
}

/// Waits for blocking work that listens to `stop`, and stops it when the lease ends.
async fn stoppable<T>(
    lease: &Lease,
    stop: &Stop,
    mut work: tokio::task::JoinHandle<T>,
) -> Result<T, StepError> {
    let done = tokio::select! {
        done = &mut work => done,
        _ = lease.ended() => {
            stop.request();
            work.await
        }
    };
    done.map_err(|error| Failure::of(Phase::Checkout, "internal", &error).into())
}

/// Runs blocking work that looks after the lease itself.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StepError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::of(Phase::Build, "internal", &error).into())
}

impl<D: Desk> Work for BuildWork<'_, D> {
    type Step = BuildStep;

    async fn perform(&mut self, step: &BuildStep) -> Result<(), StepError> {
        match step {
            BuildStep::Checkout => self.checkout().await,
            BuildStep::RestoreCache => self.restore_cache().await,
            BuildStep::Run { script } => self.run(script).await,
            BuildStep::Pack => self.pack().await,
            BuildStep::SaveCache => self.save_cache().await,
            BuildStep::Upload => self.upload().await,
        }
    }

    /// A build changes nothing that anybody uses; uploaded objects are only named by a recorded result.
    fn effect(&self) -> Effect {
        Effect::None
    }

    fn is_done(&self) -> bool {
        false
    }

    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        let folder = self.bench.folder.clone();
        if let Err(error) = blocking(move || fs_err::remove_dir_all(folder)).await? {
            tracing::warn!(%error, "the folder of a build stays behind until the agent starts again");
        }
        self.collect().await
    }

    fn product(&self) -> Product {
        self.packed
            .as_ref()
            .map_or(Product::Nothing, |packed| Product::Release {
                manifest: packed.manifest.digest(),
                archive: packed.packing.archive(),
                packing: packed.packing.digest(),
                archive_bytes: packed.packing.size(),
                total_bytes: packed.manifest.total_bytes(),
                entries: packed.manifest.entries().len() as u64,
            })
    }
}
