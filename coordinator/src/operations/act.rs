//! Acts of principals in the audit trail: what was done stands in the transaction that did it, what was refused in one
//! of its own.

use pointsman_domain::Actor;
use pointsman_shared::ids::AuditId;
use pointsman_store::audit::{self, Act, ActResult};
use pointsman_store::{StoreError, Transaction};

use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Notes in the caller's transaction that something was done.
pub async fn done(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    action: &str,
    object: &str,
    detail: serde_json::Value,
) -> OperationResult<()> {
    let act = Act {
        id: AuditId(app.ids.next()),
        at: app.clock.now(),
        actor,
        action,
        object,
        result: ActResult::Done,
        detail,
    };
    Ok(audit::append(tx, &act).await?)
}

/// Notes that something was refused.
pub async fn refused(
    app: &App,
    actor: &Actor,
    action: &str,
    object: &str,
    code: &str,
    what: &str,
) -> OperationResult<()> {
    let mut conn = app.store.read().await?;
    let act = Act {
        id: AuditId(app.ids.next()),
        at: app.clock.now(),
        actor,
        action,
        object,
        result: ActResult::Refused,
        detail: serde_json::json!({ "code": code, "what": what }),
    };
    Ok(audit::append(&mut conn, &act).await?)
}

/// Carries out a wish, and notes when it is refused.
pub async fn audited<T>(
    app: &App,
    actor: &Actor,
    action: &str,
    object: &str,
    wish: impl Future<Output = OperationResult<T>>,
) -> OperationResult<T> {
    let outcome = wish.await;
    if let Err(OperationError::Refused(refusal)) = &outcome {
        refused(app, actor, action, object, refusal.code, &refusal.what).await?;
    }
    outcome
}

/// Commits; what follows may rely on it.
pub async fn commit(tx: Transaction) -> OperationResult<()> {
    Ok(tx.commit().await.map_err(StoreError::from)?)
}
