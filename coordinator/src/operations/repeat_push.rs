//! Lets a push be answered once more, such as after the lock is gone that refused it.

use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::pushes::Push;
use pointsman_store::{pushes, views};

use super::{act, known};
use crate::app::App;
use crate::error::OperationResult;

/// Repeats the push with this number; returns it, unanswered.
pub async fn execute(app: &App, actor: &Actor, number: i64) -> OperationResult<Push> {
    let object = format!("push #{number}");
    let push = act::audited(app, actor, "push.repeat", &object, async {
        let project = views::reach::of_push(&mut *app.store.read().await?, number).await?;
        known::authorize(actor, project.as_ref(), Action::Deploy, &object)?;
        let mut tx = app.store.begin().await?;
        let now = pointsman_store::now(&mut tx).await?;
        let repeated = pushes::repeat(&mut tx, number, now).await?;
        let push = pushes::one(&mut tx, number).await?;
        let push = push.ok_or_else(|| {
            Refusal::not_found("unknown_push", format!("there is no push #{number}"))
                .hint("pointsman push ls")
        })?;
        if !repeated {
            let what = format!("push #{number} is being answered");
            return Err(Refusal::conflict("push_unanswered", what)
                .hint("pointsman push ls")
                .into());
        }
        let detail = serde_json::json!({ "project": push.project, "ref": push.reference });
        act::done(app, &mut tx, actor, "push.repeat", &object, detail).await?;
        act::commit(tx).await?;
        Ok(push)
    })
    .await?;
    app.bells.pushes.notify_one();
    Ok(push)
}
