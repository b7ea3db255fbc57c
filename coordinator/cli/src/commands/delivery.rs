//! `delivery ls | show | redeliver`

use pointsman_shared::api::notifications::{Delivery, DeliveryLog, DeliveryState, DeliveryTry};

use super::listing;
use crate::args::{DeliveryCommand, ListDeliveries};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn delivery(session: &Session, command: DeliveryCommand) -> Result<Exit, CliError> {
    match command {
        DeliveryCommand::Ls(args) => list(session, &args).await,
        DeliveryCommand::Show(args) => show(session, args.number).await,
        DeliveryCommand::Redeliver(args) => redeliver(session, args.number).await,
    }
}

async fn list(session: &Session, args: &ListDeliveries) -> Result<Exit, CliError> {
    let client = session.client()?;
    let found = client
        .deliveries(args.channel.as_ref(), args.state, args.rows.most())
        .await?;
    listing::show(session, &found, &table(&found.items), "no such deliveries")
}

async fn show(session: &Session, number: i64) -> Result<Exit, CliError> {
    let log = session.client()?.delivery(number).await?;
    let printer = &session.printer;
    printer.show_fields(&log, &fields(&log))?;
    if printer.format() == Format::Table && !log.tries.is_empty() {
        printer.line("")?;
        printer.show(&log.tries, &tries(&log.tries))?;
    }
    Ok(Exit::Ok)
}

async fn redeliver(session: &Session, number: i64) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let delivery = session.client()?.redeliver(number).await?;
    let printer = &session.printer;
    let sentence = format!("delivery {number} goes to channel {} once more", delivery.channel);
    printer.say(Tone::Good, "Sent", &sentence);
    printer.note(&format!(
        "pointsman delivery show {number} tells what becomes of it"
    ));
    printer.undo("none: what is sent cannot be called back; the receiver knows it by its id");
    let deliveries = [delivery];
    printer.show(&deliveries, &table(&deliveries))?;
    Ok(Exit::Ok)
}

fn state(delivery: &Delivery) -> Cell {
    let tone = match (delivery.state, &delivery.last_error) {
        (DeliveryState::Waiting, None) => Tone::Busy,
        (DeliveryState::Waiting, Some(_)) => Tone::Warning,
        (DeliveryState::Delivered, _) => Tone::Good,
        (DeliveryState::Failed, _) => Tone::Bad,
        (DeliveryState::Superseded, _) => Tone::Faint,
    };
    Cell::Toned(tone, delivery.state.as_str().to_owned())
}

/// Deliveries as a table.
pub fn table(deliveries: &[Delivery]) -> Table {
    let mut table = Table::new([
        ("DELIVERY", Narrow::Keep),
        ("CHANNEL", Narrow::Keep),
        ("EVENT", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("TRIES", Narrow::Drop(2)),
        ("AGE", Narrow::Drop(1)),
        ("NEXT", Narrow::Drop(3)),
        ("SAYS", Narrow::Cut(12)),
    ]);
    for delivery in deliveries {
        table.row([
            Cell::Number(delivery.number),
            delivery.channel.as_str().into(),
            delivery.topic.as_str().into(),
            state(delivery),
            Cell::Number(delivery.tries.into()),
            Cell::At(delivery.created_at),
            Cell::when(delivery.next_at),
            delivery
                .last_error
                .as_ref()
                .unwrap_or(&delivery.message)
                .as_str()
                .into(),
        ]);
    }
    table
}

fn fields(log: &DeliveryLog) -> Vec<(&'static str, Cell)> {
    let delivery = &log.delivery;
    let newest = log.tries.last();
    vec![
        ("delivery", Cell::Number(delivery.number)),
        ("id", log.id.as_str().into()),
        ("channel", delivery.channel.as_str().into()),
        ("event", delivery.topic.as_str().into()),
        ("message", delivery.message.as_str().into()),
        ("state", state(delivery)),
        ("error", Cell::maybe(delivery.last_error.as_ref())),
        ("made", Cell::At(delivery.created_at)),
        ("next try", Cell::when(delivery.next_at)),
        ("ended", Cell::when(delivery.ended_at)),
        ("sent", Cell::maybe(newest.map(|newest| &newest.request))),
        (
            "answer",
            Cell::maybe(newest.and_then(|newest| newest.answer.as_ref())),
        ),
    ]
}

fn tries(tries: &[DeliveryTry]) -> Table {
    let mut table = Table::new([
        ("TRY", Narrow::Keep),
        ("AGE", Narrow::Keep),
        ("TOOK", Narrow::Drop(1)),
        ("STATUS", Narrow::Keep),
        ("RESULT", Narrow::Cut(12)),
    ]);
    for (ordinal, one) in (1..).zip(tries) {
        let result = match &one.error {
            Some(error) => Cell::Toned(Tone::Bad, error.clone()),
            None => Cell::Toned(Tone::Good, "taken".to_owned()),
        };
        table.row([
            Cell::Number(ordinal),
            Cell::At(one.at),
            Cell::Took(one.took_ms.into()),
            one.status
                .map_or(Cell::Nothing, |status| Cell::Number(status.into())),
            result,
        ]);
    }
    table
}
