//! `project create | list | show | refs | key`

use pointsman_shared::api::projects::{NewProject, Project};

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
        ProjectCommand::Refs { name, fetch } => refs::refs(session, &name, fetch).await,
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

fn fields(project: &Project) -> [(&'static str, Cell); 5] {
    [
        ("project", project.name.as_str().into()),
        ("repository", project.repository.as_str().into()),
        ("folder", Cell::maybe(project.subdirectory.as_ref())),
        ("pool", project.pool.as_str().into()),
        ("created", Cell::At(project.created_at)),
    ]
}
