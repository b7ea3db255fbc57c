//! Creates a project, and for [`super::apply_document`] changes one.

use pointsman_domain::{Action, Actor, Refusal, tickets};
use pointsman_shared::api::projects::{NewProject, Project};
use pointsman_shared::ids::ProjectId;
use pointsman_shared::name::PoolName;
use pointsman_shared::repository::Protocol;
use pointsman_store::projects::ProjectRow;
use pointsman_store::{StoreError, Transaction, projects, views};

use super::act;
use super::apply_document::Made;
use crate::app::App;
use crate::error::{OperationError, OperationResult};

/// Creates a project.
pub async fn execute(app: &App, actor: &Actor, wish: NewProject) -> OperationResult<Project> {
    let object = wish.name.to_string();
    act::audited(app, actor, "project.create", &object, create(app, actor, &wish)).await
}

async fn create(app: &App, actor: &Actor, wish: &NewProject) -> OperationResult<Project> {
    actor.authorize(Action::Configure, wish.name.as_str())?;
    let mut tx = app.store.begin().await?;
    if projects::find(&mut tx, &wish.name).await?.is_some() {
        return Err(exists(wish).into());
    }
    put(app, &mut tx, actor, wish).await?;
    let project = views::projects::one(&mut tx, wish.name.as_str())
        .await?
        .ok_or_else(|| StoreError::inconsistent("project", &wish.name, "it vanished after its insert"))?;
    act::commit(tx).await?;
    app.bells.events.notify_one();
    Ok(project)
}

/// Makes the project be as wished, in the caller's transaction.
pub(super) async fn put(
    app: &App,
    tx: &mut Transaction,
    actor: &Actor,
    wish: &NewProject,
) -> OperationResult<Made> {
    check(app, wish)?;
    let known = projects::find(tx, &wish.name).await?;
    let wished = ProjectRow {
        id: known
            .as_ref()
            .map_or_else(|| ProjectId(app.ids.next()), |known| known.id),
        name: wish.name.clone(),
        repository: wish.repository.clone(),
        subdirectory: wish.subdirectory.clone(),
        pool: match &wish.pool {
            Some(pool) => pool.clone(),
            None => default_pool()?,
        },
        tickets: match &wish.tickets {
            Some(tickets) => Some(tickets.clone()),
            None => known.as_ref().and_then(|known| known.tickets.clone()),
        },
        created_at: known
            .as_ref()
            .map_or_else(|| app.clock.now(), |known| known.created_at),
    };
    let (made, action) = match &known {
        Some(known) if *known == wished => return Ok(Made::Unchanged),
        Some(_) => {
            projects::update(tx, &wished).await?;
            (Made::Updated, "project.change")
        }
        None => {
            projects::insert(tx, &wished)
                .await
                .map_err(|error| match error.constraint() {
                    Some("project_name_key") => exists(wish).into(),
                    Some(_) | None => OperationError::from(error),
                })?;
            (Made::Created, "project.create")
        }
    };
    let detail = serde_json::json!({
        "repository": wished.repository, "subdirectory": wished.subdirectory, "pool": wished.pool,
        "tickets": wished.tickets,
    });
    act::done(app, tx, actor, action, wish.name.as_str(), detail).await?;
    Ok(made)
}

fn exists(wish: &NewProject) -> Refusal {
    Refusal::conflict(
        "project_exists",
        format!("there is a project {} already", wish.name),
    )
    .hint("change it with: pointsman apply -f FILE")
}

fn check(app: &App, wish: &NewProject) -> Result<(), Refusal> {
    if wish.repository.protocol() == Protocol::File && !app.config.git.allow_file {
        let what = format!(
            "{} is a folder; this coordinator takes no folders as repositories",
            wish.repository
        );
        return Err(Refusal::invalid("file_repository", what)
            .hint("use https or ssh, or set git.allow_file = true in the coordinator's configuration"));
    }
    if let Some(wished) = &wish.tickets {
        tickets::judge(wished)?;
    }
    let Some(folder) = &wish.subdirectory else {
        return Ok(());
    };
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part != ".git";
    let sound = folder.len() <= 255 && folder.split('/').all(part) && !folder.chars().any(char::is_control);
    if sound {
        return Ok(());
    }
    let what = format!("{folder:?} is no folder of a repository");
    Err(Refusal::invalid("invalid_subdirectory", what)
        .hint("write it like apps/shop, relative to the repository"))
}

fn default_pool() -> OperationResult<PoolName> {
    "default"
        .parse()
        .map_err(|error: pointsman_shared::name::InvalidName| {
            OperationError::internal("naming the default pool", error)
        })
}
