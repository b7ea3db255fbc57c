//! `audit`: what people and tokens did, newest first.

use pointsman_shared::api::tokens::{AuditChain, AuditEntry};

use super::listing;
use crate::args::Audit;
use crate::client::AuditFilter;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Shows the trail.
pub async fn audit(session: &Session, args: Audit) -> Result<Exit, CliError> {
    let client = session.client()?;
    if args.verify {
        let chain = client.audit_chain().await?;
        return verified(session, &chain);
    }
    let now = session.clock.now();
    let filter = AuditFilter {
        who: args.who,
        what: args.what,
        object: args.object,
        since: args.since.map(|since| since.from(now)),
        until: args.until.map(|until| until.from(now)),
        mine: false,
    };
    let entries = client.audit(filter, args.rows.most()).await?;
    listing::show(session, &entries, &table(&entries.items), "no such acts")
}

/// Says whether the chain holds; fails where it does not.
fn verified(session: &Session, chain: &AuditChain) -> Result<Exit, CliError> {
    let fields = vec![
        (
            "rows",
            Cell::Number(i64::try_from(chain.length).unwrap_or(i64::MAX)),
        ),
        ("head", Cell::maybe(chain.head.as_ref())),
        (
            "not yet chained",
            Cell::Number(i64::try_from(chain.unchained).unwrap_or(i64::MAX)),
        ),
        (
            "broken at",
            Cell::maybe(chain.broken.as_ref().map(|broken| format!("#{}", broken.number))),
        ),
    ];
    session.printer.show_fields(chain, &fields)?;
    let Some(broken) = &chain.broken else {
        session.printer.say(
            Tone::Good,
            "Verified",
            "every row is as it was when it was chained",
        );
        session
            .printer
            .note("keep rows and head elsewhere: a trail that was cut at its end shows only beside them");
        return Ok(Exit::Ok);
    };
    Err(CliError::Outcome {
        exit: Exit::Failed,
        what: format!(
            "the audit trail was changed: row #{} breaks the chain",
            broken.number
        ),
        why: Some(broken.what.clone()),
        help: Some("compare the rows from there on with a backup of the database".to_owned()),
    })
}

/// Acts as a table.
pub fn table(entries: &[AuditEntry]) -> Table {
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
