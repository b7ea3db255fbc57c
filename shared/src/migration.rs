//! A project's migrations: their phases, their states, and which files of a release are scripts of the built-in runner.
//!
//! Coordinator and agent read the same list out of the same manifest: what is refused at the build cannot surprise a
//! host later. Nothing here reads a file or a database.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
pub use crate::name::MigrationName;

/// The phase a migration belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MigrationPhase {
    /// Before the release may go live.
    Pre,
    /// After it has been live for a while.
    Post,
    /// Long and resumable; reserved.
    Hard,
}

impl MigrationPhase {
    /// Every phase.
    pub const ALL: [Self; 3] = [Self::Pre, Self::Post, Self::Hard];

    /// The name used on the wire, in ledgers and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
            Self::Hard => "hard",
        }
    }
}

impl std::fmt::Display for MigrationPhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a migration stands in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// Not applied.
    Pending,
    /// Applied.
    Applied,
    /// Begun, and nobody saw its end.
    Indeterminate,
}

impl MigrationState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Applied, Self::Indeterminate];

    /// The name used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// A script of the built-in runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its name: the file's, without the ending.
    pub name: MigrationName,
    /// SHA-256 of the file.
    pub checksum: Digest,
    /// SHA-256 of the file that takes it back, when there is one.
    pub down: Option<Digest>,
}

impl Script {
    /// The file inside the migrations' folder.
    pub fn file(&self) -> String {
        format!("{}.sql", self.name)
    }

    /// The file that takes it back.
    pub fn down_file(&self) -> String {
        format!("{}.down.sql", self.name)
    }
}

/// A file that is named like a script and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Its name gives it no place in the order.
    #[error("{folder}/{file} is no migration: name it NNNN_what_it_does.sql, or move it elsewhere")]
    Unnumbered {
        /// The folder.
        folder: String,
        /// The file.
        file: String,
    },
    /// It takes back what does not exist.
    #[error(
        "{folder}/{file} takes back a migration that is not there: {folder}/{name}.sql is missing; add it, or remove the .down.sql"
    )]
    Orphan {
        /// The folder.
        folder: String,
        /// The file.
        file: String,
        /// The migration that is missing.
        name: String,
    },
}

/// The scripts that lie directly in `folder`, in the order in which they are applied: by name, so numbers need leading
/// zeros. `files` are a release's files with their SHA-256. Files that do not end in `.sql` are none of ours.
pub fn scripts<'a>(
    folder: &str,
    files: impl IntoIterator<Item = (&'a str, Digest)>,
) -> Result<Vec<Script>, ScriptError> {
    let prefix = format!("{}/", folder.trim_end_matches('/'));
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for (path, digest) in files {
        let Some(file) = path.strip_prefix(&prefix).filter(|file| !file.contains('/')) else {
            continue;
        };
        let Some(stem) = file.strip_suffix(".sql") else {
            continue;
        };
        let (stem, list) = match stem.strip_suffix(".down") {
            Some(stem) => (stem, &mut down),
            None => (stem, &mut up),
        };
        list.push((
            numbered(stem).ok_or_else(|| ScriptError::Unnumbered {
                folder: folder.to_owned(),
                file: file.to_owned(),
            })?,
            digest,
        ));
    }
    for (name, _) in &down {
        if !up.iter().any(|(other, _)| other == name) {
            return Err(ScriptError::Orphan {
                folder: folder.to_owned(),
                file: format!("{name}.down.sql"),
                name: name.to_string(),
            });
        }
    }
    let mut scripts: Vec<_> = up
        .into_iter()
        .map(|(name, checksum)| Script {
            down: down
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, digest)| *digest),
            name,
            checksum,
        })
        .collect();
    scripts.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    Ok(scripts)
}

/// `NNNN_what_it_does`, as a name.
fn numbered(stem: &str) -> Option<MigrationName> {
    let (number, rest) = stem.split_once('_')?;
    let counts = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty();
    counts.then(|| stem.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[&str]) -> Result<Vec<(String, bool)>, String> {
        let files = files.iter().map(|file| (*file, Digest::of(file.as_bytes())));
        let scripts = scripts("db/pre", files).map_err(|error| error.to_string())?;
        Ok(scripts
            .into_iter()
            .map(|script| (script.file(), script.down.is_some()))
            .collect())
    }

    #[test]
    fn scripts_are_the_numbered_files_of_the_folder_in_order() {
        let found = read(&[
            "db/pre/0010_b.sql",
            "db/pre/0002_a.sql",
            "db/pre/0002_a.down.sql",
            "db/pre/README.md",
            "db/pre/old/0001_x.sql",
            "db/post/0001_y.sql",
        ]);
        let expected = [("0002_a.sql".to_owned(), true), ("0010_b.sql".to_owned(), false)];
        assert_eq!(found, Ok(expected.into()));
        assert_eq!(read(&["index.html"]), Ok(Vec::new()));
    }

    #[test]
    fn what_has_no_place_in_the_order_is_refused_by_name() {
        for (file, words) in [
            ("db/pre/add_price.sql", "db/pre/add_price.sql is no migration"),
            ("db/pre/0001.sql", "name it NNNN_what_it_does.sql"),
            ("db/pre/-1_x.sql", "is no migration"),
            ("db/pre/0001_a b.sql", "is no migration"),
            ("db/pre/0001_a.down.sql", "db/pre/0001_a.sql is missing"),
        ] {
            let error = read(&[file]).unwrap_err();
            assert!(error.contains(words), "{file}: {error}");
        }
    }
}
