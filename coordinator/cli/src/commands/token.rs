//! `token create | ls | revoke`

use pointsman_shared::api::tokens::{NewToken, TokenInfo, in_words};

use super::listing;
use crate::args::TokenCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn token(session: &Session, command: TokenCommand) -> Result<Exit, CliError> {
    match command {
        TokenCommand::Create {
            name,
            role,
            project,
            days,
        } => {
            let wish = NewToken {
                name,
                role,
                projects: project.into_iter().collect(),
                days,
            };
            create(session, &wish).await
        }
        TokenCommand::Ls(rows) => {
            let tokens = session.client()?.tokens(rows.most()).await?;
            listing::show(
                session,
                &tokens,
                &table(&tokens.items),
                "no tokens; pointsman token create NAME",
            )
        }
        TokenCommand::Revoke { id } => revoke(session, &id).await,
    }
}

/// The token stands alone on stdout; it is shown this once.
async fn create(session: &Session, wish: &NewToken) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let issued = session.client()?.create_token(wish).await?;
    let TokenInfo { id, name, .. } = &issued.info;
    let roles = in_words(issued.info.role, &issued.info.projects);
    let sentence = format!("token {id} for {name} ({roles}); it is not shown again");
    session.printer.say(Tone::Good, "Created", &sentence);
    session.printer.undo(&format!("pointsman token revoke {id}"));
    session.printer.show_value(&issued, &issued.token)?;
    Ok(Exit::Ok)
}

async fn revoke(session: &Session, id: &str) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    session.client()?.revoke_token(id).await?;
    session.printer.say(Tone::Good, "Revoked", &format!("token {id}"));
    session
        .printer
        .undo("none: a void token stays void; pointsman token create NAME makes a new one");
    Ok(Exit::Ok)
}

fn table(tokens: &[TokenInfo]) -> Table {
    let mut table = Table::new([
        ("ID", Narrow::Keep),
        ("NAME", Narrow::Cut(10)),
        ("ROLE", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("CREATED", Narrow::Drop(2)),
        ("USED", Narrow::Drop(1)),
        ("EXPIRES", Narrow::Keep),
    ]);
    for token in tokens {
        let state = match token.revoked_at {
            Some(_) => Cell::Toned(Tone::Bad, "revoked".to_owned()),
            None => Cell::Toned(Tone::Good, "valid".to_owned()),
        };
        table.row([
            token.id.as_str().into(),
            token.name.as_str().into(),
            in_words(token.role, &token.projects).into(),
            state,
            Cell::At(token.created_at),
            Cell::when(token.last_used_at),
            Cell::when(token.expires_at),
        ]);
    }
    table
}
