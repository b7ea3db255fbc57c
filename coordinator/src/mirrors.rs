//! The coordinator's mirrors: what a ref means right now, and the recipe of a commit.
//!
//! Mirrors are read on threads for blocking work; two requests for one repository wait for each other in the mirror's
//! own lock. A request that goes away ends its fetch. What goes wrong becomes a refusal with git's reason and remedy.

mod glance;
mod history;

use std::time::Duration;

use chrono::{DateTime, Utc};
use pointsman_domain::recipe::{self, FILE_NAME, MAX_BYTES, Recipe};
use pointsman_domain::release::Meaning;
use pointsman_domain::{Refusal, RefusalKind};
use pointsman_git::{Error, Mirror, RefKind, SshKey, Stop, Transport};
use pointsman_shared::api::recipes::RecipeSource;
use pointsman_shared::repository::{CommitId, GitRef, Protocol};
use pointsman_store::deploy_keys;
use pointsman_store::projects::ProjectRow;
use pointsman_store::recipes::{self, Kept};

use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::operations::keep_deploy_key;
pub use glance::{Distance, Refs, Remembered, Way, between, count_soon, distance_known, newer, newest, refs};
pub use history::{carries, changes};

/// A commit to build from, with all that is frozen at the request.
#[derive(Debug, Clone)]
pub struct Source {
    /// The ref, as it was asked for; the default branch when none was.
    pub reference: String,
    /// The commit it means.
    pub commit: CommitId,
    /// The tag, when a tag was named.
    pub tag: Option<GitRef>,
    /// First line of the commit's message.
    pub subject: String,
    /// Author of the commit.
    pub author: String,
    /// When the commit was made, by the clock of whoever made it.
    pub committed_at: Option<DateTime<Utc>>,
    /// The recipe's bytes; none = there is no recipe.
    pub recipe_body: Option<String>,
    /// The document that it is, where the coordinator keeps the project's recipe.
    pub recipe_document: Option<uuid::Uuid>,
    /// The recipe, judged.
    pub recipe: Recipe,
}

/// What is to be read from a repository.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Its default branch.
    Default,
    /// The tag, branch or commit of this name.
    Named(GitRef),
    /// The same, called by the one tag that its commit bears, where a branch or a commit was named.
    ByItsTag(GitRef),
    /// The branch or tag of this name, whatever else is called so.
    Exactly(RefKind, GitRef),
}

impl From<Option<GitRef>> for Asked {
    fn from(reference: Option<GitRef>) -> Self {
        reference.map_or(Self::Default, Self::Named)
    }
}

/// Fetches, and reads what was asked for and how it is built.
pub async fn source(app: &App, project: &ProjectRow, asked: Asked) -> OperationResult<Source> {
    let file = match &project.subdirectory {
        Some(folder) => format!("{folder}/{FILE_NAME}"),
        None => FILE_NAME.to_owned(),
    };
    let kept = kept_recipe(app, project).await?;
    let read = {
        let file = file.clone();
        on_mirror(app, project, move |mirror| pinned(mirror, asked, &file)).await?
    };
    let pinned = read.ok_or_else(|| {
        let what = format!("repository {} has no commit", project.repository);
        Refusal::not_found("empty_repository", what)
    })?;
    let (name, recipe_body) = if let Some(kept) = &kept {
        let name = format!("recipe of {}, revision {}", project.name, kept.revision.revision);
        (name, Some(kept.revision.body.clone()))
    } else {
        let body = pinned.file.map(|bytes| text(&file, bytes)).transpose()?;
        (file, body)
    };
    let recipe = recipe_body
        .as_deref()
        .map(|body| read_recipe(&name, body, &pinned.commit))
        .transpose()?;
    let (subject, author) = pinned
        .first
        .map(|first| (first.subject, first.author))
        .unwrap_or_default();
    Ok(Source {
        reference: pinned.reference,
        commit: pinned.commit,
        tag: pinned.tag,
        subject,
        author,
        committed_at: pinned.committed_at,
        recipe_body,
        recipe_document: kept.map(|kept| kept.id),
        recipe: recipe.unwrap_or_default(),
    })
}

/// A commit as the mirror tells it.
struct Pinned {
    reference: String,
    commit: CommitId,
    tag: Option<GitRef>,
    first: Option<pointsman_git::Commit>,
    committed_at: Option<DateTime<Utc>>,
    /// The recipe's file.
    file: Option<Vec<u8>>,
}

/// None = the repository has no commit.
fn pinned(mirror: &Mirror, asked: Asked, file: &str) -> Result<Option<Pinned>, Error> {
    mirror.fetch()?;
    let (reference, commit, tag) = match asked {
        Asked::Named(reference) => {
            let resolved = mirror.resolve(&reference)?;
            (reference.to_string(), resolved.commit, resolved.label)
        }
        Asked::ByItsTag(reference) => {
            let resolved = mirror.resolve(&reference)?;
            let tag = match resolved.label {
                Some(tag) => Some(tag),
                None => mirror.only_tag(&resolved.commit)?,
            };
            (reference.to_string(), resolved.commit, tag)
        }
        Asked::Exactly(kind, name) => {
            let resolved = mirror.resolve_as(kind, &name)?;
            (name.to_string(), resolved.commit, resolved.label)
        }
        Asked::Default => match mirror.head()? {
            Some(head) => {
                let branch = head.branch.unwrap_or_else(|| "HEAD".to_owned());
                (branch, head.commit, None)
            }
            None => return Ok(None),
        },
    };
    mirror.ensure_commit(&commit)?;
    let first = mirror.log(None, &commit, 1)?.into_iter().next();
    let committed_at = DateTime::from_timestamp(mirror.commit_time(&commit)?, 0);
    // One byte more than allowed, so that a longer one is told apart and named as too long by its reader.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_mul(8);
    let file = mirror.read_blob(&commit, file, limit)?;
    Ok(Some(Pinned {
        reference,
        commit,
        tag,
        first,
        committed_at,
        file,
    }))
}

/// The recipe that the coordinator keeps, where it counts.
async fn kept_recipe(app: &App, project: &ProjectRow) -> OperationResult<Option<Kept>> {
    let mut conn = app.store.read().await?;
    match recipes::source(&mut conn, project.id).await? {
        RecipeSource::Repository => Ok(None),
        RecipeSource::Coordinator => {
            let newest = recipes::revisions(&mut conn, &project.name, None, None, 1).await?;
            Ok(newest.into_iter().next())
        }
    }
}

fn text(file: &str, bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| {
        Refusal::invalid("invalid_recipe", format!("{file}, line 1: it is not UTF-8"))
            .hint("save it as UTF-8")
    })
}

fn read_recipe(file: &str, body: &str, commit: &CommitId) -> Result<Recipe, Refusal> {
    recipe::parse(file, body).map_err(|error| {
        Refusal::invalid("invalid_recipe", format!("{error} (commit {})", commit.short())).hint(error.remedy)
    })
}

/// Brings a mirror up to date.
pub async fn fetch(app: &App, project: &ProjectRow) -> OperationResult<()> {
    on_mirror(app, project, Mirror::fetch).await?;
    glance::forget_gaps(app, project.id);
    Ok(())
}

/// What tags, branches and commits of the repository are called `spec`; none = it knows no such name. Also near names.
pub async fn meanings(
    app: &App,
    project: &ProjectRow,
    spec: &str,
) -> OperationResult<(Vec<Meaning>, Vec<String>)> {
    let Ok(reference) = spec.parse::<GitRef>() else {
        return Ok((Vec::new(), Vec::new()));
    };
    on_mirror(app, project, move |mirror| {
        mirror.fetch()?;
        let meaning = |kind: RefKind, name: &str, commit: CommitId| Meaning {
            what: format!("{kind} {name}"),
            commit,
        };
        match mirror.resolve(&reference) {
            Ok(found) => Ok((
                vec![meaning(found.kind, reference.as_str(), found.commit)],
                Vec::new(),
            )),
            Err(Error::AmbiguousRef { hits, .. }) => Ok((
                hits.into_iter()
                    .map(|hit| meaning(hit.kind, &hit.name, hit.commit))
                    .collect(),
                Vec::new(),
            )),
            Err(Error::UnknownRef { suggestions, .. }) => Ok((Vec::new(), suggestions)),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Ends a fetch when the request that wants it goes away.
#[derive(Default)]
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

async fn on_mirror<T: Send + 'static>(
    app: &App,
    project: &ProjectRow,
    work: impl FnOnce(&Mirror) -> Result<T, Error> + Send + 'static,
) -> OperationResult<T> {
    let url = project.repository.clone();
    let guard = StopOnDrop::default();
    let transport = transport(app, project, &guard).await?;
    let folder = app
        .config
        .git
        .mirrors
        .join(transport.mirror_name(&url, project.id));
    let done = tokio::task::spawn_blocking(move || {
        let mirror = Mirror::open(&folder, &url, &transport)?;
        work(&mirror)
    })
    .await;
    drop(guard);
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refusal(error)),
        Err(died) => Err(OperationError::internal("reading a mirror", died)),
    }
}

/// How a project's repository is reached.
async fn transport(app: &App, project: &ProjectRow, guard: &StopOnDrop) -> OperationResult<Transport> {
    let git = &app.config.git;
    Ok(Transport {
        git: git.program.clone(),
        allow_file: git.allow_file,
        hosts: git.hosts.clone(),
        home: git.home.clone().unwrap_or_else(|| git.mirrors.clone()),
        key: deploy_key(app, project).await?,
        timeout: Duration::from_secs(git.timeout_s),
        stop: guard.0.clone(),
    })
}

/// The project's own key, where its repository is reached over ssh.
async fn deploy_key(app: &App, project: &ProjectRow) -> OperationResult<Option<SshKey>> {
    if project.repository.protocol() != Protocol::Ssh {
        return Ok(None);
    }
    let row = deploy_keys::get(&mut *app.store.read().await?, project.id).await?;
    let Some(row) = row else { return Ok(None) };
    let known_hosts = row.known_hosts.clone();
    let private = keep_deploy_key::unseal(app, project.id, row)?;
    let key = SshKey::new(&private, &known_hosts);
    Ok(Some(key.map_err(refusal)?))
}

/// Turns git's error into words for the caller; what is wrong with this machine goes to the log.
fn refusal(error: Error) -> OperationError {
    let kind = match error.kind() {
        "repository_not_allowed"
        | "repository_unsound"
        | "no_such_folder"
        | "unusable_path"
        | "too_large" => RefusalKind::Invalid,
        "unknown_ref" | "unknown_commit" => RefusalKind::NotFound,
        "ambiguous_ref" => RefusalKind::Conflict,
        "repository_unreachable" | "timeout" | "stopped" | "mirror_damaged" => RefusalKind::Unavailable,
        // No git program, no space: nothing the caller did.
        _ => return OperationError::internal("reading a mirror", error),
    };
    let refusal = Refusal::new(kind, error.kind(), error.to_string()).hint(error.remedy());
    OperationError::Refused(refusal)
}
