//! Applies a document that describes projects, environments, targets and variables: all of it or nothing. What exists
//! is updated, what is absent is left alone.

use pointsman_domain::{Action, Actor, Permit, Refusal};
use pointsman_shared::api::projects::{Applied, Change, Document};
use pointsman_store::Transaction;

use super::{act, create_environment, create_project, create_target, set_variable};
use crate::app::App;
use crate::error::OperationResult;

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    Created,
    /// It was otherwise before.
    Updated,
    /// It was so before.
    Unchanged,
}

impl Made {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Applies a document.
pub async fn execute(app: &App, actor: &Actor, document: Document) -> OperationResult<Applied> {
    act::audited(
        app,
        actor,
        "document.apply",
        "document",
        apply(app, actor, &document),
    )
    .await
}

async fn apply(app: &App, actor: &Actor, document: &Document) -> OperationResult<Applied> {
    authorize(actor, document)?;
    let mut tx = app.store.begin().await?;
    let changes = put_all(app, &mut tx, actor, document).await?;
    act::commit(tx).await?;
    app.bells.reconcile.notify_one();
    app.bells.events.notify_one();
    Ok(Applied { changes })
}

/// What a document says of a project takes a role in it; a project itself is made and changed by those who configure
/// everything. What a refusal names stands in the document that was sent: it tells of nothing hidden.
fn authorize(actor: &Actor, document: &Document) -> Result<(), Refusal> {
    actor.authorize_somewhere(Action::Configure, "document")?;
    for project in &document.projects {
        let thing = format!("project {}", project.name);
        or_without(
            &thing,
            actor.authorize_in(&project.name, Action::Configure, &thing),
        )?;
    }
    for target in &document.targets {
        let thing = format!("target {}@{}", target.project, target.environment);
        or_without(
            &thing,
            actor.authorize_in(&target.project, Action::Configure, &thing),
        )?;
    }
    for variable in &document.variables {
        let thing = format!("variable {}", set_variable::wished(variable));
        or_without(&thing, set_variable::authorize(actor, &variable.scope, &thing))?;
    }
    Ok(())
}

/// Adds to a refusal how the rest of the document can be applied.
fn or_without(thing: &str, judged: Result<Permit, Refusal>) -> Result<(), Refusal> {
    let Err(refusal) = judged else { return Ok(()) };
    let without = format!("take {thing} out of the document");
    let hint = match &refusal.hint {
        Some(ask) => format!("{without}, or {ask}"),
        None => without,
    };
    Err(refusal.hint(hint))
}

/// In the order of need: a target names its project and environment, a variable any of them.
async fn put_all(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    document: &Document,
) -> OperationResult<Vec<Change>> {
    let mut changes = Vec::new();
    let mut note = |kind: &str, name: String, made: Made| {
        changes.push(Change {
            kind: kind.to_owned(),
            name,
            change: made.as_str().to_owned(),
        });
    };
    for project in &document.projects {
        let made = create_project::put(app, tx, actor, project).await?;
        if made != Made::Unchanged {
            let thing = format!("project {}", project.name);
            or_without(&thing, actor.authorize(Action::Configure, &thing))?;
        }
        note("project", project.name.to_string(), made);
    }
    for environment in &document.environments {
        let made = create_environment::put(app, tx, actor, environment).await?;
        note("environment", environment.name.to_string(), made);
    }
    for target in &document.targets {
        let made = create_target::put(app, tx, actor, target).await?;
        note(
            "target",
            format!("{}@{}", target.project, target.environment),
            made,
        );
    }
    for variable in &document.variables {
        let made = set_variable::put(app, tx, actor, variable).await?;
        note("variable", set_variable::wished(variable), made);
    }
    Ok(changes)
}
