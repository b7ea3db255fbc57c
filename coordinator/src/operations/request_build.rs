//! Asks for a release: the ref is pinned to a commit, the recipe is read and judged, the number is taken, and the job
//! is offered to the project's pool. All that is wrong with the wish is said now, not by a builder.
//!
//! Every request is a new number, also of a commit that is built: a rebuild never overwrites.

use pointsman_domain::job::Purpose;
use pointsman_domain::{Action, Actor, Refusal, RefusalKind, release};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{DeploymentId, JobId, ReleaseId, StreamId};
use pointsman_shared::name::ProjectName;
use pointsman_shared::repository::GitRef;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::job::{Audience, BuildOrder, Input, JobBody, Order};
use pointsman_store::events::NewEvent;
use pointsman_store::projects::ProjectRow;
use pointsman_store::releases::{NewRelease, ReleaseRow};
use pointsman_store::{PgConnection, StoreError, Transaction, events, jobs, locks, projects, releases};

use super::{act, known, offer_job};
use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::mirrors::{self, Source};

/// Grants a build may have: a builder that is lost is no reason to ask a person.
const BUILD_EPOCHS: u32 = 3;

/// The wish for a release.
#[derive(Debug, Clone)]
pub struct BuildWish {
    /// Of which project.
    pub project: ProjectName,
    /// Tag, branch or commit prefix; the default branch when absent.
    pub reference: Option<String>,
}

/// Asks for a release; returns it, `queued`.
pub async fn execute(app: &App, actor: &Actor, wish: &BuildWish) -> OperationResult<ReleaseId> {
    let object = wish.project.as_str();
    act::audited(app, actor, "release.request", object, async {
        actor.authorize_in(&wish.project, Action::Build, object)?;
        let project = known::project(&mut *app.store.read().await?, &wish.project).await?;
        let source = mirrors::source(app, &project, parse(wish)?.into()).await?;
        let mut tx = app.store.begin().await?;
        let release = insert(app, &mut tx, actor, &project, &source).await?;
        offer(app, &mut tx, &project, release, None, actor.trace.as_ref()).await?;
        act::commit(tx).await?;
        app.bells.relay.notify_one();
        app.bells.events.notify_one();
        Ok(release)
    })
    .await
}

/// The newest release of the commit that would be built, by the recipe that it would be built by: the same bytes, mostly.
/// It is built, or is being built.
pub async fn built_already(
    app: &App,
    actor: &Actor,
    wish: &BuildWish,
) -> OperationResult<Option<ReleaseRow>> {
    actor.authorize_in(&wish.project, Action::Build, wish.project.as_str())?;
    let project = known::project(&mut *app.store.read().await?, &wish.project).await?;
    let source = mirrors::source(app, &project, parse(wish)?.into()).await?;
    let digest = source
        .recipe_body
        .as_ref()
        .map(|body| Digest::of(body.as_bytes()));
    let mut conn = app.store.read().await?;
    let same = releases::find_same(&mut conn, project.id, &source.commit, digest.as_ref()).await?;
    Ok(match same {
        Some(same) => releases::get(&mut conn, same).await?,
        None => None,
    })
}

fn parse(wish: &BuildWish) -> Result<Option<GitRef>, Refusal> {
    let parsed = wish.reference.as_deref().map(str::parse::<GitRef>).transpose();
    parsed.map_err(|error| {
        Refusal::invalid("invalid_ref", error.to_string()).hint(format!(
            "a branch or tag of another name is built by its commit: pointsman project refs {}",
            wish.project
        ))
    })
}

/// Takes the number and the label, and writes the release with its act and event. Its job is [`offer`].
pub(super) async fn insert(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    project: &ProjectRow,
    source: &Source,
) -> OperationResult<ReleaseId> {
    let now = pointsman_store::now(tx).await?;
    refuse_when_stopped(tx, now).await?;
    let number = projects::take_release_number(tx, project.id).await?;
    let bases: Vec<_> = source
        .tag
        .iter()
        .map(ToString::to_string)
        .chain([number.to_string()])
        .collect();
    let taken = releases::taken_labels(tx, project.id, &bases).await?;
    let label = release::label_for(source.tag.as_ref(), number, &taken)
        .ok_or_else(|| OperationError::internal("naming a release", anyhow::anyhow!("no label is free")))?;
    let id = ReleaseId(app.ids.next());
    let new = NewRelease {
        id,
        project: project.id,
        number,
        label: &label,
        reference: &source.reference,
        repository: &project.repository.to_string(),
        subdirectory: project.subdirectory.as_deref(),
        commit: &source.commit,
        subject: &source.subject,
        author: &source.author,
        committed_at: source.committed_at,
        origin: &app.config.installation.name,
        recipe_body: source.recipe_body.as_deref(),
        recipe_document: source.recipe_document,
        recipe: &source.recipe,
        by: actor.principal,
        at: now,
    };
    releases::insert(tx, &new).await?;
    let detail = serde_json::json!({
        "release": number, "label": label, "ref": source.reference, "commit": source.commit,
    });
    act::done(app, tx, actor, "release.request", project.name.as_str(), detail).await?;
    let message = format!(
        "release {label} (#{number}) of {} is queued: {}",
        project.name, source.subject
    );
    let event = NewEvent {
        kind: "release.queued",
        project: Some(project.name.as_str()),
        message,
        ..NewEvent::default()
    };
    events::append(tx, now, &event).await?;
    Ok(id)
}

/// Refuses new work while the global stop is on.
pub(super) async fn refuse_when_stopped(
    conn: &mut PgConnection,
    now: chrono::DateTime<chrono::Utc>,
) -> OperationResult<()> {
    match locks::global_stop(conn, now).await? {
        None => Ok(()),
        Some(stop) => {
            let what = format!("everything is stopped by {}: {}", stop.owner, stop.reason);
            Err(Refusal::new(RefusalKind::Locked, "stopped", what).into())
        }
    }
}

/// Offers the build of a queued release to the project's pool.
pub(super) async fn offer(
    app: &App,
    tx: &mut Transaction,
    project: &ProjectRow,
    release: ReleaseId,
    deployment: Option<DeploymentId>,
    trace: Option<&TraceParent>,
) -> OperationResult<()> {
    let row = releases::get(tx, release)
        .await?
        .ok_or_else(|| StoreError::inconsistent("release", release, "it vanished after its insert"))?;
    let inputs = recipe_input(&row);
    let order = BuildOrder {
        release,
        release_number: row.number,
        label: row.label,
        repository: project.repository.clone(),
        subdirectory: project.subdirectory.clone(),
        commit: row.commit,
        recipe: row.recipe.build,
        shared: row.recipe.shared,
        log_stream: StreamId(app.ids.next()),
    };
    let order = Order::Build(Box::new(order));
    let body = JobBody {
        v: order.version(),
        job: JobId(app.ids.next()),
        number: jobs::reserve_number(tx).await?,
        installation: app.config.installation.name.clone(),
        audience: Audience::Pool(project.pool.clone()),
        project: project.name.clone(),
        project_id: project.id,
        environment: None,
        target_id: None,
        deployment,
        inputs,
        order,
    };
    let at = pointsman_store::now(tx).await?;
    let new = jobs::NewJob {
        body: &body,
        purpose: Purpose::Release,
        max_epochs: BUILD_EPOCHS,
        trace,
        at,
    };
    let job = jobs::insert(tx, &new).await?;
    offer_job::offer_or_defer(app, tx, &job).await?;
    Ok(())
}

/// The frozen recipe as an input of a job.
pub(super) fn recipe_input(release: &ReleaseRow) -> Vec<Input> {
    let document = release.recipe_document;
    let input = |digest| Input {
        kind: "recipe".to_owned(),
        id: document.map(|document| document.id),
        revision: document.map_or(1, |document| document.revision.into()),
        digest,
    };
    release.recipe_digest.map(input).into_iter().collect()
}
