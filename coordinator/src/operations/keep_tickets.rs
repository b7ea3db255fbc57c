//! Says how a project's commits name tickets and where those are, or that they name none.

use pointsman_domain::{Action, Actor, tickets};
use pointsman_shared::api::projects::{Project, Tickets};
use pointsman_shared::name::ProjectName;
use pointsman_store::{StoreError, projects, views};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// What it is called in the audit trail.
const ACTION: &str = "project.tickets";

/// Says it; none = nothing is linked any more.
pub async fn execute(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    wish: Option<&Tickets>,
) -> OperationResult<Project> {
    let object = project.as_str();
    act::audited(app, actor, ACTION, object, async {
        actor.authorize_in(project, Action::Configure, object)?;
        if let Some(wish) = wish {
            tickets::judge(wish)?;
        }
        let mut tx = app.store.begin().await?;
        let before = known::project(&mut tx, project).await?;
        if before.tickets.as_ref() != wish {
            projects::set_tickets(&mut tx, before.id, wish).await?;
            let detail = serde_json::json!({ "before": before.tickets, "after": wish });
            act::done(app, &mut tx, actor, ACTION, object, detail).await?;
        }
        let gone = || StoreError::inconsistent("project", project, "it vanished while it was changed");
        let now = views::projects::one(&mut tx, object).await?.ok_or_else(gone)?;
        act::commit(tx).await?;
        Ok(now)
    })
    .await
}
