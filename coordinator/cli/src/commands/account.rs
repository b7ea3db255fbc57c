//! `account ls | invite | role | disable | enable`

use pointsman_shared::api::accounts::{Account, AccountChange, NewInvitation};
use pointsman_shared::api::tokens::RoleName;

use crate::args::AccountCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Runs the command.
pub async fn account(session: &Session, command: AccountCommand) -> Result<Exit, CliError> {
    match command {
        AccountCommand::Ls(_) => list(session).await,
        AccountCommand::Invite { name, role } => invite(session, &NewInvitation { name, role }).await,
        AccountCommand::Role { name, role } => change_role(session, &name, role).await,
        AccountCommand::Disable { name } => set_disabled(session, &name, true).await,
        AccountCommand::Enable { name } => set_disabled(session, &name, false).await,
    }
}

async fn list(session: &Session) -> Result<Exit, CliError> {
    let accounts = session.client()?.accounts().await?;
    session.printer.show(&accounts, &table(&accounts))?;
    if accounts.is_empty() && session.printer.format() == Format::Table {
        session
            .printer
            .note("nobody has an account yet; pointsman account invite NAME");
    }
    Ok(Exit::Ok)
}

/// The link stands alone on stdout; it is shown this once.
async fn invite(session: &Session, wish: &NewInvitation) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let invitation = session.client()?.invite_account(wish).await?;
    let who = wish.name.as_deref().unwrap_or("whoever has the link");
    let until = text::moment(invitation.expires_at);
    let role = invitation.role.as_str();
    let sentence = format!("{who} as {role}, until {until}; the link is not shown again");
    session.printer.say(Tone::Good, "Invited", &sentence);
    session
        .printer
        .undo("none: the link is void by itself; an account that came of it: pointsman account disable NAME");
    session.printer.show_value(&invitation, &invitation.url)?;
    Ok(Exit::Ok)
}

async fn change_role(session: &Session, name: &str, role: RoleName) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let before = client.accounts().await?;
    let before = before.iter().find(|account| account.name == name);
    let before = before.map(|account| account.role);
    let wish = AccountChange {
        role: Some(role),
        disabled: None,
    };
    let account = client.change_account(name, &wish).await?;
    let sentence = format!("{name} is {} now", role.as_str());
    session.printer.say(Tone::Good, "Changed", &sentence);
    if let Some(before) = before {
        session
            .printer
            .undo(&format!("pointsman account role {name} {}", before.as_str()));
    }
    show(session, &account)
}

async fn set_disabled(session: &Session, name: &str, disabled: bool) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let wish = AccountChange {
        role: None,
        disabled: Some(disabled),
    };
    let account = session.client()?.change_account(name, &wish).await?;
    let (word, sentence, inverse) = if disabled {
        ("Disabled", "may not sign in; its sessions ended", "enable")
    } else {
        ("Enabled", "may sign in again", "disable")
    };
    session
        .printer
        .say(Tone::Good, word, &format!("{name} {sentence}"));
    session
        .printer
        .undo(&format!("pointsman account {inverse} {name}"));
    show(session, &account)
}

fn show(session: &Session, account: &Account) -> Result<Exit, CliError> {
    session
        .printer
        .show(account, &table(std::slice::from_ref(account)))?;
    Ok(Exit::Ok)
}

fn table(accounts: &[Account]) -> Table {
    let mut table = Table::new([
        ("ACCOUNT", Narrow::Cut(10)),
        ("ROLE", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("CREATED", Narrow::Drop(1)),
        ("SEEN", Narrow::Keep),
    ]);
    for account in accounts {
        let state = match account.disabled_at {
            Some(_) => Cell::Toned(Tone::Bad, "disabled".to_owned()),
            None => Cell::Toned(Tone::Good, "may sign in".to_owned()),
        };
        table.row([
            account.name.as_str().into(),
            account.role.as_str().into(),
            state,
            Cell::At(account.created_at),
            Cell::when(account.seen_at),
        ]);
    }
    table
}
