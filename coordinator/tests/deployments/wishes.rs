//! What people wish and decide, and what they are told.

use pointsman_coordinator::error::{OperationError, OperationResult};
use pointsman_coordinator::operations::intervene::{self, Said};
use pointsman_coordinator::operations::request_build::{self, BuildWish};
use pointsman_coordinator::operations::{
    cancel_deployment, decide_deployment, request_deployment, request_rollback,
};
use pointsman_domain::Refusal;
use pointsman_shared::api::deployments::{Decision, DecisionRequest, Deployment, NewDeployment, NewRollback};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_store::views;

use super::world::World;

impl World {
    /// A build that was asked for.
    pub async fn build(&self, reference: &str) -> OperationResult<Release> {
        let wish = BuildWish {
            project: "shop".parse().unwrap(),
            reference: Some(reference.to_owned()),
        };
        let id = request_build::execute(&self.app, &self.actor, &wish).await?;
        let mut conn = self.app.store.read().await.unwrap();
        Ok(views::releases::one(&mut conn, id).await.unwrap().unwrap())
    }

    /// A release that is built.
    pub async fn built(&mut self, reference: &str) -> Release {
        let release = self.build(reference).await.unwrap();
        self.run_host("builder").await;
        let mut conn = self.app.store.read().await.unwrap();
        let release = views::releases::one(&mut conn, release.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(release.state, ReleaseState::Built);
        release
    }

    /// A deployment that was asked for.
    pub async fn deploy(&self, release: &str) -> OperationResult<Deployment> {
        self.deploy_with(release, |_| {}).await
    }

    /// The same, with more said about it.
    pub async fn deploy_with(
        &self,
        release: &str,
        more: impl FnOnce(&mut NewDeployment),
    ) -> OperationResult<Deployment> {
        let mut wish = NewDeployment::new("shop@production".parse().unwrap(), release);
        more(&mut wish);
        let number = request_deployment::execute(&self.app, &self.actor, &wish).await?;
        Ok(self.deployment(number).await)
    }

    /// A rollback that was asked for.
    pub async fn roll_back(&self, release: Option<&str>) -> OperationResult<Deployment> {
        let wish = NewRollback {
            target: "shop@production".parse().unwrap(),
            release: release.map(str::to_owned),
            reason: None,
        };
        let number = request_rollback::execute(&self.app, &self.actor, &wish).await?;
        Ok(self.deployment(number).await)
    }

    /// Cancels a deployment.
    pub async fn cancel(&self, number: i64) -> OperationResult<Deployment> {
        cancel_deployment::execute(&self.app, &self.actor, number, None).await?;
        Ok(self.deployment(number).await)
    }

    /// Decides about a deployment that holds.
    pub async fn decide(&self, number: i64, decision: Decision) -> OperationResult<Deployment> {
        let request = DecisionRequest {
            decision,
            reason: None,
        };
        decide_deployment::execute(&self.app, &self.actor, number, &request).await?;
        Ok(self.deployment(number).await)
    }

    /// Says something of a deployment that goes over its hosts.
    pub async fn say(&self, number: i64, said: Said) -> OperationResult<Deployment> {
        intervene::execute(&self.app, &self.actor, number, &said).await?;
        Ok(self.deployment(number).await)
    }

    /// The deployment as people see it.
    pub async fn deployment(&self, number: i64) -> Deployment {
        let mut conn = self.app.store.read().await.unwrap();
        views::deployments::one(&mut conn, number).await.unwrap().unwrap()
    }
}

/// The refusal that was expected.
pub fn refused<T: std::fmt::Debug>(outcome: OperationResult<T>) -> Refusal {
    match outcome {
        Err(OperationError::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}
