//! Has the release that is live in one environment live in the next: a deployment of the same release, the same bytes.

use pointsman_domain::promotion;
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::deployments::{NewDeployment, Promotion};
use pointsman_shared::name::{EnvironmentName, TargetName};
use pointsman_store::{StoreError, releases};

use super::{act, known, request_deployment};
use crate::app::App;
use crate::error::OperationResult;

/// Asks for the deployment; returns its number.
pub async fn execute(app: &App, actor: &Actor, wish: &Promotion) -> OperationResult<i64> {
    let object = format!("{} {} -> {}", wish.project, wish.from, wish.to);
    let deployment = act::audited(app, actor, "promotion.request", &object, async {
        actor.authorize_in(&wish.project, Action::Deploy, &object)?;
        deployment(app, wish).await
    })
    .await?;
    request_deployment::execute(app, actor, &deployment).await
}

async fn deployment(app: &App, wish: &Promotion) -> OperationResult<NewDeployment> {
    let target = |environment: &EnvironmentName| TargetName {
        project: wish.project.clone(),
        environment: environment.clone(),
    };
    let mut conn = app.store.read().await?;
    let (_, from) = known::environment(&mut conn, &wish.from).await?;
    let (_, to) = known::environment(&mut conn, &wish.to).await?;
    promotion::judge_direction(&wish.project, &from, &to)?;
    let source = known::target(&mut conn, &target(&wish.from)).await?;
    let live = source.desired.ok_or_else(|| {
        Refusal::conflict("nothing_live", format!("nothing is live in {} yet", source.name))
            .hint(format!("pointsman deploy {} RELEASE", source.name))
    })?;
    let release = releases::get(&mut conn, live)
        .await?
        .ok_or_else(|| StoreError::inconsistent("target", source.id, "its live release does not exist"))?;
    let mut deployment = NewDeployment::new(target(&wish.to), format!("#{}", release.number));
    deployment.plan = wish.plan;
    deployment.reason.clone_from(&wish.reason);
    Ok(deployment)
}
