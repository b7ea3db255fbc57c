//! `project refs`: what a project could be built of, and how far it is.

use pointsman_shared::api::refs::{RefName, RefStanding};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::name::ProjectName;

use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Lists branches and tags.
pub async fn refs(session: &Session, project: &ProjectName, fetch: bool) -> Result<Exit, CliError> {
    let client = session.client()?;
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
    match &standing.release {
        Some(release) => {
            let label = &release.label;
            match release.state {
                ReleaseState::Built => Cell::Toned(Tone::Good, format!("as {label}")),
                ReleaseState::Queued | ReleaseState::Building => {
                    Cell::Toned(Tone::Busy, format!("building {label}"))
                }
                ReleaseState::Failed => Cell::Toned(Tone::Bad, format!("failed as {label}")),
                ReleaseState::Cancelled | ReleaseState::Pruned => {
                    Cell::maybe(since.or(Some("no".to_owned())))
                }
            }
        }
        None => Cell::maybe(since.or(Some("no".to_owned()))),
    }
}
