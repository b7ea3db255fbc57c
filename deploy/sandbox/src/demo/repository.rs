//! The repository that the demo deploys: made or mirrored inside DIR, where the fleet's user can read it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use pointsman_sandbox::place::Place;
use pointsman_sandbox::{Error, Result};

/// Runs git as the caller and returns what it prints.
///
/// It reads the caller's own settings (credentials for a private repository live there), and is told that repositories
/// of other owners are meant to be read: the caller named them.
pub(crate) async fn git<S: AsRef<OsStr>>(program: &Path, folder: &Path, arguments: &[S]) -> Result<String> {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(std::process::Stdio::null());
    let output = command
        .output()
        .await
        .map_err(Error::io(format!("running {}", program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.as_ref().to_string_lossy())
        .collect();
    Err(Error::Command {
        command: format!("git {}", words.join(" ")),
        exit: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Mirrors `source` (a folder or an address) into the place and gives it to the fleet's user.
pub(crate) async fn mirror(program: &Path, place: &Place, source: &str, name: &str) -> Result<PathBuf> {
    let folder = place.folder("repositories")?;
    let mirror = folder.join(format!("{name}.git"));
    let source = match fs_err::canonicalize(source) {
        Ok(path) => path.into_os_string(),
        Err(_) => source.into(),
    };
    // Not with hard links: giving them to another user would give away the caller's own files.
    let arguments: Vec<&OsStr> = vec![
        "clone".as_ref(),
        "--quiet".as_ref(),
        "--mirror".as_ref(),
        "--no-local".as_ref(),
        "--".as_ref(),
        &source,
        mirror.as_os_str(),
    ];
    git(program, place.dir(), &arguments).await?;
    place.run_as().own_tree(&mirror)?;
    Ok(mirror)
}

/// A project name from the last part of an address.
pub(crate) fn project_name(source: &str) -> String {
    let last = source
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    let last = last.strip_suffix(".git").unwrap_or(last).to_lowercase();
    let plain: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() {
        "project".to_owned()
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_addresses() {
        assert_eq!(project_name("https://example.org/team/My_Shop.git"), "my-shop");
        assert_eq!(project_name("git@example.org:shop"), "shop");
        assert_eq!(project_name("/srv/repos/--x--/"), "x");
        assert_eq!(project_name("/"), "project");
    }
}
