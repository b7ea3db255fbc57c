//! Keeps a recipe in the coordinator: a new revision, or what counts from now on. A recipe with a mistake is refused with
//! its line, as one in the repository is. Releases that are built keep the recipe they were built with.

use pointsman_domain::{Action, Actor, Refusal, reason, recipe};
use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, RecipeSource};
use pointsman_shared::name::ProjectName;
use pointsman_store::{PgConnection, recipes};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Longest note, in characters.
const NOTE: usize = 500;

/// Adds a revision; returns its number.
pub async fn write(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    wish: &NewRecipe,
) -> OperationResult<u32> {
    let object = project.as_str();
    act::audited(app, actor, "recipe.write", object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        let mut tx = app.store.begin().await?;
        let row = known::project(&mut tx, project).await?;
        recipes::lock_source(&mut tx, row.id).await?;
        let newest = newest(&mut tx, project)
            .await?
            .map_or(0, |newest| newest.revision);
        refuse_outdated(project, wish.base, newest)?;
        let revision = newest + 1;
        judge(project, revision, &wish.body)?;
        judge_note(wish.note.as_deref())?;
        let (id, now) = (app.ids.next(), app.clock.now());
        let text = (wish.body.as_str(), wish.note.as_deref());
        recipes::insert(&mut tx, id, project, revision, text, actor.principal, now).await?;
        let detail = serde_json::json!({ "revision": revision, "bytes": wish.body.len(), "note": wish.note });
        act::done(app, &mut tx, actor, "recipe.write", object, detail).await?;
        act::commit(tx).await?;
        Ok(revision)
    })
    .await
}

/// Says what counts for a project from now on.
pub async fn choose(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    from: RecipeSource,
) -> OperationResult<()> {
    let object = project.as_str();
    act::audited(app, actor, "recipe.choose", object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        let mut tx = app.store.begin().await?;
        let row = known::project(&mut tx, project).await?;
        recipes::lock_source(&mut tx, row.id).await?;
        if from == RecipeSource::Coordinator && newest(&mut tx, project).await?.is_none() {
            let what = format!("the coordinator keeps no recipe of {project} yet");
            return Err(Refusal::conflict("no_recipe", what)
                .hint(format!("pointsman recipe set {project} -f pointsman.toml"))
                .into());
        }
        recipes::set_source(&mut tx, row.id, from).await?;
        let detail = serde_json::json!({ "from": from.as_str() });
        act::done(app, &mut tx, actor, "recipe.choose", object, detail).await?;
        act::commit(tx).await
    })
    .await
}

/// What counts for a project, and the newest revision.
pub async fn read(conn: &mut PgConnection, project: &ProjectName) -> OperationResult<Recipe> {
    let row = known::project(conn, project).await?;
    Ok(Recipe {
        from: recipes::source(conn, row.id).await?,
        newest: newest(conn, project).await?,
    })
}

async fn newest(conn: &mut PgConnection, project: &ProjectName) -> OperationResult<Option<RecipeRevision>> {
    let newest = recipes::revisions(conn, project, None, None, 1).await?;
    Ok(newest.into_iter().next().map(|kept| kept.revision))
}

fn refuse_outdated(project: &ProjectName, base: Option<u32>, newest: u32) -> Result<(), Refusal> {
    match base {
        Some(base) if base != newest => {
            let what =
                format!("revision {base} of the recipe of {project} was changed, and {newest} is the newest");
            Err(Refusal::conflict("recipe_changed", what).hint(format!(
                "pointsman recipe diff {project} {base} {newest}, then try again"
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn judge_note(note: Option<&str>) -> Result<(), Refusal> {
    match note {
        Some(note) if note.chars().count() > NOTE => {
            let what = format!("a note has at most {NOTE} characters");
            Err(Refusal::invalid("invalid_reason", what))
        }
        Some(_) | None => reason::judge("note", note),
    }
}

fn judge(project: &ProjectName, revision: u32, body: &str) -> Result<(), Refusal> {
    let name = format!("recipe of {project}, revision {revision}");
    match recipe::parse(&name, body) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::invalid("invalid_recipe", error.to_string()).hint(error.remedy)),
    }
}
