//! Takes an object from a build's agent into the artifact store. The epoch is checked before and after, because a
//! large object takes longer than a lease.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use pointsman_domain::{Refusal, RefusalKind};
use pointsman_shared::api::agent::{ObjectKind, Stored};
use pointsman_shared::digest::Digest;
use pointsman_shared::wire::job::Order;
use pointsman_store::objects;

use super::act;
use super::trust_agent::{self, Trusted, forbidden};
use crate::app::App;
use crate::artifacts::{ArtifactError, Incoming};
use crate::error::{OperationError, OperationResult};

/// Largest manifest or packing, in bytes.
const MOST_LIST_BYTES: u64 = 128 << 20;

/// Stores an object.
pub async fn execute<S, E>(
    app: &App,
    agent: &Trusted,
    kind: ObjectKind,
    digest: Digest,
    announced: Option<u64>,
    mut content: S,
) -> OperationResult<Stored>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: std::fmt::Display,
{
    if !matches!(agent.body.order, Order::Build(_)) {
        let what = format!("a {} job stores nothing", agent.body.order.kind());
        return Err(forbidden("not_a_build", what).into());
    }
    let most = match kind {
        ObjectKind::Manifest | ObjectKind::Packing => MOST_LIST_BYTES,
        ObjectKind::Archive => app.config.store.max_archive_bytes,
    };
    if announced.is_some_and(|announced| announced > most) {
        return Err(refused(ArtifactError::TooLarge { most }));
    }
    let known = announce(app, kind, &digest).await?;
    if known.is_some() && app.objects.size(kind, &digest).await.map_err(refused)? == known {
        drain(&mut content, most).await;
        return Ok(Stored { existed: true });
    }
    let incoming = Incoming {
        kind,
        digest,
        most,
        id: app.ids.next(),
    };
    let bytes = app.objects.put(incoming, content).await.map_err(refused)?;
    trust_agent::still(app, agent).await?;
    let mut tx = app.store.begin().await?;
    objects::complete(&mut tx, kind.as_str(), &digest, bytes, app.clock.now()).await?;
    act::commit(tx).await?;
    Ok(Stored { existed: false })
}

/// Touches the object's row, so that nobody collects what is about to come; returns its size when it is complete.
async fn announce(app: &App, kind: ObjectKind, digest: &Digest) -> OperationResult<Option<u64>> {
    let mut tx = app.store.begin().await?;
    let known = objects::announce(&mut tx, kind.as_str(), digest, app.clock.now()).await?;
    act::commit(tx).await?;
    Ok(known)
}

/// Reads on although nothing is needed: an answer before the end would look like a broken connection to the sender.
async fn drain<S, E>(content: &mut S, most: u64)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
{
    let mut bytes = 0;
    while let Some(Ok(piece)) = content.next().await {
        bytes += piece.len() as u64;
        if bytes > most {
            return;
        }
    }
}

fn refused(error: ArtifactError) -> OperationError {
    match error {
        ArtifactError::BrokenOff { .. } => Refusal::invalid("upload_broken_off", error.to_string()).into(),
        ArtifactError::TooLarge { .. } => Refusal::invalid("object_too_large", error.to_string())
            .hint("raise store.max_archive_bytes of the coordinator, or leave files out with build.include")
            .into(),
        ArtifactError::OtherContent { .. } => Refusal::invalid("other_content", error.to_string()).into(),
        ArtifactError::Store { .. } if is_full(&error) => {
            let what = "the disk of the artifact store is full";
            Refusal::new(RefusalKind::Unavailable, "store_full", what).into()
        }
        ArtifactError::Store { .. } | ArtifactError::File { .. } | ArtifactError::Damaged { .. } => {
            OperationError::internal("storing an object", error)
        }
    }
}

fn is_full(error: &ArtifactError) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::StorageFull;
        }
        next = cause.source();
    }
    false
}
