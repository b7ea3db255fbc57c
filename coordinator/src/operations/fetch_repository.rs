//! Brings the coordinator's mirror of a project's repository up to date because somebody wants to see what is there now.

use pointsman_domain::{Action, Actor};
use pointsman_shared::name::ProjectName;
use pointsman_store::projects::ProjectRow;

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;
use crate::mirrors;

/// Fetches all branches and tags.
pub async fn execute(app: &App, actor: &Actor, name: &ProjectName) -> OperationResult<ProjectRow> {
    let object = name.as_str();
    act::audited(app, actor, "repository.fetch", object, async {
        actor.authorize_in(name, Action::Build, object)?;
        let project = known::project(&mut *app.store.read().await?, name).await?;
        mirrors::fetch(app, &project).await?;
        let mut tx = app.store.begin().await?;
        let detail = serde_json::json!({ "repository": project.repository });
        act::done(app, &mut tx, actor, "repository.fetch", object, detail).await?;
        act::commit(tx).await?;
        app.bells.events.notify_one();
        Ok(project)
    })
    .await
}
