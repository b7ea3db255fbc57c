//! `audit`: what people and tokens did, newest first.

use pointsman_shared::api::tokens::AuditEntry;

use super::listing;
use crate::args::Audit;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Shows the trail.
pub async fn audit(session: &Session, args: Audit) -> Result<Exit, CliError> {
    let entries = session.client()?.audit(args.rows.most()).await?;
    listing::show(session, &entries, &table(&entries.items), "nothing was done yet")
}

fn table(entries: &[AuditEntry]) -> Table {
    let mut table = Table::new([
        ("NO", Narrow::Drop(2)),
        ("AGE", Narrow::Keep),
        ("WHO", Narrow::Keep),
        ("FROM", Narrow::Drop(3)),
        ("ACTION", Narrow::Keep),
        ("OBJECT", Narrow::Keep),
        ("RESULT", Narrow::Keep),
        ("DETAIL", Narrow::Cut(12)),
    ]);
    for entry in entries {
        let tone = if entry.result == "refused" {
            Tone::Bad
        } else {
            Tone::Plain
        };
        table.row([
            Cell::Number(entry.number),
            Cell::At(entry.at),
            entry.actor.as_str().into(),
            Cell::maybe(entry.address.as_ref()),
            entry.action.as_str().into(),
            entry.object.as_str().into(),
            Cell::Toned(tone, entry.result.clone()),
            detail(&entry.detail),
        ]);
    }
    table
}

fn detail(detail: &serde_json::Value) -> Cell {
    let empty = detail.is_null() || detail.as_object().is_some_and(serde_json::Map::is_empty);
    if empty {
        Cell::Nothing
    } else {
        Cell::Text(detail.to_string())
    }
}
