//! `open`: the address of a thing. It is printed and not opened: this command starts no other programs.

use crate::args::{LogSubject, Open};
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;
use crate::text;

/// Prints it, alone on stdout, once it is sure that there is something behind it.
pub async fn open(session: &Session, args: Open) -> Result<Exit, CliError> {
    let client = session.client()?;
    let needs_release = "write a release behind a project, and only there: pointsman open shop 1.9.1";
    let url = match (args.thing, args.release) {
        (None, None) => client.base().clone(),
        (Some(LogSubject::Deployment(number)), None) => {
            client.deployment(number).await?;
            client.page(&["d", &number.to_string()])
        }
        (Some(LogSubject::Target(target)), None) => {
            client.target(&target).await?;
            client.page(&["t", &target.to_string()])
        }
        (Some(LogSubject::Project(project)), None) => {
            client.project(&project).await?;
            client.page(&["p", project.as_str()])
        }
        (Some(LogSubject::Project(project)), Some(release)) => {
            let number = client.release(&project, &release).await?.number;
            client.page(&["r", project.as_str(), &number.to_string()])
        }
        (None | Some(LogSubject::Deployment(_) | LogSubject::Target(_)), Some(_)) => {
            return Err(CliError::usage("only a project has releases", needs_release));
        }
    };
    session
        .printer
        .show_value(&serde_json::json!({ "url": url }), text::address(&url))?;
    Ok(Exit::Ok)
}
