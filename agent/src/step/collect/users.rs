//! Who uses a release right now: links, switches, processes.

use std::path::Path;

use pointsman_shared::name::ReleaseFolder;

use crate::dir::FileError;
use crate::layout::{Fence, Root, SwitchPhase};

/// Why a release cannot go; none = nobody here uses it.
pub(super) fn reason_to_keep(
    root: &Root,
    fence: &Fence,
    folder: &ReleaseFolder,
) -> Result<Option<String>, FileError> {
    if let Some(link) = root.links_to(folder)?.first() {
        return Ok(Some(format!("the link {link} leads to it")));
    }
    for (slot, record) in &fence.slots {
        let is_next = record.phase == SwitchPhase::Begun && record.to.as_ref() == Some(folder);
        let was_before = record.phase == SwitchPhase::Begun && record.from.as_ref() == Some(folder);
        if is_next || was_before {
            return Ok(Some(format!("a switch of {slot} is not over and names it")));
        }
    }
    if root.progress()?.is_some_and(|progress| progress.to == *folder) {
        return Ok(Some("a switch to it was begun and not seen to end".to_owned()));
    }
    Ok(process_in(&root.release_path(folder)))
}

/// A process whose program or working folder lies in the release. Others' processes can be read only as far as the
/// system allows; what cannot be seen cannot be asked.
fn process_in(release: &Path) -> Option<String> {
    let release = fs_err::canonicalize(release).ok()?;
    for entry in fs_err::read_dir("/proc").ok()?.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        for what in ["cwd", "exe"] {
            let inside =
                fs_err::read_link(entry.path().join(what)).is_ok_and(|path| path.starts_with(&release));
            if inside {
                let program = fs_err::read_to_string(entry.path().join("comm")).unwrap_or_default();
                return Some(format!("process {pid} ({}) runs in it", program.trim()));
            }
        }
    }
    None
}
