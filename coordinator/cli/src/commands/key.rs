//! `project key set | generate | trust | show | remove`

use std::path::Path;

use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};
use pointsman_shared::name::ProjectName;

use super::apply;
use crate::args::KeyCommand;
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::prompt;
use crate::session::Session;
use crate::table::Cell;

/// Runs the command.
pub async fn key(session: &Session, command: KeyCommand) -> Result<Exit, CliError> {
    let client = session.client()?;
    match command {
        KeyCommand::Set { project, known_hosts } => {
            session.reason_is_not_kept();
            let wish = SetDeployKey {
                known_hosts: lines(known_hosts.as_deref())?,
                private_key: Some(prompt::private_key(&project)?),
            };
            let before = client.deploy_key(&project).await?;
            let key = client.set_deploy_key(&project, &wish).await?;
            kept(session, &project, before.as_ref(), &key)
        }
        KeyCommand::Generate { project, known_hosts } => {
            session.reason_is_not_kept();
            let wish = MakeDeployKey {
                known_hosts: lines(known_hosts.as_deref())?,
            };
            let before = client.deploy_key(&project).await?;
            let key = client.make_deploy_key(&project, &wish).await?;
            kept(session, &project, before.as_ref(), &key)
        }
        KeyCommand::Trust { project, known_hosts } => {
            session.reason_is_not_kept();
            trust(session, &client, &project, &known_hosts).await
        }
        KeyCommand::Show { project } => show(session, &client, &project).await,
        KeyCommand::Remove { project } => {
            session.reason_is_not_kept();
            let before = client.deploy_key(&project).await?;
            client.remove_deploy_key(&project).await?;
            let printer = &session.printer;
            let words = format!("the deploy key of {project}; each machine uses its own from now on");
            printer.say(Tone::Good, "Removed", &words);
            if let Some(before) = before {
                printer.undo(&again(&project, &before.fingerprint));
            }
            Ok(Exit::Ok)
        }
    }
}

/// How a key comes back whose private half nobody here is told.
fn again(project: &ProjectName, fingerprint: &str) -> String {
    format!("pointsman project key set {project} < FILE, with the file of the key {fingerprint}")
}

fn kept(
    session: &Session,
    project: &ProjectName,
    before: Option<&DeployKey>,
    key: &DeployKey,
) -> Result<Exit, CliError> {
    let printer = &session.printer;
    let words = format!("the deploy key of {project}, {}", key.fingerprint);
    printer.say(Tone::Good, "Kept", &words);
    match before {
        Some(before) if before.fingerprint == key.fingerprint => printer.note("it was the same key before"),
        Some(before) => printer.undo(&again(project, &before.fingerprint)),
        None => printer.undo(&format!("pointsman project key remove {project}")),
    }
    if key.known_hosts.is_empty() {
        printer.note("its server must stand in known_hosts of every machine that fetches, or be given with --known-hosts");
    }
    printer.say(
        Tone::Busy,
        "Next",
        &format!("give the public half to the git server, for reading: then pointsman build {project}"),
    );
    printer.show_fields(key, &fields(key))?;
    Ok(Exit::Ok)
}

async fn trust(
    session: &Session,
    client: &Client,
    project: &ProjectName,
    file: &Path,
) -> Result<Exit, CliError> {
    let before = client.deploy_key(project).await?;
    let wish = SetDeployKey {
        private_key: None,
        known_hosts: lines(Some(file))?,
    };
    let key = client.set_deploy_key(project, &wish).await?;
    let printer = &session.printer;
    let words = format!("{} lines of known hosts for {project}", key.known_hosts.len());
    printer.say(Tone::Good, "Kept", &words);
    match before.map(|before| before.known_hosts) {
        Some(lines) if lines == key.known_hosts => printer.note("they were the same before"),
        Some(lines) if lines.is_empty() => {
            printer.undo(&format!("pointsman project key trust {project} /dev/null"));
        }
        Some(lines) => {
            printer.undo(&format!(
                "pointsman project key trust {project} FILE, with the lines below"
            ));
            for line in &lines {
                printer.note(line);
            }
        }
        None => {}
    }
    Ok(Exit::Ok)
}

async fn show(session: &Session, client: &Client, project: &ProjectName) -> Result<Exit, CliError> {
    match client.deploy_key(project).await? {
        Some(key) => session.printer.show_fields(&key, &fields(&key))?,
        None => session.printer.note(&format!(
            "{project} has no key of its own; pointsman project key generate {project} makes one"
        )),
    }
    Ok(Exit::Ok)
}

fn lines(file: Option<&Path>) -> Result<Option<String>, CliError> {
    file.map(apply::read).transpose()
}

fn fields(key: &DeployKey) -> Vec<(&'static str, Cell)> {
    let mut fields = vec![
        ("public key", key.public_key.as_str().into()),
        ("fingerprint", key.fingerprint.as_str().into()),
    ];
    fields.extend(
        key.known_hosts
            .iter()
            .map(|line| ("known host", line.as_str().into())),
    );
    fields.push(("changed by", key.updated_by.as_str().into()));
    fields.push(("changed", Cell::At(key.updated_at)));
    fields
}
