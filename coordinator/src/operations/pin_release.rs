//! Keeps a release whatever happens, or lets it go its way again.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::name::ProjectName;
use pointsman_store::{StoreError, garbage, releases};

use super::{act, find_release, known};
use crate::app::App;
use crate::error::OperationResult;

/// Pins or unpins the release that `spec` names.
pub async fn execute(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    spec: &str,
    wish: &PinRequest,
) -> OperationResult<()> {
    let object = format!("{project} {spec}");
    let action = if wish.pinned {
        "release.pin"
    } else {
        "release.unpin"
    };
    act::audited(app, actor, action, &object, async {
        actor.authorize(Action::Deploy, &object)?;
        let project = known::project(&mut *app.store.read().await?, project).await?;
        let id = find_release::known(app, &project, spec).await?;
        let mut tx = app.store.begin().await?;
        let release = releases::get(&mut tx, id)
            .await?
            .ok_or_else(|| StoreError::inconsistent("release", id, "it was found and does not exist"))?;
        find_release::judge(&release)?;
        if wish.pinned {
            let now = pointsman_store::now(&mut tx).await?;
            garbage::pin(&mut tx, id, actor.principal, wish.reason.as_deref(), now).await?;
        } else if !garbage::unpin(&mut tx, id).await? {
            let what = format!("release {} of {} is not pinned", release.label, project.name);
            return Err(Refusal::conflict("not_pinned", what)
                .hint(format!("pointsman versions {}", project.name))
                .into());
        }
        let detail = serde_json::json!({ "release": release.label, "reason": wish.reason });
        act::done(app, &mut tx, actor, action, &object, detail).await?;
        act::commit(tx).await
    })
    .await
}
