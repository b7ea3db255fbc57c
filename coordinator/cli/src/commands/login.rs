//! `login`, `logout`, `whoami`.

use pointsman_shared::api::tokens::{WhoAmI, in_words};
use url::{Host, Url};

use crate::args::Login;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::prompt;
use crate::session::Session;
use crate::text;

/// Keeps a token once the coordinator has accepted it.
pub async fn login(session: &Session, args: Login) -> Result<Exit, CliError> {
    let mut config = session.config()?;
    let url = match args.coordinator {
        Some(url) => url,
        None => session.coordinator(&config)?,
    };
    if travels_in_clear(&url) {
        session.printer.warn(&format!(
            "{} is not encrypted: everyone on the way can read the token",
            text::address(&url)
        ));
    }
    let token = prompt::token(session)?;
    let client = session.client_for(&config, url.clone(), token.clone())?;
    let me = client.whoami().await?;
    config.log_in(&url, token, session.options.ca_file.as_deref())?;
    let WhoAmI {
        name,
        role,
        projects,
        installation,
        ..
    } = &me;
    let sentence = format!("to {installation} as {name} ({})", in_words(*role, projects));
    session.printer.say(Tone::Good, "Logged in", &sentence);
    session.printer.undo("pointsman logout");
    if session.environment.token.is_some() {
        session
            .printer
            .warn("POINTSMAN_TOKEN is set and stands above the token that was kept");
    }
    Ok(Exit::Ok)
}

/// Forgets the token; the coordinator still takes it until it is revoked.
pub fn logout(session: &Session) -> Result<Exit, CliError> {
    let mut config = session.config()?;
    let url = session.coordinator(&config)?;
    if !config.log_out(&url)? {
        return Err(CliError::NotLoggedIn(url));
    }
    session
        .printer
        .say(Tone::Good, "Logged out", &format!("of {}", text::address(&url)));
    session
        .printer
        .note("the token still works where it is known; make it void with `pointsman token revoke ID`");
    session.printer.undo(&format!(
        "pointsman login {} --with-token < token-file",
        text::address(&url)
    ));
    Ok(Exit::Ok)
}

/// Says who the coordinator takes us for.
pub async fn whoami(session: &Session) -> Result<Exit, CliError> {
    let client = session.client()?;
    let me = client.whoami().await?;
    session.printer.show_fields(
        &me,
        &[
            ("name", me.name.as_str().into()),
            ("kind", me.kind.as_str().into()),
            ("role", me.role.as_str().into()),
            ("installation", me.installation.as_str().into()),
            ("coordinator", text::address(client.base()).into()),
            ("version", me.version.as_str().into()),
        ],
    )?;
    Ok(Exit::Ok)
}

fn travels_in_clear(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !loopback
}
