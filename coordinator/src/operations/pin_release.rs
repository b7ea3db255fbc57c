//! Keeps a release whatever happens, or lets it go its way again.

use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::name::ProjectName;
use pointsman_store::garbage;

use super::{act, find_release};
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
        actor.authorize_in(project, Action::Deploy, &object)?;
        reason::judge("reason", wish.reason.as_deref())?;
        let (mut tx, project, release) = find_release::to_speak_of(app, project, spec).await?;
        find_release::judge(&release)?;
        if wish.pinned {
            let now = pointsman_store::now(&mut tx).await?;
            garbage::pin(&mut tx, release.id, actor.principal, wish.reason.as_deref(), now).await?;
        } else if !garbage::unpin(&mut tx, release.id).await? {
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
