//! Gives an agent an object of the artifact store: only one that its running job's body names.

use pointsman_domain::{Refusal, RefusalKind};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use pointsman_shared::wire::job::Order;

use super::trust_agent::{Trusted, forbidden};
use crate::app::App;
use crate::artifacts::{ArtifactError, Outgoing};
use crate::error::{OperationError, OperationResult};

/// Opens an object from byte `offset` on.
pub async fn execute(
    app: &App,
    agent: &Trusted,
    kind: ObjectKind,
    digest: Digest,
    offset: u64,
) -> OperationResult<Outgoing> {
    if !names(&agent.body.order, kind, &digest) {
        let what = format!(
            "job #{} does not name {}/{digest}",
            agent.body.number,
            kind.as_str()
        );
        return Err(forbidden("object_not_named", what).into());
    }
    if let Some(size) = app.objects.size(kind, &digest).await.map_err(failed)?
        && offset >= size
        && offset > 0
    {
        let what = format!("{}/{digest} ends at byte {size}", kind.as_str());
        return Err(Refusal::invalid("range_beyond_end", what).into());
    }
    let found = app.objects.get(kind, &digest, offset).await.map_err(failed)?;
    // Its release says it is there: a store that lost it may be brought back.
    let missing = || {
        let what = format!("{}/{digest} is not in the artifact store", kind.as_str());
        Refusal::new(RefusalKind::NotFound, "object_missing", what)
            .hint("build the release again under a new number")
    };
    Ok(found.ok_or_else(missing)?)
}

fn names(order: &Order, kind: ObjectKind, digest: &Digest) -> bool {
    match order {
        Order::Install(order) => {
            *digest
                == match kind {
                    ObjectKind::Manifest => order.manifest,
                    ObjectKind::Archive => order.archive,
                    ObjectKind::Packing => order.packing,
                }
        }
        Order::Activate(order) | Order::Rollback(order) => {
            kind == ObjectKind::Manifest && *digest == order.manifest
        }
        Order::Build(_) | Order::Migrate(_) | Order::CollectGarbage(_) | Order::CollectWorkshop(_) => false,
    }
}

fn failed(error: ArtifactError) -> OperationError {
    OperationError::internal("reading an object", error)
}
