//! A project's recipe: what counts now, the editor, every revision with its author, and what differs between two.
//!
//! A text that is refused comes back as it was typed, with the line that is wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use pointsman_domain::{Action, Refusal, RefusalKind};
use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, RecipeSource};
use pointsman_shared::name::ProjectName;
use pointsman_store::recipes;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};

use super::super::extract::{Form, Path, Query};
use super::super::problem::Answer;
use super::shown::{Place, Shown, Went};
use super::viewer::Viewer;
use crate::error::OperationError;
use crate::operations::keep_recipe;

/// Revisions that are listed.
const ROWS: i64 = 100;
/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// What the editor holds before anybody wrote anything.
const FIRST: &str = "[build]\nsteps = [\"make\"]\n";

/// `?from=1&to=2&base=1`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    from: Option<u32>,
    #[serde(default)]
    to: Option<u32>,
    #[serde(default)]
    base: Option<u32>,
}

/// What was typed, and why it was refused.
struct Typed<'a> {
    body: &'a str,
    note: &'a str,
    base: Option<u32>,
    refused: Option<&'a Refusal>,
}

#[derive(Template)]
#[template(path = "recipe/head.html")]
struct Head<'a> {
    project: &'a ProjectName,
    recipe: &'a Recipe,
    kept: bool,
    proof: &'a str,
    may: bool,
}

#[derive(Template)]
#[template(path = "recipe/editor.html")]
struct Editor<'a> {
    project: &'a ProjectName,
    typed: Typed<'a>,
    newest: u32,
    rows: usize,
    proof: &'a str,
    may: bool,
}

#[derive(Template)]
#[template(path = "recipe/difference.html")]
struct Difference<'a> {
    from: &'a RecipeRevision,
    to: &'a RecipeRevision,
    lines: Vec<Line>,
}

/// A line of a difference; none of its kind = lines are left out here.
struct Line {
    kind: &'static str,
    sign: &'static str,
    word: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "recipe/history.html")]
struct History<'a> {
    project: &'a ProjectName,
    revisions: &'a [RecipeRevision],
    older: u32,
    newer: u32,
    may: bool,
}

#[derive(Serialize)]
struct Data<'a> {
    recipe: &'a Recipe,
    revisions: &'a [RecipeRevision],
}

/// `GET /p/{project}/recipe`
pub(super) async fn show(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Query(which): Query<Which>,
) -> Answer<Shown> {
    draw(&viewer, &project, &which, None).await
}

async fn draw(
    viewer: &Viewer,
    project: &ProjectName,
    which: &Which,
    typed: Option<Typed<'_>>,
) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let recipe = keep_recipe::read(&mut conn, project).await?;
    let kept = recipes::revisions(&mut conn, project, None, None, ROWS).await?;
    let revisions: Vec<_> = kept.into_iter().map(|kept| kept.revision).collect();
    let may = viewer.may_in(project, Action::Configure);
    let newest = recipe.newest.as_ref().map_or(0, |newest| newest.revision);
    let base = which.base.map_or(Ok(recipe.newest.as_ref()), |base| {
        find(project, &revisions, base).map(Some)
    })?;
    let mut typed = typed.unwrap_or(Typed {
        body: base.map_or(FIRST, |base| &base.body),
        note: "",
        base: None,
        refused: None,
    });
    typed.base = typed.base.or(Some(newest));
    let head = Head {
        project,
        recipe: &recipe,
        kept: newest > 0,
        proof: &viewer.proof,
        may,
    };
    let editor = Editor {
        project,
        rows: typed.body.lines().count().clamp(12, 40),
        typed,
        newest,
        proof: &viewer.proof,
        may,
    };
    let data = Data {
        recipe: &recipe,
        revisions: &revisions,
    };
    let shown = Shown::new(format!("Recipe of {project}"), Place::Projects, &data)?
        .with("head", &head)?
        .with("editor", &editor)?
        .like(format!("pointsman recipe show {project}"));
    with_history(shown, project, &revisions, which, may)
}

/// Adds what differs between two revisions, where that is asked for, and every revision.
fn with_history(
    mut shown: Shown,
    project: &ProjectName,
    revisions: &[RecipeRevision],
    which: &Which,
    may: bool,
) -> Answer<Shown> {
    let newest = revisions.first().map_or(0, |newest| newest.revision);
    let newer = which.to.unwrap_or(newest);
    let older = which.from.unwrap_or_else(|| newer.saturating_sub(1));
    if which.from.is_some() || which.to.is_some() {
        let (from, to) = (find(project, revisions, older)?, find(project, revisions, newer)?);
        let difference = Difference {
            from,
            to,
            lines: difference(&from.body, &to.body),
        };
        shown = shown
            .with("difference", &difference)?
            .like(format!("pointsman recipe diff {project} {older} {newer}"));
    }
    let history = History {
        project,
        revisions,
        older,
        newer,
        may,
    };
    shown.with("history", &history)
}

fn find<'a>(
    project: &ProjectName,
    revisions: &'a [RecipeRevision],
    number: u32,
) -> Result<&'a RecipeRevision, Refusal> {
    let found = revisions.iter().find(|revision| revision.revision == number);
    found.ok_or_else(|| {
        let what = format!("the recipe of {project} has no revision {number}");
        Refusal::not_found("unknown_revision", what).hint(format!("pointsman recipe history {project}"))
    })
}

fn difference(from: &str, to: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(from, to);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(Line {
                kind: "gap",
                sign: "⋮",
                word: "lines left out",
                text: String::new(),
            });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (kind, sign, word) = match change.tag() {
                ChangeTag::Equal => ("", " ", ""),
                ChangeTag::Delete => ("del", "−", "removed: "),
                ChangeTag::Insert => ("add", "+", "added: "),
            };
            lines.push(Line {
                kind,
                sign,
                word,
                text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
            });
        }
    }
    lines
}

/// A new text.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    body: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    base: Option<u32>,
}

/// `POST /p/{project}/recipe`
pub(super) async fn write(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Written>,
) -> Answer<Response> {
    // Browsers send every line end as two characters.
    let body = form.body.replace("\r\n", "\n");
    let note = form.note.trim();
    let wish = NewRecipe {
        body,
        base: form.base,
        note: (!note.is_empty()).then(|| note.to_owned()),
    };
    match keep_recipe::write(viewer.app(), &viewer.caller.actor, &project, &wish).await {
        Ok(revision) => {
            let to = if revision > 1 {
                format!("/p/{project}/recipe?from={}&to={revision}", revision - 1)
            } else {
                format!("/p/{project}/recipe")
            };
            Ok(Went(to).into_response())
        }
        Err(OperationError::Refused(refusal)) if is_about_the_text(&refusal) => {
            let typed = Typed {
                body: &wish.body,
                note,
                // Whoever was told of a newer revision and presses again means it.
                base: wish.base.filter(|_| refusal.kind != RefusalKind::Conflict),
                refused: Some(&refusal),
            };
            let mut response = draw(&viewer, &project, &Which::default(), Some(typed))
                .await?
                .once()
                .into_response();
            *response.status_mut() = if refusal.kind == RefusalKind::Conflict {
                StatusCode::CONFLICT
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            Ok(response)
        }
        Err(other) => Err(other.into()),
    }
}

/// Whether whoever typed can mend it where it stands.
const fn is_about_the_text(refusal: &Refusal) -> bool {
    matches!(refusal.kind, RefusalKind::Invalid | RefusalKind::Conflict)
}

/// What counts from now on.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    from: RecipeSource,
}

/// `POST /p/{project}/recipe/source`
pub(super) async fn choose(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Chosen>,
) -> Answer<Went> {
    keep_recipe::choose(viewer.app(), &viewer.caller.actor, &project, form.from).await?;
    Ok(Went(format!("/p/{project}/recipe")))
}
