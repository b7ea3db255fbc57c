//! Creates a target, and for [`super::apply_document`] changes one. A root that two targets would share on one host is
//! refused here, naming both, before any host could trip over it.

use pointsman_domain::{Action, Actor, Refusal, push, waves};
use pointsman_shared::api::projects::{NewTarget, Target};
use pointsman_shared::ids::TargetId;
use pointsman_shared::name::{RootPath, TargetName};
use pointsman_store::targets::TargetRow;
use pointsman_store::{StoreError, Transaction, roots, targets, views};

use super::apply_document::Made;
use super::{act, known, sync_placements};
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Labels of a target at most.
const MOST_LABELS: usize = 20;

/// Creates a target.
pub async fn execute(app: &App, actor: &Actor, wish: NewTarget) -> OperationResult<Target> {
    let name = name(&wish);
    let object = name.to_string();
    act::audited(
        app,
        actor,
        "target.create",
        &object,
        create(app, actor, &wish, &name),
    )
    .await
}

async fn create(app: &App, actor: &Actor, wish: &NewTarget, name: &TargetName) -> OperationResult<Target> {
    actor.authorize_in(&name.project, Action::Configure, &name.to_string())?;
    let mut tx = app.store.begin().await?;
    if targets::find(&mut tx, name).await?.is_some() {
        return Err(exists(name).into());
    }
    put(app, &mut tx, actor, wish).await?;
    // At once, so that whoever made it sees its hosts; roots that clash were refused above.
    if let Some(row) = targets::find(&mut tx, name).await? {
        targets::lock(&mut tx, row.id).await?;
        sync_placements::sync(app, &mut tx, &row).await?;
    }
    let target = views::targets::one(&mut tx, name, &app.config.timing.rhythm())
        .await?
        .ok_or_else(|| StoreError::inconsistent("target", name, "it vanished after its insert"))?;
    act::commit(tx).await?;
    app.bells.reconcile.notify_one();
    app.bells.events.notify_one();
    Ok(target)
}

/// Makes the target be as wished, in the caller's transaction.
pub(super) async fn put(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    wish: &NewTarget,
) -> OperationResult<Made> {
    check(wish)?;
    let name = name(wish);
    let project = known::project(tx, &wish.project).await?;
    let (environment, _) = known::environment(tx, &wish.environment).await?;
    roots::lock(tx).await?;
    let before = targets::find(tx, &name).await?;
    let wished = TargetRow {
        id: before
            .as_ref()
            .map_or_else(|| TargetId(app.ids.next()), |before| before.id),
        name: name.clone(),
        project: project.id,
        environment,
        root: match &wish.root {
            Some(root) => root.clone(),
            None => default_root(&name)?,
        },
        labels: wish.hosts.clone(),
        strategy: wish.strategy.clone(),
        retention: wish.retention.clone(),
        gates: wish.gates.clone(),
        when_busy: wish.when_busy,
        on_push: wish.on_push.clone(),
        desired: before.as_ref().and_then(|before| before.desired),
        created_at: before
            .as_ref()
            .map_or_else(|| app.clock.now(), |before| before.created_at),
    };
    let (made, action) = match &before {
        Some(before) if *before == wished => return Ok(Made::Unchanged),
        Some(before) => {
            if before.root != wished.root {
                refuse_moving(tx, before, &wished).await?;
            }
            refuse_shared_root(tx, &wished).await?;
            targets::update(tx, &wished, app.clock.now()).await?;
            (Made::Updated, "target.change")
        }
        None => {
            refuse_shared_root(tx, &wished).await?;
            insert(tx, &wished).await?;
            (Made::Created, "target.create")
        }
    };
    let detail = serde_json::json!({
        "hosts": wished.labels, "root": wished.root, "strategy": wished.strategy, "retention": wished.retention,
        "gates": wished.gates, "when_busy": wished.when_busy, "on_push": wished.on_push,
    });
    act::done(app, tx, actor, action, &name.to_string(), detail).await?;
    Ok(made)
}

async fn insert(tx: &mut Transaction, target: &TargetRow) -> OperationResult<()> {
    targets::insert(tx, target)
        .await
        .map_err(|error| match error.constraint() {
            Some("target_project_id_environment_id_key") => exists(&target.name).into(),
            Some(_) | None => OperationError::from(error),
        })
}

/// A host that fits two targets with one root would switch each to the other's releases.
async fn refuse_shared_root(tx: &mut Transaction, target: &TargetRow) -> OperationResult<()> {
    let Some(clash) = roots::clash_of_target(tx, target).await? else {
        return Ok(());
    };
    let what = format!(
        "{} and {} would share the root {} on host {}",
        target.name, clash.target, target.root, clash.host
    );
    Err(Refusal::conflict("root_used_twice", what)
        .hint("give one of them another root, or labels that do not meet on a host")
        .into())
}

/// Releases lie below the old root; a target that moves would leave its live link behind.
async fn refuse_moving(tx: &mut Transaction, before: &TargetRow, wished: &TargetRow) -> OperationResult<()> {
    if !roots::is_in_use(tx, before.id).await? {
        return Ok(());
    }
    let what = format!(
        "{} lives in {} on its hosts; its root cannot become {}",
        before.name, before.root, wished.root
    );
    Err(Refusal::conflict("root_in_use", what)
        .hint("make another environment for the new root and deploy there")
        .into())
}

fn check(wish: &NewTarget) -> Result<(), Refusal> {
    waves::parse(&wish.strategy.waves)?;
    push::judge(&wish.on_push)?;
    if wish.hosts.is_empty() {
        let what = format!("{} names no labels and would take every host", name(wish));
        return Err(Refusal::invalid("no_labels", what).hint("name at least one, such as role=web"));
    }
    let sound = |text: &str| {
        (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
    };
    let all_sound = wish
        .hosts
        .iter()
        .all(|(label, value)| sound(label) && sound(value));
    if wish.hosts.len() > MOST_LABELS || !all_sound {
        let what = format!("the labels of {} cannot be used", name(wish));
        let rule = "at most 20, each name and value 1 to 63 printable characters without blanks and =";
        return Err(Refusal::invalid("invalid_labels", what).hint(rule));
    }
    Ok(())
}

fn name(wish: &NewTarget) -> TargetName {
    TargetName {
        project: wish.project.clone(),
        environment: wish.environment.clone(),
    }
}

fn default_root(name: &TargetName) -> OperationResult<RootPath> {
    format!("/srv/{}", name.project)
        .parse()
        .map_err(|error: pointsman_shared::name::InvalidName| {
            OperationError::internal("naming the default root", error)
        })
}

fn exists(name: &TargetName) -> Refusal {
    Refusal::conflict("target_exists", format!("there is a target {name} already"))
        .hint("change it with: pointsman apply -f FILE")
}
