//! Adds, changes and removes what is known of causes of failures.

use pointsman_domain::{Action, Actor, Refusal, known_causes as judging};
use pointsman_shared::api::causes::{Cause, NewCause};
use pointsman_store::{PgConnection, known_causes};

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Causes at most: each is looked for in every line that is shown of a failed log.
const MOST: usize = 200;

/// Adds one.
pub async fn add(app: &App, actor: &Actor, wish: &NewCause) -> OperationResult<Cause> {
    let object = "cause";
    act::audited(app, actor, "cause.add", object, async {
        actor.authorize(Action::Configure, object)?;
        judging::judge(wish)?;
        let mut tx = app.store.begin().await?;
        let now = pointsman_store::now(&mut tx).await?;
        if known_causes::list(&mut tx, None, 0, i64::MAX).await?.len() >= MOST {
            let what = format!("there are {MOST} known causes already");
            return Err(Refusal::conflict("too_many_causes", what)
                .hint("join patterns by |, or remove one: pointsman cause rm NUMBER")
                .into());
        }
        let number = known_causes::insert(&mut tx, app.ids.next(), wish, actor.principal, now).await?;
        let number = number.ok_or_else(|| taken(wish))?;
        let cause = one(&mut tx, number).await?;
        let object = format!("cause {number}");
        act::done(app, &mut tx, actor, "cause.add", &object, detail(&cause)).await?;
        act::commit(tx).await?;
        Ok(cause)
    })
    .await
}

/// Changes one; returns it as it is now, and as it was.
pub async fn change(app: &App, actor: &Actor, number: i64, wish: &NewCause) -> OperationResult<Cause> {
    let object = format!("cause {number}");
    act::audited(app, actor, "cause.change", &object, async {
        actor.authorize(Action::Configure, &object)?;
        judging::judge(wish)?;
        let mut tx = app.store.begin().await?;
        let now = pointsman_store::now(&mut tx).await?;
        let before = one(&mut tx, number).await?;
        if !known_causes::change(&mut tx, number, wish, actor.principal, now).await? {
            return Err(taken(wish).into());
        }
        let cause = one(&mut tx, number).await?;
        let detail = serde_json::json!({ "before": detail(&before), "after": detail(&cause) });
        act::done(app, &mut tx, actor, "cause.change", &object, detail).await?;
        act::commit(tx).await?;
        Ok(cause)
    })
    .await
}

/// Removes one; returns what it was.
pub async fn remove(app: &App, actor: &Actor, number: i64) -> OperationResult<Cause> {
    let object = format!("cause {number}");
    act::audited(app, actor, "cause.remove", &object, async {
        actor.authorize(Action::Configure, &object)?;
        let mut tx = app.store.begin().await?;
        let cause = one(&mut tx, number).await?;
        known_causes::remove(&mut tx, number).await?;
        act::done(app, &mut tx, actor, "cause.remove", &object, detail(&cause)).await?;
        act::commit(tx).await?;
        Ok(cause)
    })
    .await
}

async fn one(conn: &mut PgConnection, number: i64) -> Result<Cause, crate::error::OperationError> {
    let found = known_causes::list(conn, Some(number), 0, 1).await?;
    found.into_iter().next().ok_or_else(|| {
        Refusal::not_found("unknown_cause", format!("there is no known cause {number}"))
            .hint("pointsman cause ls")
            .into()
    })
}

fn taken(wish: &NewCause) -> Refusal {
    let what = format!("there is a cause with the pattern {:?} already", wish.pattern);
    Refusal::conflict("cause_exists", what).hint("change that one: pointsman cause ls")
}

fn detail(cause: &Cause) -> serde_json::Value {
    serde_json::json!({ "pattern": cause.pattern, "sentence": cause.sentence, "action": cause.action })
}
