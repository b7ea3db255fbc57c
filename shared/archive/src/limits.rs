//! What a host accepts at most. Sizes come from the signed manifest, so a limit is checked before a byte is written;
//! there is no limit on how well a release may compress.

use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// Upper bounds of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most files, folders and links together.
    pub max_entries: u64,
    /// Most bytes of all files together.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entries: 200_000,
            max_bytes: 16 << 30,
        }
    }
}

impl Limits {
    /// Refuses a manifest over the limits; builders ask too, so that the build fails and not the hosts.
    pub fn check(&self, manifest: &Manifest) -> Result<()> {
        let entries = manifest.entries().len() as u64;
        let bytes = manifest.total_bytes();
        if entries > self.max_entries {
            return Err(Error::TooLarge {
                unit: "entries",
                actual: entries,
                limit: self.max_entries,
            });
        }
        if bytes > self.max_bytes {
            return Err(Error::TooLarge {
                unit: "bytes",
                actual: bytes,
                limit: self.max_bytes,
            });
        }
        Ok(())
    }
}
