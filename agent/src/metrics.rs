//! What the agent measures, for a Prometheus beside it: counted in this process, starting at zero with it.
//!
//! What is true at one moment (spools, disks) is looked at by whoever is asked, in [`crate::edge`]. Nothing here decides
//! anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pointsman_shared::outcome::JobKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What every name begins with.
const PREFIX: &str = "pointsman_agent";
/// Bounds of the time a job takes, in seconds.
const JOB: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0];

type Bytes = Gauge<u64, AtomicU64>;

/// How a job ended here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All of it was done.
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It stopped being ours.
    LeaseLost,
}

impl Ended {
    const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Cancelled, Self::LeaseLost];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// The disk below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The folder.
    pub folder: String,
    /// Bytes that are free for the agent's user.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
}

/// What is true at the moment of a scrape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// Reports that no coordinator acknowledged.
    pub reports: u64,
    /// Bytes of log chunks that the broker does not have.
    pub log_bytes: u64,
    /// The disks of roots and of the agent's own folders.
    pub disks: Vec<Disk>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobsEnded {
    kind: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Folder {
    folder: String,
}

/// The counts of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    broker_up: Gauge,
    heard: Mutex<Instant>,
    silence: Gauge<f64, AtomicU64>,
    refused: Counter,
    running: Family<Kind, Gauge>,
    jobs: Family<JobsEnded, Counter>,
    durations: Family<Kind, Histogram, fn() -> Histogram>,
    reports: Bytes,
    log_bytes: Bytes,
    free: Family<Folder, Bytes>,
    size: Family<Folder, Bytes>,
}

fn job_times() -> Histogram {
    Histogram::new(JOB)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            broker_up: Gauge::default(),
            heard: Mutex::new(Instant::now()),
            silence: Gauge::default(),
            refused: Counter::default(),
            running: Family::default(),
            jobs: Family::default(),
            durations: Family::new_with_constructor(job_times),
            reports: Gauge::default(),
            log_bytes: Gauge::default(),
            free: Family::default(),
            size: Family::default(),
        };
        for kind in JobKind::ALL {
            let kind = kind.as_str();
            drop(metrics.running.get_or_create(&Kind { kind }));
            drop(metrics.durations.get_or_create(&Kind { kind }));
            for ended in Ended::ALL {
                let result = ended.as_str();
                drop(metrics.jobs.get_or_create(&JobsEnded { kind, result }));
            }
        }
        metrics.register_link();
        metrics.register_work();
        metrics.register_host();
        metrics
    }
}

impl Metrics {
    fn register_link(&mut self) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "Which agent this is", version);
        registry.register(
            "broker_up",
            "Whether the connection to the broker stands",
            self.broker_up.clone(),
        );
        registry.register_with_unit(
            "coordinator_silence",
            "Since a coordinator last answered, or since the start; beats may be 30 s apart",
            Unit::Seconds,
            self.silence.clone(),
        );
        registry.register(
            "refused_messages",
            "Messages that were refused: forged, expired, for another",
            self.refused.clone(),
        );
    }

    fn register_work(&mut self) {
        let registry = &mut self.registry;
        registry.register("jobs_running", "Jobs that run here", self.running.clone());
        registry.register("jobs", "Jobs that ended here", self.jobs.clone());
        registry.register_with_unit(
            "job_duration",
            "How long jobs took here",
            Unit::Seconds,
            self.durations.clone(),
        );
    }

    fn register_host(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "reports_waiting",
            "Reports that no coordinator acknowledged yet",
            self.reports.clone(),
        );
        registry.register_with_unit(
            "log_spool",
            "Log lines that the broker does not have yet",
            Unit::Bytes,
            self.log_bytes.clone(),
        );
        registry.register_with_unit(
            "disk_free",
            "Free space of the disk below a folder",
            Unit::Bytes,
            self.free.clone(),
        );
        registry.register_with_unit(
            "disk_size",
            "Size of the disk below a folder",
            Unit::Bytes,
            self.size.clone(),
        );
    }

    /// The connection to the broker stands, or not.
    pub fn broker_is(&self, up: bool) {
        self.broker_up.set(i64::from(up));
    }

    /// A coordinator answered.
    pub fn heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How many messages were refused since the start.
    pub fn refused(&self, total: u64) {
        self.refused.inner().store(total, Ordering::Relaxed);
    }

    /// A job begins; it runs until the returned guard is told how it ended, or is gone.
    pub fn begins(&self, kind: JobKind) -> Running {
        let kind = kind.as_str();
        let running = self.running.get_or_create_owned(&Kind { kind });
        running.inc();
        Running {
            running,
            begun: Instant::now(),
        }
    }

    /// A job that [`Self::begins`] counted ended.
    pub fn ended(&self, kind: JobKind, running: &Running, how: Ended) {
        let (kind, result) = (kind.as_str(), how.as_str());
        self.jobs.get_or_create(&JobsEnded { kind, result }).inc();
        let took = running.begun.elapsed();
        self.durations
            .get_or_create(&Kind { kind })
            .observe(took.as_secs_f64());
    }

    /// Every metric as text.
    pub fn text(&self, moment: &Moment) -> Result<String, std::fmt::Error> {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        self.silence.set(heard.elapsed().as_secs_f64());
        self.reports.set(moment.reports);
        self.log_bytes.set(moment.log_bytes);
        for disk in &moment.disks {
            let folder = Folder {
                folder: disk.folder.clone(),
            };
            self.free.get_or_create(&folder).set(disk.free);
            self.size.get_or_create(&folder).set(disk.size);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A job that runs.
#[derive(Debug)]
pub struct Running {
    running: Gauge,
    begun: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.dec();
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
