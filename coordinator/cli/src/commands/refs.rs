//! `project refs`: what a project could be built of, and how far it is.

use pointsman_shared::api::refs::{BranchCommits, RefName, RefRelease, RefStanding};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::name::ProjectName;

use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Lists branches and tags, or what is not built of one branch.
pub async fn refs(
    session: &Session,
    project: &ProjectName,
    fetch: bool,
    branch: Option<&str>,
) -> Result<Exit, CliError> {
    let client = session.client()?;
    if let Some(branch) = branch {
        if fetch {
            session.reason_is_not_kept();
            client.fetch(project).await?;
        }
        return commits(session, &client.commits(project, branch).await?);
    }
    let refs = if fetch {
        session.reason_is_not_kept();
        client.fetch(project).await?
    } else {
        client.refs(project).await?
    };
    let mut table = Table::new([
        ("KIND", Narrow::Drop(2)),
        ("NAME", Narrow::Keep),
        ("COMMIT", Narrow::Keep),
        ("BUILT", Narrow::Keep),
        ("AGE", Narrow::Drop(1)),
        ("SUBJECT", Narrow::Cut(16)),
        ("AUTHOR", Narrow::Drop(3)),
    ]);
    for standing in &refs.refs {
        let kind = match standing.kind {
            RefName::Branch => "branch",
            RefName::Tag => "tag",
        };
        table.row([
            kind.into(),
            standing.name.as_str().into(),
            standing.commit.get(..10).unwrap_or(&standing.commit).into(),
            built(standing),
            Cell::At(standing.committed_at),
            standing.subject.as_str().into(),
            standing.author.as_str().into(),
        ]);
    }
    let printer = &session.printer;
    printer.show(&refs, &table)?;
    if printer.format() == Format::Table {
        match refs.fetched_at {
            Some(at) => printer.note(&format!("as fetched {}; --fetch looks again", text::moment(at))),
            None => printer.note("nothing was fetched yet; --fetch does it"),
        }
        if refs.more > 0 {
            printer.note(&format!("{} older ones are left out", refs.more));
        }
    }
    Ok(Exit::Ok)
}

/// `as 1.9.1`, `3 after 1.9.0`, `failed as 7`
fn built(standing: &RefStanding) -> Cell {
    let since = standing
        .since
        .as_ref()
        .map(|since| format!("{} after {}", since.commits, since.label));
    let told = standing.release.as_ref().and_then(state);
    told.unwrap_or_else(|| Cell::maybe(since.or(Some("no".to_owned()))))
}

/// What became of a release; none where nothing is left of it.
fn state(release: &RefRelease) -> Option<Cell> {
    let label = &release.label;
    match release.state {
        ReleaseState::Built => Some(Cell::Toned(Tone::Good, format!("as {label}"))),
        ReleaseState::Queued | ReleaseState::Building => {
            Some(Cell::Toned(Tone::Busy, format!("building {label}")))
        }
        ReleaseState::Failed => Some(Cell::Toned(Tone::Bad, format!("failed as {label}"))),
        ReleaseState::Cancelled | ReleaseState::Pruned => None,
    }
}

/// Commits of a branch, each with what became of its build.
fn commits(session: &Session, listed: &BranchCommits) -> Result<Exit, CliError> {
    let mut table = Table::new([
        ("COMMIT", Narrow::Keep),
        ("BUILT", Narrow::Keep),
        ("AGE", Narrow::Drop(1)),
        ("SUBJECT", Narrow::Cut(16)),
        ("AUTHOR", Narrow::Drop(2)),
    ]);
    for row in &listed.commits {
        let commit = &row.commit;
        table.row([
            commit.id.get(..10).unwrap_or(&commit.id).into(),
            row.release
                .as_ref()
                .and_then(state)
                .unwrap_or_else(|| "no".into()),
            Cell::At(commit.at),
            commit.subject.as_str().into(),
            commit.author.as_str().into(),
        ]);
    }
    session.printer.show(listed, &table)?;
    if session.printer.format() == Format::Table {
        let looked = text::counted(usize::try_from(listed.looked_at).unwrap_or(usize::MAX), "commit");
        let which = if listed.more { "the newest " } else { "all " };
        session.printer.note(&format!(
            "{} of {which}{looked} of {} are not built",
            listed.commits.len(),
            listed.branch
        ));
    }
    Ok(Exit::Ok)
}
