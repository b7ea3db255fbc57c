//! `webhook add | ls | renew | remove`

use pointsman_shared::api::pushes::{IssuedWebhook, NewWebhook, Webhook};

use crate::args::{OneWebhook, WebhookCommand};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn webhook(session: &Session, command: WebhookCommand) -> Result<Exit, CliError> {
    match command {
        WebhookCommand::Add { project, forge, name } => {
            add(session, &NewWebhook { project, forge, name }).await
        }
        WebhookCommand::Ls(_) => list(session).await,
        WebhookCommand::Renew(args) => renew(session, &args).await,
        WebhookCommand::Remove(args) => remove(session, &args).await,
    }
}

async fn add(session: &Session, wish: &NewWebhook) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let issued = session.client()?.add_webhook(wish).await?;
    let Webhook { project, name, .. } = &issued.webhook;
    say(session, "Created", &issued);
    let follow = "targets follow pushes by `on_push`: pointsman target create --on-push, or apply -f";
    session.printer.note(follow);
    session
        .printer
        .undo(&format!("pointsman webhook remove {project} {name}"));
    session.printer.show_value(&issued, &issued.secret)?;
    Ok(Exit::Ok)
}

async fn renew(session: &Session, args: &OneWebhook) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let issued = session.client()?.renew_webhook(&args.project, &args.name).await?;
    say(session, "Renewed", &issued);
    let undo = "none: the old secret is void; write the new one down at the forge";
    session.printer.undo(undo);
    session.printer.show_value(&issued, &issued.secret)?;
    Ok(Exit::Ok)
}

/// The secret itself stands alone on stdout.
fn say(session: &Session, verb: &str, issued: &IssuedWebhook) {
    let Webhook {
        project, name, url, ..
    } = &issued.webhook;
    let sentence = format!("webhook {project}/{name}; its secret is not shown again");
    session.printer.say(Tone::Good, verb, &sentence);
    let address = format!("the forge calls {url} with JSON, on pushes");
    session.printer.note(&address);
}

async fn remove(session: &Session, args: &OneWebhook) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let OneWebhook { project, name } = args;
    let all = session.client()?.webhooks().await?;
    session.client()?.remove_webhook(project, name).await?;
    session
        .printer
        .say(Tone::Good, "Removed", &format!("webhook {project}/{name}"));
    let removed = all
        .iter()
        .find(|known| known.project == *project && known.name == *name);
    let forge = removed.map_or("FORGE", |webhook| webhook.forge.as_str());
    let undo = format!("pointsman webhook add {project} --forge {forge} --name {name}, with another secret");
    session.printer.undo(&undo);
    Ok(Exit::Ok)
}

async fn list(session: &Session) -> Result<Exit, CliError> {
    let webhooks = session.client()?.webhooks().await?;
    let mut table = Table::new([
        ("PROJECT", Narrow::Keep),
        ("WEBHOOK", Narrow::Keep),
        ("FORGE", Narrow::Drop(1)),
        ("LAST PUSH", Narrow::Keep),
        ("REFUSED", Narrow::Keep),
        ("CALLED AT", Narrow::Drop(2)),
    ]);
    for webhook in &webhooks {
        table.row([
            webhook.project.as_str().into(),
            webhook.name.as_str().into(),
            webhook.forge.as_str().into(),
            Cell::when(webhook.last_push_at),
            Cell::when(webhook.refused_at),
            webhook.url.as_str().into(),
        ]);
    }
    session.printer.show(&webhooks, &table)?;
    if webhooks.is_empty() && session.printer.format() == Format::Table {
        let hint = "no webhooks; pointsman webhook add PROJECT --forge github|gitlab|gitea|generic";
        session.printer.note(hint);
    }
    Ok(Exit::Ok)
}
