//! `account ls | invite | role | reset | disable | enable`

use pointsman_shared::api::accounts::{Account, AccountChange, NewInvitation};
use pointsman_shared::api::tokens::{RoleName, in_words};
use pointsman_shared::name::ProjectName;

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
        AccountCommand::Invite { name, role, project } => {
            let wish = NewInvitation {
                name,
                role,
                projects: project.into_iter().collect(),
            };
            invite(session, &wish).await
        }
        AccountCommand::Role { name, role, project } => {
            change_role(session, &name, role, project.as_ref()).await
        }
        AccountCommand::Reset { name } => reset(session, &name).await,
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
    let role = in_words(invitation.role, &invitation.projects);
    let sentence = format!("{who} as {role}, until {until}; the link is not shown again");
    session.printer.say(Tone::Good, "Invited", &sentence);
    session
        .printer
        .undo("none: the link is void by itself; an account that came of it: pointsman account disable NAME");
    session.printer.show_value(&invitation, &invitation.url)?;
    Ok(Exit::Ok)
}

/// The link stands alone on stdout; it is shown this once.
async fn reset(session: &Session, name: &str) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let link = session.client()?.renew_password(name).await?;
    let until = text::moment(link.expires_at);
    let sentence = format!("{name} may choose another password, until {until}; the link is not shown again");
    session.printer.say(Tone::Good, "Reset", &sentence);
    session
        .printer
        .undo("none: the old password counts until the link is used; another link makes this one void");
    session.printer.show_value(&link, &link.url)?;
    Ok(Exit::Ok)
}

async fn change_role(
    session: &Session,
    name: &str,
    role: RoleName,
    project: Option<&ProjectName>,
) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let before = client.accounts().await?;
    let before = before.iter().find(|account| account.name == name);
    let before = before.map(|account| match project {
        Some(project) => account.projects.get(project).copied().unwrap_or(RoleName::None),
        None => account.role,
    });
    let wish = AccountChange {
        role: project.is_none().then_some(role),
        projects: project
            .map(|project| (project.clone(), role))
            .into_iter()
            .collect(),
        disabled: None,
    };
    let account = client.change_account(name, &wish).await?;
    let sentence = format!("{name} is {} now", in_words(account.role, &account.projects));
    session.printer.say(Tone::Good, "Changed", &sentence);
    if let Some(before) = before {
        let of = project.map_or_else(String::new, |project| format!(" --project {project}"));
        let inverse = format!("pointsman account role {name} {}{of}", before.as_str());
        session.printer.undo(&inverse);
    }
    show(session, &account)
}

async fn set_disabled(session: &Session, name: &str, disabled: bool) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let wish = AccountChange {
        disabled: Some(disabled),
        ..AccountChange::default()
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
            in_words(account.role, &account.projects).into(),
            state,
            Cell::At(account.created_at),
            Cell::when(account.seen_at),
        ]);
    }
    table
}
