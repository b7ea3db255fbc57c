//! Whether there is room, asked before the first byte is written. Sizes are the signed ones.

use pointsman_shared::outcome::Phase;
use pointsman_shared::wire::job::InstallOrder;

use crate::layout::Root;
use crate::step::Failure;

/// Inodes for our own files around a release.
const OWN_INODES: u64 = 64;

/// Needs the unpacked size and a tenth of it, the archive, and `spare` bytes; and an inode for every entry and link.
pub(super) fn check(root: &Root, order: &InstallOrder, host: &str, spare: u64) -> Result<(), Failure> {
    let (free, inodes) = root
        .free()
        .map_err(|error| Failure::file(Phase::Install, &error))?;
    let unpacked = order.total_bytes.saturating_add(order.total_bytes / 10);
    let needed = unpacked.saturating_add(order.archive_bytes).saturating_add(spare);
    let full = |what: String| {
        let remedy = "free some space, or collect releases that nobody needs";
        Failure::new(
            Phase::Install,
            "disk_full",
            format!("{host}: {what} on the disk of {}; {remedy}", root.path()),
        )
    };
    if free < needed {
        return Err(full(format!("{free} bytes are free, the release needs {needed}")));
    }
    let wanted = order
        .entries
        .saturating_add(order.shared.len() as u64)
        .saturating_add(OWN_INODES);
    if inodes < wanted {
        return Err(full(format!(
            "{inodes} inodes are free, the release needs {wanted}"
        )));
    }
    Ok(())
}
