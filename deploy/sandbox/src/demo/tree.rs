//! Compares a folder with what git says of a commit: byte for byte, link for link, executable bit for bit.
//!
//! It asks git itself and hashes the files on the host; nothing of the system under test takes part.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::repository::CallersGit;
use super::summary::TreeCheck;
use git2::{ObjectType, Oid};
use pointsman_sandbox::{Error, Result};

/// Differences that are told; more say nothing new.
const TOLD: usize = 10;

/// A line of `git ls-tree -rz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    mode: String,
    id: String,
    path: PathBuf,
}

impl TreeEntry {
    /// Whether this is the recipe, which decides what else is in the release.
    pub(crate) fn is_recipe(&self) -> bool {
        self.path == Path::new("pointsman.toml")
    }
}

/// What git says of a commit.
pub(crate) async fn entries(git: &CallersGit, repository: &Path, commit: &str) -> Result<Vec<TreeEntry>> {
    let listed = git
        .run(repository, &["ls-tree", "-rz", "--full-tree", commit])
        .await?;
    let lines = listed.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            parse(line).ok_or_else(|| Error::Unexpected("git ls-tree printed a strange line".to_owned()))
        })
        .collect()
}

fn parse(line: &[u8]) -> Option<TreeEntry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let (mode, _kind, id) = (words.next()?, words.next()?, words.next()?);
    let path = PathBuf::from(OsStr::from_bytes(&line[tab + 1..]));
    Some(TreeEntry {
        mode: mode.to_owned(),
        id: id.to_owned(),
        path,
    })
}

/// Compares `folder` with the entries.
pub(crate) fn compare(folder: &Path, entries: &[TreeEntry]) -> Result<TreeCheck> {
    let mut check = TreeCheck::default();
    let mut wanted = BTreeSet::new();
    for entry in entries {
        if let Err(difference) = compare_one(folder, entry, &mut check) {
            tell(&mut check, &entry.path, &difference);
        }
        wanted.extend(
            entry
                .path
                .ancestors()
                .filter(|path| !path.as_os_str().is_empty())
                .map(Path::to_owned),
        );
    }
    let mut found = Vec::new();
    walk(folder, Path::new(""), &mut found)?;
    for path in found.iter().filter(|path| !wanted.contains(*path)) {
        tell(&mut check, path, "it is not in the commit");
    }
    Ok(check)
}

fn tell(check: &mut TreeCheck, path: &Path, difference: &str) {
    if check.differences.len() < TOLD {
        check
            .differences
            .push(format!("{}: {difference}", path.display()));
    }
}

fn compare_one(folder: &Path, entry: &TreeEntry, check: &mut TreeCheck) -> Result<(), String> {
    let path = folder.join(&entry.path);
    let meta = fs_err::symlink_metadata(&path).map_err(|error| error.to_string())?;
    match entry.mode.as_str() {
        "120000" if meta.is_symlink() => {
            let link = fs_err::read_link(&path).map_err(|error| error.to_string())?;
            same_blob(link.as_os_str().as_bytes(), &entry.id)?;
            check.links += 1;
        }
        "160000" if meta.is_dir() => check.gitlinks += 1,
        "100644" | "100755" | "100664" if meta.is_file() => {
            let executable = meta.permissions().mode() & 0o111 != 0;
            if executable != (entry.mode == "100755") {
                return Err("its executable bit differs".to_owned());
            }
            let bytes = fs_err::read(&path).map_err(|error| error.to_string())?;
            same_blob(&bytes, &entry.id)?;
            check.files += 1;
            check.executables += u64::from(executable);
            check.bytes += meta.len();
        }
        mode => {
            return Err(format!(
                "it should be of mode {mode} and is {:?}",
                meta.file_type()
            ));
        }
    }
    Ok(())
}

fn same_blob(bytes: &[u8], id: &str) -> Result<(), String> {
    let found = Oid::hash_object(ObjectType::Blob, bytes).map_err(|error| error.to_string())?;
    if found.to_string() == id {
        Ok(())
    } else {
        Err(format!("its content is blob {found}, not {id}"))
    }
}

/// Everything below `folder`, as relative paths.
fn walk(folder: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs_err::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(folder, &path, found)?;
        }
        found.push(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, content: &[u8], path: &str) -> TreeEntry {
        let id = Oid::hash_object(ObjectType::Blob, content).unwrap().to_string();
        TreeEntry {
            mode: mode.to_owned(),
            id,
            path: PathBuf::from(path),
        }
    }

    #[test]
    fn equal_trees_are_counted_and_every_difference_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs_err::create_dir(folder.join("a b")).unwrap();
        fs_err::write(folder.join("a b/f"), "text").unwrap();
        std::os::unix::fs::symlink("a b/f", folder.join("l")).unwrap();
        let entries = [entry("100644", b"text", "a b/f"), entry("120000", b"a b/f", "l")];
        let check = compare(folder, &entries).unwrap();
        assert_eq!(
            check,
            TreeCheck {
                files: 1,
                links: 1,
                bytes: 4,
                ..TreeCheck::default()
            }
        );

        fs_err::write(folder.join("extra"), "").unwrap();
        let entries = [
            entry("100755", b"text", "a b/f"),
            entry("120000", b"else", "l"),
            entry("100644", b"", "gone"),
        ];
        let check = compare(folder, &entries).unwrap();
        let told: Vec<&str> = check
            .differences
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(told, ["a b/f", "l", "gone", "extra"]);
    }

    #[test]
    fn a_line_of_ls_tree_is_read_with_tabs_and_newlines_in_names() {
        let line = b"120000 blob 0123456789012345678901234567890123456789\todd\tname\nhere";
        let entry = parse(line).unwrap();
        assert_eq!(
            (entry.mode.as_str(), entry.path.to_str()),
            ("120000", Some("odd\tname\nhere"))
        );
    }
}
