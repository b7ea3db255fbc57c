//! How lists end: with what is empty and why, or with what was left out.

use serde::Serialize;

use crate::client::Listing;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Format;
use crate::session::Session;
use crate::table::Table;
use crate::text;

/// Shows a list; `empty` says what will stand here and the command that brings it.
pub fn show<T: Serialize>(
    session: &Session,
    listing: &Listing<T>,
    table: &Table,
    empty: &str,
) -> Result<Exit, CliError> {
    let printer = &session.printer;
    printer.show(&listing.items, table)?;
    if listing.items.is_empty() && printer.format() == Format::Table {
        printer.note(empty);
    }
    if listing.more {
        let shown = text::counted(listing.items.len(), "row");
        printer.note(&format!("{shown} shown; --all or -n N for more"));
    }
    Ok(Exit::Ok)
}
