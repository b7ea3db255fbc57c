//! Recipes that the coordinator keeps.

use axum::http::StatusCode;
use pointsman_domain::Refusal;
use pointsman_shared::api::Page;
use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, UseRecipe};
use pointsman_shared::name::ProjectName;
use pointsman_store::recipes;

use super::caller::Caller;
use super::extract::{Json, Path, Query};
use super::paging::{self, PageQuery};
use super::problem::Answer;
use crate::operations::{keep_recipe, known};

/// `GET /api/v1/projects/{project}/recipe`
pub(super) async fn one(caller: Caller, Path(project): Path<ProjectName>) -> Answer<Json<Recipe>> {
    let mut conn = caller.app.store.read().await?;
    Ok(Json(keep_recipe::read(&mut conn, &project).await?))
}

/// `GET /api/v1/projects/{project}/recipe/revisions`
pub(super) async fn revisions(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<RecipeRevision>>> {
    let mut conn = caller.app.store.read().await?;
    known::project(&mut conn, &project).await?;
    let before = page.before()?.map(i32::try_from);
    let before = before.transpose().map_err(|_| paging::unreadable())?;
    let kept = recipes::revisions(&mut conn, &project, None, before, page.rows()).await?;
    let revisions = kept.into_iter().map(|kept| kept.revision).collect();
    Ok(page.page(revisions, |revision: &RecipeRevision| {
        revision.revision.to_string()
    }))
}

/// `GET /api/v1/projects/{project}/recipe/revisions/{revision}`
pub(super) async fn revision(
    caller: Caller,
    Path((project, revision)): Path<(ProjectName, i32)>,
) -> Answer<Json<RecipeRevision>> {
    let mut conn = caller.app.store.read().await?;
    known::project(&mut conn, &project).await?;
    let kept = recipes::revisions(&mut conn, &project, Some(revision), None, 1).await?;
    let unknown = || {
        let what = format!("the recipe of {project} has no revision {revision}");
        Refusal::not_found("unknown_revision", what).hint(format!("pointsman recipe history {project}"))
    };
    Ok(Json(kept.into_iter().next().ok_or_else(unknown)?.revision))
}

/// `PUT /api/v1/projects/{project}/recipe`
pub(super) async fn write(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Json(wish): Json<NewRecipe>,
) -> Answer<Json<Recipe>> {
    keep_recipe::write(&caller.app, &caller.actor, &project, &wish).await?;
    one(caller, Path(project)).await
}

/// `PUT /api/v1/projects/{project}/recipe/source`
pub(super) async fn choose(
    caller: Caller,
    Path(project): Path<ProjectName>,
    Json(wish): Json<UseRecipe>,
) -> Answer<StatusCode> {
    keep_recipe::choose(&caller.app, &caller.actor, &project, wish.from).await?;
    Ok(StatusCode::NO_CONTENT)
}
