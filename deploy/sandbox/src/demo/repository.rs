//! The repository that the demo deploys: made or mirrored inside DIR, where the fleet's user can read it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use pointsman_sandbox::place::Place;
use pointsman_sandbox::{Error, Result};

/// Git as the caller runs it.
///
/// It reads the caller's own settings (credentials for a private repository live there), and also reads repositories
/// that belong to somebody else: the caller named them, and the fleet's user owns the mirrors.
#[derive(Debug)]
pub(crate) struct CallersGit {
    program: PathBuf,
    settings: PathBuf,
}

impl CallersGit {
    /// Git with its settings in `place`.
    pub(crate) fn new(program: PathBuf, place: &Place) -> Result<Self> {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let config = std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        let mut text = String::from("[safe]\n\tdirectory = *\n");
        for file in [config.join("git/config"), home.join(".gitconfig")] {
            if file.is_file() {
                text.push_str("[include]\n\tpath = ");
                text.push_str(&file.to_string_lossy());
                text.push('\n');
            }
        }
        let settings = place.path("callers.gitconfig");
        // Not through the place: git must find it to be the caller's.
        fs_err::write(&settings, text)?;
        Ok(Self { program, settings })
    }

    /// Runs git in `folder` and returns the bytes it prints.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S]) -> Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command
            .current_dir(folder)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", &self.settings)
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(Error::io(format!("running {}", self.program.display())))?;
        if output.status.success() {
            return Ok(output.stdout);
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
    pub(crate) async fn mirror(&self, place: &Place, source: &str, name: &str) -> Result<PathBuf> {
        let mirror = place.folder("repositories")?.join(format!("{name}.git"));
        let source = fs_err::canonicalize(source).map_or_else(|_| source.into(), PathBuf::into_os_string);
        // Copied file by file, which is quick, and never with hard links: giving them to another user would give away
        // the caller's own files. What borrows objects from elsewhere must be packed anew.
        let borrows = Path::new(&source).join(".git/objects/info/alternates").exists()
            || Path::new(&source).join("objects/info/alternates").exists();
        let copy = if borrows { "--no-local" } else { "--no-hardlinks" };
        let how = ["clone", "--quiet", "--mirror", copy, "--"].map(OsStr::new);
        let arguments: Vec<&OsStr> = how
            .into_iter()
            .chain([source.as_os_str(), mirror.as_os_str()])
            .collect();
        self.run(place.dir(), &arguments).await?;
        place.run_as().own_tree(&mirror)?;
        Ok(mirror)
    }
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
