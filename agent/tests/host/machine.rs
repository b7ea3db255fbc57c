//! A host with one adopted root, releases in its store, and jobs to do.
//!
//! Everything lies in one folder, so that another process (an actor) can pick a job up where this one left it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};

use pointsman_agent::adoption::adopt;
use pointsman_agent::config::WorkshopSection;
use pointsman_agent::executor::{Execution, execute};
use pointsman_agent::journal::{RootRecord, StateFolder};
use pointsman_agent::layout::{FenceFile, Root, SlotRecord};
use pointsman_agent::lease::Lease;
use pointsman_agent::policy::{Policy, PolicyOwner};
use pointsman_agent::process::Processes;
use pointsman_agent::step::{Host, Job, Object, Workshop, probe_client};
use pointsman_archive::{Manifest, PackOptions, Selection, Watch, pack};
use pointsman_git::{Stop, Transport};
use pointsman_shared::clock::{Clock, SystemClock};
use pointsman_shared::ids::{Epoch, Generation, JobId};
use pointsman_shared::name::{ReleaseFolder, RootPath, SlotName};
use pointsman_shared::outcome::{Outcome, Product};
use pointsman_shared::wire::JobBody;
use uuid::Uuid;

use crate::desk::FolderDesk;
use crate::world::{gate, long_lease, placement};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";
/// The one hook that the machine's policy lists beside the release's own programs.
pub const LISTED_HOOK: [&str; 2] = ["true", "--listed"];

/// Loading the system's certificates takes longer than most tests.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    probe_client().unwrap()
});

/// The system's clock, put forward by hand.
#[derive(Debug, Default)]
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn put_forward(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The host.
#[derive(Debug)]
pub struct Machine {
    pub folder: PathBuf,
    pub state: StateFolder,
    pub desk: Arc<FolderDesk>,
    pub spare_bytes: u64,
    pub clock: Arc<HandClock>,
    pub workshop: WorkshopSection,
    temporary: Option<tempfile::TempDir>,
}

/// A packed release.
#[derive(Debug, Clone)]
pub struct Release {
    pub folder: ReleaseFolder,
    pub manifest: Manifest,
    pub install: serde_json::Value,
}

impl Machine {
    /// A new host whose root is adopted at generation 0.
    pub async fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().to_owned();
        for name in ["state", "root"] {
            fs_err::create_dir(folder.join(name)).unwrap();
        }
        let hooks = format!("hooks = [{LISTED_HOOK:?}]");
        let policy = format!("builds = true\nroots = [\"{}/**\"]\n{hooks}\n", folder.display());
        fs_err::write(folder.join("policy.toml"), policy).unwrap();
        let mut machine = Self::at(&folder);
        machine.temporary = Some(temporary);
        machine.adopt(0).await;
        machine
    }

    /// The host that lies in `folder` already.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            state: StateFolder::open(&folder.join("state")).unwrap(),
            desk: Arc::new(FolderDesk::new(folder.join("objects"))),
            spare_bytes: 0,
            clock: Arc::default(),
            workshop: WorkshopSection {
                disk_low_bytes: 0,
                ..WorkshopSection::default()
            },
            temporary: None,
        }
    }

    /// Steps aside while another process is this host's agent, and takes over again.
    pub fn while_away(mut self, act: impl FnOnce(&Path)) -> Self {
        let (folder, temporary) = (self.folder.clone(), self.temporary.take());
        drop(self);
        act(&folder);
        let mut machine = Self::at(&folder);
        machine.temporary = temporary;
        machine
    }

    pub fn root_path(&self) -> RootPath {
        self.folder.join("root").display().to_string().parse().unwrap()
    }

    pub fn in_root(&self, path: &str) -> PathBuf {
        self.folder.join("root").join(path)
    }

    pub fn root(&self) -> Root {
        Root::open(&self.root_path()).unwrap()
    }

    pub fn record(&self) -> RootRecord {
        RootRecord {
            placement: placement(),
            root: self.root_path(),
        }
    }

    pub async fn adopt(&self, generation: u64) {
        let slots = [SlotName::current()];
        adopt(
            &self.policy(),
            &self.state.roots,
            &self.record(),
            &slots,
            Generation(generation),
        )
        .await
        .unwrap();
    }

    pub fn policy(&self) -> Policy {
        Policy::load(&self.folder.join("policy.toml"), PolicyOwner::RootOrAgent).unwrap()
    }

    /// The fence of `current`.
    pub fn fence(&self) -> SlotRecord {
        match self.root().fence().unwrap() {
            FenceFile::Standing(fence) => fence.slots[&SlotName::current()].clone(),
            other => panic!("{other:?}"),
        }
    }

    /// What `current` names.
    pub fn current(&self) -> Option<ReleaseFolder> {
        self.root()
            .slot_link(&SlotName::current())
            .unwrap()
            .release()
            .cloned()
    }

    /// Packs a release: `version` says its number in two files, and `bin/hook` appends to `effects` in the root.
    pub fn release(&self, number: u32) -> Release {
        let tree = self.folder.join(format!("tree-{number}"));
        fs_err::create_dir_all(tree.join("bin")).unwrap();
        fs_err::write(tree.join("version"), number.to_string()).unwrap();
        fs_err::write(tree.join("bin/version"), number.to_string()).unwrap();
        let hook = format!(
            "#!/bin/sh\necho \"$1 {number}\" >> \"$POINTSMAN_ROOT/../effects\"\n[ \"$1\" != fail ]\n"
        );
        fs_err::write(tree.join("bin/hook"), hook).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(tree.join("bin/hook"), mode).unwrap();
        self.pack(number, &tree)
    }

    /// Packs any tree.
    pub fn pack(&self, number: u32, tree: &Path) -> Release {
        let manifest = Manifest::scan(tree, &Selection::default(), &Watch::none()).unwrap();
        let archive = self.folder.join("archive");
        let packing = pack(tree, &manifest, &archive, &PackOptions::default(), &Watch::none()).unwrap();
        let objects = [
            (
                Object::Archive(packing.archive()),
                fs_err::read(&archive).unwrap(),
            ),
            (Object::Packing(packing.digest()), packing.canonical_bytes()),
            (Object::Manifest(manifest.digest()), manifest.canonical_bytes()),
        ];
        for (object, bytes) in objects {
            fs_err::write(self.desk.path(object), bytes).unwrap();
        }
        fs_err::remove_file(archive).unwrap();
        let folder = ReleaseFolder::of(number, &manifest.digest());
        let install = serde_json::json!({
            "kind": "install", "placement": placement(), "root": self.root_path(), "release": ID, "folder": folder,
            "manifest": manifest.digest(), "archive": packing.archive(), "packing": packing.digest(),
            "archive_bytes": packing.size(), "total_bytes": manifest.total_bytes(),
            "entries": manifest.entries().len(), "shared": [], "log_stream": ID,
        });
        Release {
            folder,
            manifest,
            install,
        }
    }

    /// The order to switch to a release; hooks write their effects down.
    pub fn switch_order(&self, release: &Release, generation: u64) -> serde_json::Value {
        serde_json::json!({
            "kind": "activate", "placement": placement(), "root": self.root_path(), "slot": "current",
            "generation": generation, "release": ID, "folder": release.folder, "label": "1.0.0",
            "commit": "a".repeat(40), "manifest": release.manifest.digest(),
            "hooks": {"before": [["bin/hook", "before"]], "after": [["bin/hook", "after"]], "timeout_s": 20},
            "health": null, "log_stream": ID,
        })
    }

    /// A job with this order; jobs of the same number are the same job.
    pub fn body(number: u128, order: &serde_json::Value) -> JobBody {
        let body = serde_json::json!({
            "v": 1, "job": JobId(Uuid::from_u128(number)), "number": i64::try_from(number).unwrap(), "installation": "main",
            "audience": {"host": "web01"}, "project": "shop", "project_id": ID, "environment": "production",
            "target_id": ID, "deployment": null, "inputs": [], "order": order,
        });
        serde_json::from_value(body).unwrap()
    }

    pub fn job(&self, body: JobBody, epoch: u32, lease: Lease) -> Job<FolderDesk> {
        let transport = Transport {
            git: "git".into(),
            allow_file: true,
            hosts: Vec::new(),
            home: self.folder.join("git-home"),
            key: None,
            timeout: std::time::Duration::from_mins(1),
            stop: Stop::default(),
        };
        let workshop =
            Workshop::open(&self.folder.join("workshop"), transport, self.workshop.clone()).unwrap();
        Job {
            host: Host {
                id: "web01".parse().unwrap(),
                policy: Arc::new(self.policy()),
                roots: Arc::clone(&self.state.roots),
                http: CLIENT.clone(),
                spare_bytes: self.spare_bytes,
                clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
                workshop: Some(Arc::new(workshop)),
            },
            processes: Processes {
                gate: gate(),
                groups: Arc::clone(&self.state.groups),
                job: body.job,
                epoch: Epoch(epoch),
                placement: Some(placement()),
            },
            body,
            epoch: Epoch(epoch),
            lease,
            variables: BTreeMap::from([("COLOUR".to_owned(), "green".to_owned())]),
            access: Arc::default(),
            desk: Arc::clone(&self.desk),
        }
    }

    /// Does a job to its end.
    pub async fn perform(&self, number: u128, epoch: u32, order: &serde_json::Value) -> Execution {
        let (_keeper, lease) = long_lease();
        execute(&self.job(Self::body(number, order), epoch, lease)).await
    }

    /// Installs a release; it must succeed.
    pub async fn install(&self, release: &Release) -> bool {
        match self.perform(100, 1, &release.install).await {
            Execution::Ended(Outcome::Succeeded {
                product: Product::Installed { reused },
            }) => reused,
            other => panic!("{other:?}"),
        }
    }

    /// Switches to a release under a generation; it must succeed.
    pub async fn switch(&self, release: &Release, generation: u64) {
        let order = self.switch_order(release, generation);
        let done = self.perform(u128::from(generation), 1, &order).await;
        assert!(
            matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
            "{done:?}"
        );
    }

    /// What hooks did so far.
    pub fn effects(&self) -> Vec<String> {
        let effects = fs_err::read_to_string(self.folder.join("effects")).unwrap_or_default();
        effects.lines().map(str::to_owned).collect()
    }
}

/// Code and message of a failed execution.
pub fn failure(execution: &Execution) -> (&str, &str) {
    match execution {
        Execution::Ended(Outcome::Failed { code, message, .. }) => (code, message),
        other => panic!("{other:?}"),
    }
}
