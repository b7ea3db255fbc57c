//! What a person can do about a deployment: cancel, pause, decide, retry or skip a host, and go back.

use axum::extract::Form;
use pointsman_shared::api::deployments::{
    Decision, DecisionRequest, HostsRequest, NewRollback, PauseRequest,
};
use pointsman_shared::name::{HostId, TargetName};
use serde::Deserialize;

use super::super::extract::Path;
use super::super::problem::Answer;
use super::shown::Went;
use super::viewer::Viewer;
use crate::operations::intervene::{self, Said};
use crate::operations::{cancel_deployment, decide_deployment, request_rollback};

/// A press that may say why.
#[derive(Debug, Deserialize)]
pub(super) struct Why {
    #[serde(default)]
    reason: String,
}

impl Why {
    pub(super) fn reason(self) -> Option<String> {
        let reason = self.reason.trim();
        (!reason.is_empty()).then(|| reason.to_owned())
    }
}

/// `POST /d/{number}/cancel`
pub(super) async fn cancel(viewer: Viewer, Path(number): Path<i64>, Form(why): Form<Why>) -> Answer<Went> {
    cancel_deployment::execute(viewer.app(), &viewer.caller.actor, number, why.reason()).await?;
    Ok(Went(format!("/d/{number}")))
}

/// `POST /d/{number}/pause`
pub(super) async fn pause(viewer: Viewer, Path(number): Path<i64>, Form(why): Form<Why>) -> Answer<Went> {
    let said = Said::Pause(PauseRequest { reason: why.reason() });
    intervene::execute(viewer.app(), &viewer.caller.actor, number, &said).await?;
    Ok(Went(format!("/d/{number}")))
}

/// What is decided.
#[derive(Debug, Deserialize)]
pub(super) struct Decided {
    decision: Decision,
    #[serde(default)]
    reason: String,
}

/// `POST /d/{number}/decide`
pub(super) async fn decide(
    viewer: Viewer,
    Path(number): Path<i64>,
    Form(form): Form<Decided>,
) -> Answer<Went> {
    let wish = DecisionRequest {
        decision: form.decision,
        reason: Why { reason: form.reason }.reason(),
    };
    decide_deployment::execute(viewer.app(), &viewer.caller.actor, number, &wish).await?;
    Ok(Went(format!("/d/{number}")))
}

/// Which host.
#[derive(Debug, Deserialize)]
pub(super) struct OneHost {
    host: HostId,
}

impl OneHost {
    fn wish(self) -> HostsRequest {
        HostsRequest {
            hosts: vec![self.host],
            reason: None,
        }
    }
}

/// `POST /d/{number}/retry`
pub(super) async fn retry(
    viewer: Viewer,
    Path(number): Path<i64>,
    Form(form): Form<OneHost>,
) -> Answer<Went> {
    let said = Said::Retry(form.wish());
    intervene::execute(viewer.app(), &viewer.caller.actor, number, &said).await?;
    Ok(Went(format!("/d/{number}")))
}

/// `POST /d/{number}/skip`
pub(super) async fn skip(viewer: Viewer, Path(number): Path<i64>, Form(form): Form<OneHost>) -> Answer<Went> {
    let said = Said::Skip(form.wish());
    intervene::execute(viewer.app(), &viewer.caller.actor, number, &said).await?;
    Ok(Went(format!("/d/{number}")))
}

/// Where back to.
#[derive(Debug, Deserialize)]
pub(super) struct Back {
    target: TargetName,
    #[serde(default)]
    release: String,
    #[serde(default)]
    reason: String,
}

/// `POST /rollbacks`
pub(super) async fn roll_back(viewer: Viewer, Form(form): Form<Back>) -> Answer<Went> {
    let wish = NewRollback {
        target: form.target,
        release: (!form.release.is_empty()).then_some(form.release),
        reason: Why { reason: form.reason }.reason(),
    };
    let number = request_rollback::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went(format!("/d/{number}")))
}
