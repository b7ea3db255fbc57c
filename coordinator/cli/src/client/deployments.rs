//! One method per route of deployments, plans and promotions.

use pointsman_shared::api::deployments::{
    CancelRequest, DecisionRequest, Deployment, HostsRequest, NewDeployment, NewRollback, PauseRequest,
    Promotion,
};
use pointsman_shared::api::plans::{NewPlan, Plan};
use pointsman_shared::name::TargetName;
use reqwest::Method;
use serde::de::IgnoredAny;

use super::{Client, Listing};
use crate::error::CliError;

type Answer<T> = Result<T, CliError>;

impl Client {
    pub async fn deploy(&self, wish: &NewDeployment) -> Answer<Deployment> {
        self.change(Method::POST, &["deployments"], Some(wish)).await
    }

    pub async fn plan(&self, wish: &NewPlan) -> Answer<Plan> {
        self.change(Method::POST, &["plans"], Some(wish)).await
    }

    pub async fn promote(&self, wish: &Promotion) -> Answer<Deployment> {
        self.change(Method::POST, &["promotions"], Some(wish)).await
    }

    pub async fn pause(&self, number: i64, wish: &PauseRequest) -> Answer<Deployment> {
        let path = ["deployments", &number.to_string(), "pause"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    pub async fn retry(&self, number: i64, wish: &HostsRequest) -> Answer<Deployment> {
        let path = ["deployments", &number.to_string(), "retry"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    pub async fn skip(&self, number: i64, wish: &HostsRequest) -> Answer<Deployment> {
        let path = ["deployments", &number.to_string(), "skip"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    pub async fn rollback(&self, wish: &NewRollback) -> Answer<Deployment> {
        self.change(Method::POST, &["rollbacks"], Some(wish)).await
    }

    /// The newest ones of a target, or of all.
    pub async fn deployments(&self, target: Option<&TargetName>, most: usize) -> Answer<Listing<Deployment>> {
        let query: Vec<_> = target
            .map(|target| ("target", target.to_string()))
            .into_iter()
            .collect();
        self.chosen_deployments(&query, most).await
    }

    /// Those that filters of the list choose.
    pub async fn chosen_deployments(
        &self,
        query: &[(&str, String)],
        most: usize,
    ) -> Answer<Listing<Deployment>> {
        self.list(&["deployments"], query, most).await
    }

    pub async fn deployment(&self, number: i64) -> Answer<Deployment> {
        self.get(&["deployments", &number.to_string()], &[]).await
    }

    pub async fn cancel_deployment(&self, number: i64, wish: &CancelRequest) -> Answer<()> {
        let path = ["deployments", &number.to_string(), "cancel"];
        let _answer: IgnoredAny = self.change(Method::POST, &path, Some(wish)).await?;
        Ok(())
    }

    pub async fn decide(&self, number: i64, decision: &DecisionRequest) -> Answer<()> {
        let path = ["deployments", &number.to_string(), "decision"];
        let _answer: IgnoredAny = self.change(Method::POST, &path, Some(decision)).await?;
        Ok(())
    }
}
