//! An agent without a machine: it remembers what would lie in its root, and says what an agent would say.

use pointsman_coordinator::app::App;
use pointsman_coordinator::operations::{claim_job, record_hello, record_placement_state, record_report};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, SpoolId};
use pointsman_shared::name::{HostId, ReleaseFolder, RootPath, SlotName};
use pointsman_shared::outcome::{Effect, GoneFolder, Outcome, Phase, Product, TrashedFolder, WorkshopFolder};
use pointsman_shared::wire::from_agent::{
    Claim, FenceState, Hello, JobResult, PlacementState, Report, ReportContent, SlotState,
};
use pointsman_shared::wire::job::{InstallOrder, Order, SwitchOrder};
use pointsman_shared::wire::{Nonce, VERSION};
use pointsman_store::jobs::{self, JobRow};
use pointsman_store::placement_pages;

/// What happens to the next job of a host, instead of success.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// The install finds no space.
    DiskFull,
    /// A shared file is missing.
    SharedMissing(&'static str),
    /// The switch took place, and nothing answers.
    Unhealthy,
    /// A hook before the switch failed.
    BeforeHook,
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its host.
    pub host: HostId,
    /// What lies in the root of its one placement.
    pub root: Root,
    instance: InstanceId,
    spool: SpoolId,
    seq: u64,
    hellos: u64,
}

/// What is wrong with a root.
#[derive(Debug, Clone, Copy)]
pub enum RootTrouble {
    /// Nothing of it can be read.
    Unreadable(&'static str),
    /// It can be read and not be written to.
    Unwritable(&'static str),
}

/// A root on the host.
#[derive(Debug, Clone)]
pub struct Root {
    /// What is wrong with it.
    pub trouble: Option<RootTrouble>,
    /// The fence.
    pub fence: FenceState,
    /// The link.
    pub current: Option<ReleaseFolder>,
    /// Complete releases.
    pub releases: Vec<ReleaseFolder>,
}

impl Agent {
    /// An agent on `host` that never ran before.
    pub fn new(app: &App, host: &str) -> Self {
        Self {
            host: host.parse().unwrap(),
            root: Root {
                trouble: None,
                fence: FenceState::Missing,
                current: None,
                releases: Vec::new(),
            },
            instance: InstanceId(app.ids.next()),
            spool: SpoolId(app.ids.next()),
            seq: 0,
            hellos: 0,
        }
    }

    /// Starts, or starts again.
    pub async fn restart(&mut self, app: &App) {
        let previous = (self.hellos > 0).then_some(self.instance);
        self.instance = InstanceId(app.ids.next());
        self.hello(app, previous).await;
    }

    /// Says hello and what lies in every root it knows by the welcome; adopts what it is told to.
    pub async fn hello(&mut self, app: &App, previous: Option<InstanceId>) {
        self.hellos += 1;
        let nonce = Nonce(format!("{:032x}", self.hellos));
        let known = placement_pages::known(&mut app.store.read().await.unwrap(), &self.host)
            .await
            .unwrap();
        let hello = Hello {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            previous,
            nonce: nonce.clone(),
            boot_id: "boot".to_owned(),
            software: "test".to_owned(),
            wire: vec![VERSION],
            facts: std::collections::BTreeMap::new(),
            slots: Vec::new(),
            working: Vec::new(),
            processes: Vec::new(),
            state_digest: Digest::of(nonce.0.as_bytes()),
            placements: u32::try_from(known.len()).unwrap(),
            at: app.clock.now().timestamp_millis(),
        };
        record_hello::execute(app, &hello).await.unwrap();
        for placement in known {
            let state = self.state(app, placement.placement, placement.root, nonce.clone());
            record_placement_state::execute(app, &state).await.unwrap();
        }
        if !matches!(self.root.fence, FenceState::Standing { .. }) {
            self.root.fence = FenceState::Standing {
                generation: Generation(0),
                job: None,
                epoch: Epoch::NONE,
                to: None,
                done: true,
            };
        }
    }

    fn state(&self, app: &App, placement: PlacementId, root: RootPath, nonce: Nonce) -> PlacementState {
        let slot = SlotState {
            slot: SlotName::current(),
            fence: self.root.fence.clone(),
            current: self.root.current.clone(),
            foreign: None,
        };
        let (slots, releases, problem) = match self.root.trouble {
            Some(RootTrouble::Unreadable(why)) => (Vec::new(), Vec::new(), Some(why)),
            Some(RootTrouble::Unwritable(why)) => (vec![slot], self.root.releases.clone(), Some(why)),
            None => (vec![slot], self.root.releases.clone(), None),
        };
        PlacementState {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            nonce,
            placement,
            root,
            slots,
            releases,
            page: 0,
            pages: 1,
            problem: problem.map(str::to_owned),
            free_bytes: 1 << 30,
            at: app.clock.now().timestamp_millis(),
        }
    }

    /// Claims a job; true = it was granted.
    pub async fn claim(&self, app: &App, job: &JobRow) -> bool {
        let claim = Claim {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            job: job.id,
            epoch: job.epoch,
            digest: job.body_digest,
            nonce: Nonce(format!("{:032x}", job.id.0.as_u128() ^ u128::from(job.epoch.0))),
            at: app.clock.now().timestamp_millis(),
        };
        claim_job::execute(app, &claim).await.unwrap();
        let after = jobs::get(&mut app.store.read().await.unwrap(), job.id)
            .await
            .unwrap()
            .unwrap();
        after.state == JobState::Running && after.worker.as_ref() == Some(&self.host)
    }

    /// Does the work of a granted job, and tells what came of it.
    pub async fn work(&mut self, app: &App, job: &JobRow, mishap: Option<Mishap>) {
        let outcome = self.perform(job, mishap.as_ref());
        self.report(app, job.id, job.epoch.next(), outcome).await;
    }

    /// Tells how an epoch ended.
    pub async fn report(&mut self, app: &App, job: JobId, epoch: Epoch, outcome: Outcome) {
        let result = JobResult {
            job,
            epoch,
            outcome,
            log: None,
        };
        self.tell(app, ReportContent::Result(result)).await;
    }

    /// Tells something.
    pub async fn tell(&mut self, app: &App, content: ReportContent) {
        self.seq += 1;
        let report = Report {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            spool: self.spool,
            seq: self.seq,
            at: app.clock.now().timestamp_millis(),
            content,
        };
        record_report::execute(app, &report).await.unwrap();
    }

    /// What the host would do.
    fn perform(&mut self, job: &JobRow, mishap: Option<&Mishap>) -> Outcome {
        match job.parsed_body().unwrap().order {
            Order::Build(order) => succeeded(Product::Release {
                manifest: Digest::of(order.commit.as_str().as_bytes()),
                archive: Digest::of(b"archive"),
                packing: Digest::of(b"packing"),
                archive_bytes: 10,
                total_bytes: 20,
                entries: 1,
            }),
            Order::Install(order) => self.install(*order, mishap),
            Order::Activate(order) | Order::Rollback(order) => self.switch(job, *order, mishap),
            Order::CollectWorkshop(_) => succeeded(Product::WorkshopCollected {
                gone: vec![GoneFolder {
                    kind: WorkshopFolder::Mirror,
                    name: "5feceb66ffc8".to_owned(),
                    bytes: 1000,
                    reason: "unused for 31 d".to_owned(),
                }],
                more: 0,
                bytes: 1000,
            }),
            Order::CollectGarbage(order) => self.discard(&order.folders),
            Order::Migrate(_) => panic!("{} is not asked for here", job.kind),
        }
    }

    fn install(&mut self, order: InstallOrder, mishap: Option<&Mishap>) -> Outcome {
        let refuse = |code, message| failed(Phase::Install, code, message, Effect::None);
        match mishap {
            Some(Mishap::DiskFull) => refuse("disk_full", format!("no space left on {}", order.root)),
            Some(Mishap::SharedMissing(path)) => refuse(
                "shared_missing",
                format!("{}/shared/{path} is missing on {}", order.root, self.host),
            ),
            Some(Mishap::Unhealthy | Mishap::BeforeHook) | None => {
                self.root.releases.push(order.folder);
                succeeded(Product::Installed { reused: false })
            }
        }
    }

    fn discard(&mut self, folders: &[ReleaseFolder]) -> Outcome {
        self.root.releases.retain(|release| !folders.contains(release));
        let trashed = |folder: &ReleaseFolder| TrashedFolder {
            folder: folder.clone(),
            bytes: 20,
        };
        succeeded(Product::Collected {
            trashed: folders.iter().map(trashed).collect(),
            kept: Vec::new(),
            purged: 0,
            purged_bytes: 0,
        })
    }

    /// The fence first, then the link.
    fn switch(&mut self, job: &JobRow, order: SwitchOrder, mishap: Option<&Mishap>) -> Outcome {
        if let FenceState::Standing {
            generation,
            job: decided,
            ..
        } = &self.root.fence
            && (*generation > order.generation
                || (*generation == order.generation && *decided != Some(job.id)))
        {
            return failed(
                Phase::Refused,
                "fence_refused",
                format!("fence is at {generation}"),
                Effect::None,
            );
        }
        assert!(
            self.root.releases.contains(&order.folder),
            "only what is installed is switched to"
        );
        if matches!(mishap, Some(Mishap::BeforeHook)) {
            let message = "bin/warm-cache exited with 1".to_owned();
            return failed(Phase::BeforeHook, "hook_failed", message, Effect::None);
        }
        self.root.fence = FenceState::Standing {
            generation: order.generation,
            job: Some(job.id),
            epoch: job.epoch.next(),
            to: Some(order.folder.clone()),
            done: true,
        };
        let from = self.root.current.replace(order.folder.clone());
        if matches!(mishap, Some(Mishap::Unhealthy)) {
            let message = "no healthy answer within 2m".to_owned();
            return failed(Phase::Health, "unhealthy", message, Effect::Done);
        }
        succeeded(Product::Switched {
            from,
            current: order.folder,
        })
    }
}

fn succeeded(product: Product) -> Outcome {
    Outcome::Succeeded { product }
}

fn failed(phase: Phase, code: &str, message: String, effect: Effect) -> Outcome {
    Outcome::Failed {
        phase,
        code: code.to_owned(),
        message,
        exit: None,
        effect,
    }
}
