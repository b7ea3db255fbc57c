//! Chains the acts that wait for it. One chainer at a time, whichever coordinator it is; the others find the chain taken
//! and have nothing to do.
//!
//! Acts are chained in the order in which they are found, not in that of their numbers: one that commits late is chained
//! late, and none is skipped.

use pointsman_store::audit_chain;

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Acts of one transaction.
const BATCH: i64 = 500;

/// Chains everything that waits; returns how many acts.
pub async fn execute(app: &App) -> OperationResult<usize> {
    let mut chained = 0;
    loop {
        let batch = one_batch(app).await?;
        chained += batch;
        if i64::try_from(batch).is_ok_and(|batch| batch < BATCH) {
            return Ok(chained);
        }
    }
}

async fn one_batch(app: &App) -> OperationResult<usize> {
    let mut tx = app.store.begin().await?;
    if !audit_chain::lock(&mut tx).await? {
        return Ok(0);
    }
    let acts = audit_chain::waiting(&mut tx, BATCH).await?;
    if acts.is_empty() {
        return Ok(0);
    }
    let mut end = audit_chain::end(&mut tx).await?;
    let links: Vec<_> = acts.iter().map(|act| (act.id, end.add(act))).collect();
    let ids: Vec<_> = acts.iter().map(|act| act.id).collect();
    audit_chain::append(&mut tx, &links).await?;
    audit_chain::settle(&mut tx, &ids).await?;
    act::commit(tx).await?;
    Ok(acts.len())
}
