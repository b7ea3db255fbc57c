//! The document that `pointsman apply` sends, in a browser: what a project and its targets are as text, and any text of that
//! form applied as a whole. A text that is refused stands there again as it was typed.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use pointsman_domain::{Action, Refusal, RefusalKind};
use pointsman_shared::api::projects::{Change, Document, NewProject};
use pointsman_shared::name::ProjectName;
use pointsman_store::{PgConnection, targets};
use serde::Deserialize;

use super::super::super::extract::{Form, Query, filled};
use super::super::super::problem::Answer;
use super::super::shown::Shown;
use super::super::viewer::Viewer;
use super::tabs::{Part, named};
use super::targets::described;
use crate::error::OperationError;
use crate::operations::{apply_document, known};

/// What the page is called.
const TITLE: &str = "Apply a document";

/// `?project=shop`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    project: Option<ProjectName>,
}

#[derive(Template)]
#[template(path = "settings/document.html")]
struct Editor<'a> {
    text: &'a str,
    rows: usize,
    refused: Option<&'a Refusal>,
    proof: &'a str,
    may: bool,
}

/// `GET /settings/document`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let text = match &which.project {
        Some(project) => {
            viewer
                .caller
                .actor
                .authorize_in(project, Action::Read, project.as_str())?;
            of_project(&mut *viewer.app().store.read().await?, project).await?
        }
        None => String::new(),
    };
    draw(&viewer, &text, None)
}

fn draw(viewer: &Viewer, text: &str, refused: Option<&Refusal>) -> Answer<Shown> {
    let editor = Editor {
        text,
        rows: text.lines().count().clamp(12, 40),
        refused,
        proof: &viewer.proof,
        may: viewer.may_somewhere(Action::Configure),
    };
    Ok(named(viewer, Part::Projects, TITLE, &text)?
        .with("document", &editor)?
        .like("pointsman apply -f FILE"))
}

/// A project and its targets as text.
async fn of_project(conn: &mut PgConnection, name: &ProjectName) -> Answer<String> {
    let row = known::project(conn, name).await?;
    let of_project = targets::all_of(conn, row.id).await?;
    let document = Document {
        projects: vec![NewProject {
            name: row.name,
            repository: row.repository,
            subdirectory: row.subdirectory,
            pool: Some(row.pool),
            tickets: row.tickets,
        }],
        targets: of_project.into_iter().map(described).collect(),
        ..Document::default()
    };
    let written = Written {
        project: &document.projects,
        target: &document.targets,
    };
    let text = toml::to_string(&written);
    Ok(text.map_err(|error| OperationError::internal("writing a document", error))?)
}

/// The parts of a document that are written: an empty list would stand there as one.
#[derive(serde::Serialize)]
struct Written<'a> {
    project: &'a [NewProject],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    target: &'a [pointsman_shared::api::projects::NewTarget],
}

/// A text that is to be applied.
#[derive(Deserialize)]
pub(super) struct Typed {
    text: String,
}

#[derive(Template)]
#[template(path = "settings/applied.html")]
struct AppliedTo<'a> {
    changes: Vec<(&'a Change, Option<String>)>,
}

/// `POST /settings/document`; the page says what became of each thing.
pub(super) async fn apply(viewer: Viewer, Form(form): Form<Typed>) -> Answer<Response> {
    // Browsers send every line end as two characters.
    let text = form.text.replace("\r\n", "\n");
    let document = match toml::from_str::<Document>(&text) {
        Ok(document) => document,
        Err(error) => {
            let refusal = Refusal::invalid("invalid_body", error.to_string().trim_end().to_owned())
                .hint("the forms of [[project]], [[environment]], [[target]] and [[variable]]: pointsman apply --help");
            return again(&viewer, &text, &refusal);
        }
    };
    match apply_document::execute(viewer.app(), &viewer.caller.actor, document).await {
        Ok(applied) => {
            let row = |change| (change, page_of(change));
            let done = AppliedTo {
                changes: applied.changes.iter().map(row).collect(),
            };
            let shown = named(&viewer, Part::Projects, "Applied", &applied)?
                .with("applied", &done)?
                .once()
                .like("pointsman apply -f FILE");
            Ok(shown.into_response())
        }
        Err(OperationError::Refused(refusal)) => again(&viewer, &text, &refusal),
        Err(other) => Err(other.into()),
    }
}

fn page_of(change: &Change) -> Option<String> {
    match change.kind.as_str() {
        "project" => Some(format!("/settings/projects/{}", change.name)),
        "target" => Some(format!("/settings/targets/{}", change.name)),
        "environment" => Some("/settings/environments".to_owned()),
        "variable" => Some("/settings/variables".to_owned()),
        _ => None,
    }
}

/// The same text, to be mended.
fn again(viewer: &Viewer, text: &str, refusal: &Refusal) -> Answer<Response> {
    let mut response = draw(viewer, text, Some(refusal))?.once().into_response();
    *response.status_mut() = match refusal.kind {
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Locked => StatusCode::LOCKED,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok(response)
}
