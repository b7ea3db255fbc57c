//! Asks a target's gates about a release. A rollback never comes here.

use pointsman_domain::Refusal;
use pointsman_domain::promotion::{self, Standing};
use pointsman_store::releases::ReleaseRow;
use pointsman_store::targets::TargetRow;
use pointsman_store::{PgConnection, good_releases, marks};

use crate::error::OperationResult;

/// Refuses a release for which a gate is closed, by the first one.
pub(super) async fn execute(
    conn: &mut PgConnection,
    target: &TargetRow,
    release: &ReleaseRow,
) -> OperationResult<()> {
    match closed(conn, target, release).await?.into_iter().next() {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

/// Every gate that is closed for the release.
pub(super) async fn closed(
    conn: &mut PgConnection,
    target: &TargetRow,
    release: &ReleaseRow,
) -> OperationResult<Vec<Refusal>> {
    if target.gates.is_empty() {
        return Ok(Vec::new());
    }
    let standing = Standing {
        before: good_releases::in_stage_before(conn, target.id, release.id).await?,
        marks: marks::of_release(conn, release.id).await?,
    };
    Ok(promotion::closed(
        &target.gates,
        &standing,
        &release.label,
        &target.name,
    ))
}
