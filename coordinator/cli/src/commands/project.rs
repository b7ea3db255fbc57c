//! `project create | list | show | refs | tickets | key`

use pointsman_shared::api::projects::{NewProject, Project, Tickets};
use pointsman_shared::name::ProjectName;

use super::{key, listing, refs};
use crate::args::ProjectCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn project(session: &Session, command: ProjectCommand) -> Result<Exit, CliError> {
    match command {
        ProjectCommand::Create {
            name,
            repository,
            subdirectory,
            pool,
        } => {
            let wish = NewProject {
                name,
                repository,
                subdirectory,
                pool,
                tickets: None,
            };
            create(session, &wish).await
        }
        ProjectCommand::List(rows) => {
            let projects = session.client()?.projects(rows.most()).await?;
            let empty = "no projects yet; pointsman project create NAME --repository ADDRESS";
            listing::show(session, &projects, &table(&projects.items), empty)
        }
        ProjectCommand::Show { name } => {
            let project = session.client()?.project(&name).await?;
            session.printer.show_fields(&project, &fields(&project))?;
            Ok(Exit::Ok)
        }
        ProjectCommand::Refs { name, fetch, branch } => {
            refs::refs(session, &name, fetch, branch.as_deref()).await
        }
        ProjectCommand::Tickets {
            name, pattern, link, ..
        } => {
            let wish = pattern.zip(link);
            let wish = wish.map(|(pattern, link)| Tickets { pattern, link });
            tickets(session, &name, wish.as_ref()).await
        }
        ProjectCommand::Key(command) => key::key(session, command).await,
    }
}

async fn create(session: &Session, wish: &NewProject) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let project = session.client()?.create_project(wish).await?;
    let Project { name, .. } = &project;
    session
        .printer
        .say(Tone::Good, "Created", &format!("project {name}"));
    session
        .printer
        .undo("none: projects cannot be deleted yet; without targets it does nothing");
    session
        .printer
        .say(Tone::Busy, "Next", &format!("pointsman build {name} --follow"));
    session.printer.show_fields(&project, &fields(&project))?;
    Ok(Exit::Ok)
}

async fn tickets(session: &Session, name: &ProjectName, wish: Option<&Tickets>) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let before = client.project(name).await?.tickets;
    let project = client.set_tickets(name, wish).await?;
    let words = match wish {
        Some(Tickets { pattern, link }) => format!("{pattern} in commits of {name} leads to {link}"),
        None => format!("no tickets in commits of {name} are linked"),
    };
    session.printer.say(Tone::Good, "Kept", &words);
    let undo = match before {
        before if before.as_ref() == wish => None,
        Some(Tickets { pattern, link }) => {
            Some(format!("--pattern {} --link {}", quoted(&pattern), quoted(&link)))
        }
        None => Some("--none".to_owned()),
    };
    match undo {
        Some(undo) => session
            .printer
            .undo(&format!("pointsman project tickets {name} {undo}")),
        None => session.printer.note("it was so before"),
    }
    session.printer.show_fields(&project, &fields(&project))?;
    Ok(Exit::Ok)
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn table(projects: &[Project]) -> Table {
    let mut table = Table::new([
        ("PROJECT", Narrow::Keep),
        ("REPOSITORY", Narrow::Cut(16)),
        ("FOLDER", Narrow::Drop(1)),
        ("POOL", Narrow::Drop(2)),
        ("CREATED", Narrow::Drop(3)),
    ]);
    for project in projects {
        table.row([
            project.name.as_str().into(),
            project.repository.as_str().into(),
            Cell::maybe(project.subdirectory.as_ref()),
            project.pool.as_str().into(),
            Cell::At(project.created_at),
        ]);
    }
    table
}

fn fields(project: &Project) -> Vec<(&'static str, Cell)> {
    let mut fields = vec![
        ("project", project.name.as_str().into()),
        ("repository", project.repository.as_str().into()),
        ("folder", Cell::maybe(project.subdirectory.as_ref())),
        ("pool", project.pool.as_str().into()),
        ("created", Cell::At(project.created_at)),
    ];
    if let Some(tickets) = &project.tickets {
        fields.push(("tickets", tickets.pattern.as_str().into()));
        fields.push(("lead to", tickets.link.as_str().into()));
    }
    fields
}
