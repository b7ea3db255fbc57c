//! Reads which migrations a built release has out of its manifest, where the built-in runner will find them.
//!
//! What has no place in the order, or takes back nothing, fails the build: it would fail a host later. A project's own
//! tool is asked on a host instead, when it first works on the release's migrations.

use pointsman_archive::{Kind, Manifest};
use pointsman_domain::recipe::Recipe;
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::migration::{MigrationPhase, Script, scripts};
use pointsman_shared::wire::job::MigrationRunner;
use pointsman_store::migrations::{self, ReleaseMigration};
use pointsman_store::{StoreError, Transaction};

use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Scripts that can be run; `one_way` names those without a way back.
    Scripts {
        /// Their files.
        one_way: Vec<String>,
    },
    /// A script that cannot be run; why, for people.
    Refused(String),
}

/// Stores the scripts of a release that was just built.
pub async fn execute(
    app: &App,
    tx: &mut Transaction,
    release: ReleaseId,
    recipe: &Recipe,
    manifest: &Digest,
) -> OperationResult<Found> {
    let folders = folders(recipe);
    if folders.is_empty() {
        return Ok(Found::Scripts { one_way: Vec::new() });
    }
    let manifest = read_manifest(app, release, manifest).await?;
    let mut one_way = Vec::new();
    for (phase, folder) in folders {
        let found = match scripts(folder, files(&manifest)) {
            Ok(found) => found,
            Err(error) => return Ok(Found::Refused(error.to_string())),
        };
        if found.is_empty() {
            let what = format!("the recipe names migrations in {folder} and the release has no script there");
            return Ok(Found::Refused(format!(
                "{what}; check build.include, or take the section out"
            )));
        }
        one_way.extend(
            found
                .iter()
                .filter(|script| script.down.is_none())
                .map(Script::file),
        );
        for script in found {
            let migration = ReleaseMigration {
                phase,
                reversible: script.down.is_some(),
                checksum: Some(script.checksum),
                name: script.name,
            };
            migrations::add_to_release(tx, release, &migration).await?;
        }
    }
    Ok(Found::Scripts { one_way })
}

fn folders(recipe: &Recipe) -> Vec<(MigrationPhase, &str)> {
    [MigrationPhase::Pre, MigrationPhase::Post]
        .into_iter()
        .filter_map(|phase| match recipe.migrations.runner(phase) {
            Some(MigrationRunner::Sql { folder, .. }) => Some((phase, folder.as_str())),
            Some(MigrationRunner::Commands { .. }) | None => None,
        })
        .collect()
}

fn files(manifest: &Manifest) -> impl Iterator<Item = (&str, Digest)> {
    manifest.entries().iter().filter_map(|entry| match &entry.kind {
        Kind::File { digest, .. } => Some((entry.path.as_str(), *digest)),
        Kind::Directory | Kind::Symlink { .. } => None,
    })
}

async fn read_manifest(app: &App, release: ReleaseId, digest: &Digest) -> OperationResult<Manifest> {
    let wrong = |what: String| StoreError::inconsistent("release", release, what);
    let bytes = app
        .objects
        .read(ObjectKind::Manifest, digest)
        .await
        .map_err(|error| OperationError::internal("reading a manifest", error))?;
    let bytes = bytes.ok_or_else(|| wrong(format!("its manifest {digest} is not in the artifact store")))?;
    Ok(Manifest::parse(&bytes).map_err(|error| wrong(format!("its manifest cannot be read: {error}")))?)
}
