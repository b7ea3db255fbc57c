//! `--keep`: what is left for inspection after a demo, the roots of the hosts and nothing else.

use std::path::Path;

use pointsman_sandbox::{Error, Result, Sandbox};

/// Refuses a folder that holds something, before the demo begins.
pub(crate) fn check(keep: &Path) -> Result<()> {
    fs_err::create_dir_all(keep)?;
    if fs_err::read_dir(keep)?.next().is_none() {
        return Ok(());
    }
    let why = "it holds other files; choose a new or an empty folder to keep the roots in".to_owned();
    Err(Error::Taken {
        dir: keep.to_owned(),
        why,
    })
}

/// Copies every host's root to `<keep>/<host>/<project>`; links inside are relative and stay true.
pub(crate) fn take(sandbox: &Sandbox, keep: &Path) -> Result<()> {
    for host in sandbox.web_hosts() {
        let from = host.roots();
        let to = keep.join(host.id());
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(&from)
            .arg(&to)
            .status()
            .map_err(Error::io("running cp"))?;
        if !status.success() {
            return Err(Error::Unexpected(format!(
                "{} could not be copied to {}",
                from.display(),
                to.display()
            )));
        }
    }
    Ok(())
}
