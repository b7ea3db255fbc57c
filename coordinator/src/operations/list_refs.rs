//! Branches and tags of a project as they were last fetched, and how far each is built. Reading fetches nothing.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use pointsman_domain::release::Candidate;
use pointsman_git::{Head, RefKind};
use pointsman_shared::api::refs::{RefName, RefRelease, RefStanding, RepositoryRefs, SinceRelease};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::repository::CommitId;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases;

use crate::app::App;
use crate::error::OperationResult;
use crate::mirrors;

/// Names that are told for choosing one.
const MOST_NAMES: usize = 500;

/// The refs of a project.
#[derive(Debug, Default)]
pub struct Listed {
    /// The newest, looked at closely.
    pub standing: RepositoryRefs,
    /// Names of more of them.
    pub names: Vec<String>,
}

/// Reads them.
pub async fn execute(app: &App, project: &ProjectRow) -> OperationResult<Listed> {
    let candidates = releases::candidates(&mut *app.store.read().await?, project.id).await?;
    let is_built = |candidate: &&Candidate| candidate.state == ReleaseState::Built;
    let built: BTreeSet<CommitId> = candidates
        .iter()
        .filter(is_built)
        .map(|candidate| candidate.commit.clone())
        .collect();
    let Some(refs) = mirrors::refs(app, project, built).await? else {
        return Ok(Listed::default());
    };
    // Newest first: the first of a commit is the one that counts.
    let (mut newest, mut newest_built) = (HashMap::new(), HashMap::new());
    for candidate in &candidates {
        newest.entry(&candidate.commit).or_insert(candidate);
        if is_built(&candidate) {
            newest_built.entry(&candidate.commit).or_insert(candidate);
        }
    }
    let standing = |head: &Head| RefStanding {
        kind: match head.entry.kind {
            RefKind::Tag => RefName::Tag,
            RefKind::Branch | RefKind::Commit => RefName::Branch,
        },
        name: head.entry.name.clone(),
        commit: head.entry.commit.to_string(),
        committed_at: DateTime::from_timestamp(head.entry.committed_at, 0).unwrap_or_default(),
        subject: head.commit.subject.clone(),
        author: head.commit.author.clone(),
        // A build that failed does not hide an earlier one that did not.
        release: newest_built
            .get(&head.entry.commit)
            .or_else(|| newest.get(&head.entry.commit))
            .map(|found| RefRelease {
                number: found.number,
                label: found.label.clone(),
                state: found.state,
            }),
        since: head.since.as_ref().and_then(|(commit, commits)| {
            let found = newest_built.get(commit)?;
            Some(SinceRelease {
                number: found.number,
                label: found.label.clone(),
                commits: u64::try_from(*commits).unwrap_or(u64::MAX),
            })
        }),
    };
    Ok(Listed {
        names: refs
            .names
            .iter()
            .take(MOST_NAMES)
            .map(|entry| entry.name.clone())
            .collect(),
        standing: RepositoryRefs {
            fetched_at: Some(DateTime::<Utc>::from(refs.fetched_at)),
            refs: refs.heads.iter().map(standing).collect(),
            more: (refs.names.len() - refs.heads.len()) as u64,
        },
    })
}
