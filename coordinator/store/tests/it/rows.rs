//! Rows that other rows refer to: a person, a project, a target on one host, releases.

use pointsman_domain::recipe::Recipe;
use pointsman_domain::timing::Timing;
use pointsman_domain::{ActorKind, deployment::DeploymentKind};
use pointsman_shared::api::projects::{Environment, Retention, Strategy, WhenBusy};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{
    DeploymentId, EnvironmentId, PlacementId, PrincipalId, ProjectId, ReleaseId, TargetId,
};
use pointsman_shared::name::ReleaseFolder;
use pointsman_shared::wire::SigningKey;
use pointsman_store::deployments::NewDeployment;
use pointsman_store::enrolments::{self, Enrolment};
use pointsman_store::join_tokens::Invitation;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases::{Built, NewRelease};
use pointsman_store::targets::TargetRow;
use pointsman_store::{
    PgConnection, StoreResult, deployments, environments, now, placements, principals, projects, releases,
    targets,
};
use uuid::Uuid;

pub const PERSON: PrincipalId = PrincipalId(Uuid::from_u128(1));
pub const PROJECT: ProjectId = ProjectId(Uuid::from_u128(2));
pub const TARGET: TargetId = TargetId(Uuid::from_u128(3));
pub const PLACEMENT: PlacementId = PlacementId(Uuid::from_u128(4));

/// The target shop@production on web-1.
pub async fn target(conn: &mut PgConnection) -> StoreResult<()> {
    let at = now(conn).await?;
    principals::ensure(conn, PERSON, ActorKind::User, "ann", at).await?;
    let project = ProjectRow {
        id: PROJECT,
        name: "shop".parse().expect("a name"),
        repository: "https://git.example.org/shop.git".parse().expect("an address"),
        subdirectory: None,
        pool: "default".parse().expect("a name"),
        tickets: None,
        created_at: at,
    };
    projects::insert(conn, &project).await?;
    let environment = EnvironmentId(Uuid::from_u128(5));
    let wish = Environment {
        name: "production".parse().expect("a name"),
        position: 0,
    };
    environments::insert(conn, environment, &wish, at).await?;
    let target = TargetRow {
        id: TARGET,
        name: "shop@production".parse().expect("a name"),
        project: PROJECT,
        environment,
        root: "/srv/shop".parse().expect("a root"),
        labels: [("role".to_owned(), "web".to_owned())].into(),
        strategy: Strategy::default(),
        retention: Retention::default(),
        gates: Vec::new(),
        when_busy: WhenBusy::default(),
        on_push: Vec::new(),
        desired: None,
        created_at: at,
    };
    targets::insert(conn, &target).await?;
    let invitation = Invitation {
        host: "web-1".parse().expect("a name"),
        labels: target.labels.clone(),
        pools: Vec::new(),
        kinds: vec![pointsman_shared::outcome::JobKind::Activate],
    };
    let key = SigningKey::from_seed(&[1; 32]).public();
    let enrolment = Enrolment {
        invitation: &invitation,
        principal: PERSON,
        key: &key,
        password_hash: "none",
        at,
    };
    enrolments::enrol(conn, &enrolment).await?;
    placements::insert(conn, PLACEMENT, TARGET, &invitation.host, &target.root, at).await
}

/// A queued release; its id is its number.
pub async fn release(conn: &mut PgConnection, label: &str) -> StoreResult<ReleaseId> {
    let number = projects::take_release_number(conn, PROJECT).await?;
    let id = ReleaseId(Uuid::from_u128(1000 + u128::from(number)));
    let new = NewRelease {
        id,
        project: PROJECT,
        number,
        label: &label.parse().expect("a label"),
        reference: label,
        repository: "https://git.example.org/shop.git",
        subdirectory: None,
        commit: &"a".repeat(40).parse().expect("a commit"),
        subject: "",
        author: "",
        committed_at: None,
        origin: "test",
        recipe_body: None,
        recipe_document: None,
        recipe: &Recipe::default(),
        by: PERSON,
        at: now(conn).await?,
    };
    releases::insert(conn, &new).await?;
    Ok(id)
}

/// A built release.
pub async fn built(conn: &mut PgConnection, label: &str) -> StoreResult<ReleaseId> {
    let id = release(conn, label).await?;
    let digest = Digest::of(label.as_bytes());
    let built = Built {
        manifest: digest,
        archive: digest,
        packing: digest,
        archive_bytes: 1,
        total_bytes: 1,
        entries: 1,
        folder: ReleaseFolder::of(1, &digest),
    };
    let at = now(conn).await?;
    releases::set_built(conn, id, &built, at).await?;
    Ok(id)
}

/// A wish for a release.
pub async fn wish(conn: &mut PgConnection, number: u128, release: ReleaseId) -> StoreResult<DeploymentId> {
    let id = DeploymentId(Uuid::from_u128(2000 + number));
    let new = NewDeployment {
        id,
        target: TARGET,
        release,
        kind: DeploymentKind::Deploy,
        by: PERSON,
        at: now(conn).await?,
        reason: None,
        strategy: &Strategy::default(),
        timing: Timing::default(),
        plan: None,
        trace: None,
    };
    deployments::insert(conn, &new).await?;
    Ok(id)
}
