//! Recomputes the chain over the audit trail and names the first act that breaks it. It reads, and mends nothing.

use pointsman_domain::audit::End;
use pointsman_domain::{Action, Actor};
use pointsman_shared::api::tokens::{AuditChain, BrokenLink};
use pointsman_store::audit_chain;

use crate::app::App;
use crate::error::OperationResult;

/// Links that are held in memory at once.
const PAGE: i64 = 1_000;

/// Walks the whole chain.
pub async fn execute(app: &App, actor: &Actor) -> OperationResult<AuditChain> {
    actor.authorize(Action::Read, "audit")?;
    let mut end = End::default();
    loop {
        // A connection for each page: a long trail holds nobody up.
        let mut conn = app.store.read().await?;
        let links = audit_chain::after(&mut conn, end.position, PAGE).await?;
        if links.is_empty() {
            let unchained = audit_chain::without_link(&mut conn).await?;
            return Ok(answer(end, unchained, None));
        }
        for (link, act) in &links {
            let before = end;
            if let Err(what) = end.follow(link, act) {
                let broken = BrokenLink {
                    number: act.number,
                    position: link.position.unsigned_abs(),
                    what,
                };
                let unchained = audit_chain::without_link(&mut conn).await?;
                return Ok(answer(before, unchained, Some(broken)));
            }
        }
    }
}

/// `end` is the last link that holds.
fn answer(end: End, unchained: i64, broken: Option<BrokenLink>) -> AuditChain {
    AuditChain {
        length: end.position.unsigned_abs(),
        head: (end.position > 0).then_some(end.head),
        unchained: unchained.unsigned_abs(),
        broken,
    }
}
