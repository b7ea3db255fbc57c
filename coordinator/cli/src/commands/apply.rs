//! `apply -f FILE`: projects, environments, targets and variables as a file says, all or nothing.

use std::io::Read as _;
use std::path::Path;

use pointsman_shared::api::projects::{Change, Document};

use crate::args::Apply;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Applies the file.
pub async fn apply(session: &Session, args: Apply) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let text = read(&args.file)?;
    let name = if is_stdin(&args.file) {
        "stdin".to_owned()
    } else {
        args.file.display().to_string()
    };
    let document: Document = toml::from_str(&text).map_err(|error| CliError::Usage {
        what: format!("{name} cannot be applied"),
        why: Some(text::toml_error(&text, &error)),
        help: Some("mend the file; nothing was changed".to_owned()),
    })?;
    let applied = session.client()?.apply(&document).await?;
    session.printer.show(&applied, &table(&applied.changes))?;
    let changed = applied
        .changes
        .iter()
        .filter(|change| change.change != "unchanged")
        .count();
    let sentence = format!(
        "{name}: {} of {changed_of} changed",
        changed,
        changed_of = text::counted(applied.changes.len(), "thing")
    );
    session.printer.say(Tone::Good, "Applied", &sentence);
    if changed > 0 {
        session.printer.undo(
            "apply the file as it was before; what was created stays, since nothing can be deleted yet",
        );
    }
    Ok(Exit::Ok)
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// The text of a file, or of stdin where `-` stands for it.
pub fn read(file: &Path) -> Result<String, CliError> {
    if is_stdin(file) {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|source| CliError::Io {
                what: "read from stdin",
                source,
            })?;
        return Ok(text);
    }
    fs_err::read_to_string(file).map_err(|error| CliError::Usage {
        what: "the file cannot be read".to_owned(),
        why: Some(error.to_string()),
        help: None,
    })
}

fn table(changes: &[Change]) -> Table {
    let mut table = Table::new([
        ("KIND", Narrow::Keep),
        ("NAME", Narrow::Keep),
        ("CHANGE", Narrow::Keep),
    ]);
    for change in changes {
        let tone = if change.change == "unchanged" {
            Tone::Faint
        } else {
            Tone::Good
        };
        table.row([
            change.kind.as_str().into(),
            change.name.as_str().into(),
            Cell::Toned(tone, change.change.clone()),
        ]);
    }
    table
}
