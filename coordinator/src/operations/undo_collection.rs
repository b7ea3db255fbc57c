//! Brings a collected release back to the hosts of a target: out of their trash while it lies there, else out of the
//! store.

use pointsman_domain::deployment::DeploymentKind;
use pointsman_domain::job::Purpose;
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::garbage::{UndoRequest, Undone};
use pointsman_store::{StoreError, placements, releases, targets};

use super::order_host_job::{self, HostJob};
use super::{act, find_release, judge_target, request_deployment};
use crate::app::App;
use crate::error::OperationResult;

/// Orders it on every host that lacks it.
pub async fn execute(app: &App, actor: &Actor, wish: &UndoRequest) -> OperationResult<Undone> {
    let object = wish.target.to_string();
    let undone = act::audited(app, actor, "garbage.undo", &object, async {
        actor.authorize_in(&wish.target.project, Action::Deploy, &object)?;
        let (target, project) = request_deployment::target_of(app, &wish.target).await?;
        let id = find_release::known(app, &project, &wish.release).await?;
        let mut tx = app.store.begin().await?;
        targets::lock(&mut tx, target.id).await?;
        judge_target::refuse_when_locked(&mut tx, &target, DeploymentKind::Deploy).await?;
        let release = releases::get(&mut tx, id)
            .await?
            .ok_or_else(|| StoreError::inconsistent("release", id, "it was found and does not exist"))?;
        find_release::judge(&release)?;
        if release.built.is_none() {
            let what = format!("release {} is not built", release.label);
            return Err(Refusal::conflict("release_not_built", what)
                .hint("wait for its build")
                .into());
        }
        let mut hosts = Vec::new();
        for placement in placements::of_target(&mut tx, target.id).await? {
            if placements::has_release(&mut tx, placement.id, id).await? {
                continue;
            }
            let wish = HostJob {
                placement: &placement,
                target: &target,
                release: &release,
                purpose: Purpose::Collect,
                deployment: None,
                trace: actor.trace.as_ref(),
            };
            order_host_job::install(app, &mut tx, &wish).await?;
            hosts.push(placement.host);
        }
        let detail = serde_json::json!({ "release": release.label, "hosts": hosts });
        act::done(app, &mut tx, actor, "garbage.undo", &object, detail).await?;
        act::commit(tx).await?;
        Ok(Undone { hosts })
    })
    .await?;
    app.bells.ring();
    Ok(undone)
}
