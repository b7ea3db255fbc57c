//! `recipe show | history | diff | set | use`

use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, RecipeSource, UseRecipe};
use pointsman_shared::name::ProjectName;
use similar::TextDiff;

use super::{apply, listing};
use crate::args::RecipeCommand;
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn recipe(session: &Session, command: RecipeCommand) -> Result<Exit, CliError> {
    let client = session.client()?;
    match command {
        RecipeCommand::Show { project, revision } => show(session, &client, &project, revision).await,
        RecipeCommand::History { project, rows } => {
            let revisions = client.recipe_revisions(&project, rows.most()).await?;
            let empty = format!("no recipe is kept yet; pointsman recipe set {project} -f pointsman.toml");
            listing::show(session, &revisions, &table(&revisions.items), &empty)
        }
        RecipeCommand::Diff { project, from, to } => diff(session, &client, &project, from, to).await,
        RecipeCommand::Set { project, file, base } => {
            let wish = NewRecipe {
                body: apply::read(&file)?,
                base,
                note: session.options.reason.clone(),
            };
            let recipe = client.write_recipe(&project, &wish).await?;
            kept(session, &project, &recipe);
            Ok(Exit::Ok)
        }
        RecipeCommand::Use { project, from } => {
            session.reason_is_not_kept();
            client.use_recipe(&project, UseRecipe { from }).await?;
            let (words, other) = match from {
                RecipeSource::Repository => ("pointsman.toml in the repository", RecipeSource::Coordinator),
                RecipeSource::Coordinator => {
                    ("the recipe that the coordinator keeps", RecipeSource::Repository)
                }
            };
            let printer = &session.printer;
            printer.say(
                Tone::Good,
                "Using",
                &format!("{words} for builds of {project} from now on"),
            );
            printer.undo(&format!("pointsman recipe use {project} {}", other.as_str()));
            Ok(Exit::Ok)
        }
    }
}

async fn show(
    session: &Session,
    client: &Client,
    project: &ProjectName,
    revision: Option<u32>,
) -> Result<Exit, CliError> {
    let recipe = client.recipe(project).await?;
    let shown = match revision {
        Some(revision) => Some(client.recipe_revision(project, revision).await?),
        None => recipe.newest.clone(),
    };
    let printer = &session.printer;
    let Some(shown) = shown else {
        printer.note(&format!(
            "the coordinator keeps no recipe of {project}; its pointsman.toml counts"
        ));
        return Ok(Exit::Ok);
    };
    let counts = match recipe.from {
        RecipeSource::Coordinator => "the newest one counts",
        RecipeSource::Repository => "pointsman.toml in the repository counts",
    };
    printer.note(&format!(
        "revision {} by {}; {counts}",
        shown.revision, shown.author
    ));
    printer.show_text(&shown, &shown.body)?;
    Ok(Exit::Ok)
}

async fn diff(
    session: &Session,
    client: &Client,
    project: &ProjectName,
    from: u32,
    to: Option<u32>,
) -> Result<Exit, CliError> {
    let old = client.recipe_revision(project, from).await?;
    let new = match to {
        Some(to) => client.recipe_revision(project, to).await?,
        None => client.recipe(project).await?.newest.ok_or_else(|| {
            CliError::usage(
                "no recipe is kept",
                format!("pointsman recipe set {project} -f pointsman.toml"),
            )
        })?,
    };
    let (before, after) = (
        format!("revision {}", old.revision),
        format!("revision {}", new.revision),
    );
    let diff = TextDiff::from_lines(&old.body, &new.body);
    let diff = diff.unified_diff().header(&before, &after).to_string();
    if diff.is_empty() && session.printer.format() != Format::Json {
        session.printer.note("nothing differs");
        return Ok(Exit::Ok);
    }
    session
        .printer
        .show_text(&serde_json::json!({ "diff": diff }), &diff)?;
    Ok(Exit::Ok)
}

fn kept(session: &Session, project: &ProjectName, recipe: &Recipe) {
    let printer = &session.printer;
    let Some(newest) = &recipe.newest else { return };
    printer.say(
        Tone::Good,
        "Kept",
        &format!("the recipe of {project}, revision {}", newest.revision),
    );
    match recipe.from {
        RecipeSource::Coordinator => printer.note("it counts for builds from now on"),
        RecipeSource::Repository => printer.say(
            Tone::Busy,
            "Next",
            &format!("pointsman recipe use {project} coordinator, for builds to take it"),
        ),
    }
    if newest.revision > 1 {
        let before = newest.revision - 1;
        let undo = format!(
            "pointsman recipe show {project} --revision {before} | pointsman recipe set {project} -f -"
        );
        printer.undo(&undo);
    } else {
        printer.undo(&format!(
            "pointsman recipe use {project} repository; revisions are kept"
        ));
    }
}

fn table(revisions: &[RecipeRevision]) -> Table {
    let mut table = Table::new([
        ("REVISION", Narrow::Keep),
        ("BY", Narrow::Keep),
        ("WHY", Narrow::Drop(3)),
        ("AGE", Narrow::Keep),
        ("LINES", Narrow::Drop(2)),
        ("DIGEST", Narrow::Drop(1)),
    ]);
    for revision in revisions {
        let lines = revision.body.lines().count();
        table.row([
            Cell::Number(revision.revision.into()),
            revision.author.as_str().into(),
            Cell::maybe(revision.note.as_ref()),
            Cell::At(revision.at),
            Cell::Number(i64::try_from(lines).unwrap_or(i64::MAX)),
            Cell::Text(revision.digest.short()),
        ]);
    }
    table
}
