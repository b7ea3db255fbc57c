//! How long what builds leave behind stays on this host. The host decides: it knows its disk.

use std::time::Duration;

use serde::Deserialize;

const DAY: u64 = 24 * 3600;

/// Mirrors and caches of a builder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkshopSection {
    /// Build caches of a project that are kept, the newest.
    pub caches: usize,
    /// Days after which a build cache that no build used goes.
    pub cache_days: u32,
    /// Days after which a mirror of a repository that no build used goes.
    pub mirror_days: u32,
    /// With fewer free bytes also younger ones go, the longest unused first.
    pub disk_low_bytes: u64,
}

impl Default for WorkshopSection {
    /// 3 caches, 14 and 30 days, 2 GiB.
    fn default() -> Self {
        Self {
            caches: 3,
            cache_days: 14,
            mirror_days: 30,
            disk_low_bytes: 2 << 30,
        }
    }
}

impl WorkshopSection {
    /// How long an unused cache stays.
    pub fn cache_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.cache_days) * DAY)
    }

    /// How long an unused mirror stays.
    pub fn mirror_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.mirror_days) * DAY)
    }
}
