//! Keeps a target's placements in step with the hosts that have its labels: a new host gets one, a host that no longer
//! matches loses it, and nothing that lies on a host is touched.

use pointsman_domain::presence::milliseconds;
use pointsman_shared::ids::{Generation, PlacementId};
use pointsman_shared::name::{HostId, SlotName};
use pointsman_shared::wire::to_agent::Adopt;
use pointsman_store::events::NewEvent;
use pointsman_store::targets::TargetRow;
use pointsman_store::{Transaction, deployments, events, hosts, outbox, placements};

use crate::app::App;
use crate::error::OperationResult;

/// A host on which the target's root belongs to another target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootConflict {
    /// The host.
    pub host: HostId,
    /// The target that has the root, as `project@environment`.
    pub other: String,
}

/// Brings the placements of a locked target in step; hosts of an open deployment stay until it is over.
pub async fn sync(app: &App, tx: &mut Transaction, target: &TargetRow) -> OperationResult<Vec<RootConflict>> {
    let wanted = placements::matching_hosts(tx, &target.labels).await?;
    let mut existing = placements::of_target(tx, target.id).await?;
    let is_open = deployments::open_of_target(tx, target.id)
        .await?
        .iter()
        .any(|deployment| deployment.started);
    let now = pointsman_store::now(tx).await?;
    if !is_open {
        let stays = |placement: &placements::PlacementRow| {
            wanted.contains(&placement.host) && placement.root == target.root.on_host(&placement.host)
        };
        for gone in existing.extract_if(.., |placement| !stays(placement)) {
            placements::retire(tx, gone.id, now).await?;
            tell(
                tx,
                target,
                &gone.host,
                "placement.retired",
                "no longer belongs to",
            )
            .await?;
        }
    }
    let mut conflicts = Vec::new();
    for host in wanted {
        if existing.iter().any(|placement| placement.host == host) {
            continue;
        }
        if let Some((_, other)) = placements::holder_of_root(tx, &host, &target.root.on_host(&host)).await? {
            conflicts.push(RootConflict { host, other });
            continue;
        }
        // A host that comes back keeps its placement: the fence on it names the old one.
        let kept = placements::revive(tx, target.id, &host, &target.root).await?;
        let id = kept.unwrap_or_else(|| PlacementId(app.ids.next()));
        if kept.is_none() {
            placements::insert(tx, id, target.id, &host, &target.root, now).await?;
        }
        introduce(app, tx, target, id, &host).await?;
        tell(tx, target, &host, "placement.created", "now belongs to").await?;
    }
    Ok(conflicts)
}

/// Tells a host of its new placement. Should the message be lost, the host's state counts as unknown, so that its next
/// beat is answered by `say_hello` and the welcome names the placement.
async fn introduce(
    app: &App,
    tx: &mut Transaction,
    target: &TargetRow,
    placement: PlacementId,
    host: &HostId,
) -> OperationResult<()> {
    hosts::store_state_digest(tx, host, None).await?;
    let Some(instance) = hosts::get(tx, host).await?.and_then(|host| host.instance) else {
        return Ok(());
    };
    let now = pointsman_store::now(tx).await?;
    let expires_at = now + milliseconds(app.config.timing.start_deadline_ms);
    let adopt = Adopt {
        v: pointsman_shared::wire::VERSION,
        host: host.clone(),
        instance,
        placement,
        root: target.root.on_host(host),
        slots: vec![SlotName::current()],
        generation: Generation(0),
        answers: None,
        // The relay gives it the next serial when it signs.
        serial: 0,
        expires_at: expires_at.timestamp_millis(),
    };
    Ok(outbox::put_adopt(tx, &adopt, now, expires_at).await?)
}

async fn tell(
    tx: &mut Transaction,
    target: &TargetRow,
    host: &HostId,
    kind: &str,
    what: &str,
) -> OperationResult<()> {
    let name = target.name.to_string();
    let now = pointsman_store::now(tx).await?;
    let event = NewEvent {
        kind,
        project: Some(target.name.project.as_str()),
        target: Some(&name),
        host: Some(host.as_str()),
        message: format!("{host} {what} {name} ({})", target.root.on_host(host)),
        ..NewEvent::default()
    };
    Ok(events::append(tx, now, &event).await?)
}
