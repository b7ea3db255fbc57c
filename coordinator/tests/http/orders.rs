//! What agents are asked to do here: a build and an install, with the rows they rest on; and a release that is built.

use pointsman_domain::recipe::Recipe;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{PlacementId, ReleaseId, StreamId};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::wire::job::{BuildOrder, InstallOrder, Order};

use crate::world::World;

/// A build of the next release of shop.
pub async fn build(world: &World) -> Order {
    Order::Build(Box::new(BuildOrder {
        release: release(world).await,
        release_number: 1,
        label: "1".parse().unwrap(),
        repository: "https://git.example.com/shop".parse().unwrap(),
        subdirectory: None,
        commit: "a".repeat(40).parse().unwrap(),
        recipe: None,
        shared: Vec::new(),
        log_stream: StreamId(world.app.ids.next()),
    }))
}

/// An install of a release with this archive.
pub async fn install(world: &World, host: &str, archive: &[u8]) -> Order {
    let placement = world.app.ids.next();
    sqlx::query(
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT $1, target.id, $2, '/srv/shop', now() FROM target",
    )
    .bind(placement)
    .bind(host)
    .execute(world.pool())
    .await
    .unwrap();
    Order::Install(Box::new(InstallOrder {
        placement: PlacementId(placement),
        root: "/srv/shop".parse().unwrap(),
        release: release(world).await,
        folder: ReleaseFolder::of(1, &Digest::of(b"manifest")),
        manifest: Digest::of(b"manifest"),
        archive: Digest::of(archive),
        packing: Digest::of(b"packing"),
        archive_bytes: archive.len() as u64,
        total_bytes: 1,
        entries: 1,
        shared: Vec::new(),
        log_stream: StreamId(world.app.ids.next()),
    }))
}

async fn release(world: &World) -> ReleaseId {
    let id = world.app.ids.next();
    sqlx::query(
        "INSERT INTO release (id, project_id, number, label, reference, commit_id, state, origin, recipe, created_by,
                              created_at)
         SELECT $1, project.id, next, next, 'main', repeat('a', 40), 'queued', 'test', '{}', principal.id, now()
         FROM project, principal, (SELECT count(*) + 1 AS next FROM release) numbered LIMIT 1",
    )
    .bind(id)
    .execute(world.pool())
    .await
    .unwrap();
    ReleaseId(id)
}

/// The next release of shop, built; its label is its number.
pub async fn built(world: &World) -> ReleaseId {
    let id = release(world).await;
    let digest = Digest::of(id.0.as_bytes());
    sqlx::query(
        "UPDATE release SET state = 'built', manifest_digest = $2, archive_digest = $2, packing_digest = $2, folder = $3,
                            recipe = $4
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(digest.as_bytes().as_slice())
    .bind(ReleaseFolder::of(1, &digest).as_str())
    .bind(serde_json::to_value(Recipe::default()).unwrap())
    .execute(world.pool())
    .await
    .unwrap();
    id
}
