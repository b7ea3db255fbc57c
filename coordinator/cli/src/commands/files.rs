//! `versions PROJECT RELEASE --files | --against OTHER`: what a release holds, and how it differs from another.

use pointsman_shared::api::files::{FileChange, FileFate, FileKind, ReleaseFile};
use pointsman_shared::name::ProjectName;

use super::listing;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Which files are listed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The folder.
    pub under: Option<&'a str>,
    /// Whether every file below it.
    pub deep: bool,
}

/// Lists the files of a release.
pub async fn list(
    session: &Session,
    project: &ProjectName,
    release: &str,
    wanted: Wanted<'_>,
    most: usize,
) -> Result<Exit, CliError> {
    let client = session.client()?;
    let files = client
        .release_files(project, release, wanted.under, wanted.deep, most)
        .await?;
    let mut table = Table::new([
        ("SIZE", Narrow::Keep),
        ("FILES", Narrow::Drop(2)),
        ("MODE", Narrow::Drop(1)),
        ("PATH", Narrow::Keep),
        ("SHA-256", Narrow::Cut(12)),
    ]);
    for file in &files.items {
        let is_folder = file.kind == FileKind::Folder;
        let slash = if is_folder { "/" } else { "" };
        let below = i64::try_from(file.files).unwrap_or(i64::MAX);
        let mark = file.sha256.map(|digest| digest.to_string());
        table.row([
            Cell::Bytes(file.size),
            if is_folder {
                Cell::Number(below)
            } else {
                Cell::Nothing
            },
            file.mode.as_str().into(),
            Cell::Text(format!("{}{slash}", file.path)),
            Cell::maybe(mark.or_else(|| file.link.as_ref().map(|link| format!("-> {link}")))),
        ]);
    }
    listing::show(session, &files, &table, "nothing stands in this folder")
}

/// Lists what differs between two releases.
pub async fn diff(
    session: &Session,
    project: &ProjectName,
    release: &str,
    against: &str,
    most: usize,
) -> Result<Exit, CliError> {
    let client = session.client()?;
    let diff = client.release_diff(project, release, against, most).await?;
    let mut table = Table::new([
        ("WHAT", Narrow::Keep),
        ("BEFORE", Narrow::Drop(1)),
        ("NOW", Narrow::Drop(1)),
        ("PATH", Narrow::Keep),
    ]);
    for change in &diff.items {
        let size =
            |side: &Option<ReleaseFile>| side.as_ref().map_or(Cell::Nothing, |side| Cell::Bytes(side.size));
        table.row([
            fate(change),
            size(&change.before),
            size(&change.after),
            change.path.as_str().into(),
        ]);
    }
    let printer = &session.printer;
    printer.show(&diff, &table)?;
    if printer.format() == Format::Table {
        let (added, removed, changed) = (diff.added, diff.removed, diff.changed);
        printer.note(&format!(
            "{} against {}: {added} added, {removed} removed, {changed} changed",
            diff.release, diff.against
        ));
    }
    if diff.next.is_some() {
        let shown = text::counted(diff.items.len(), "row");
        printer.note(&format!("{shown} shown; --all or -n N for more"));
    }
    Ok(Exit::Ok)
}

fn fate(change: &FileChange) -> Cell {
    match change.fate {
        FileFate::Added => Cell::Toned(Tone::Good, "added".to_owned()),
        FileFate::Removed => Cell::Toned(Tone::Bad, "removed".to_owned()),
        FileFate::Changed => Cell::Toned(Tone::Busy, "changed".to_owned()),
    }
}

/// Prints the lines of a file that differ.
pub async fn lines(
    session: &Session,
    project: &ProjectName,
    release: &str,
    against: &str,
    file: &str,
) -> Result<Exit, CliError> {
    let change = session
        .client()?
        .text_diff(project, release, against, file)
        .await?;
    if change.unified.is_empty() && session.printer.format() != Format::Json {
        session.printer.note("its lines are the same");
        return Ok(Exit::Ok);
    }
    session.printer.show_text(&change, &change.unified)?;
    Ok(Exit::Ok)
}
