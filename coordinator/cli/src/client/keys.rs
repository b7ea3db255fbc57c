//! The ssh keys of projects' repositories.

use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};
use pointsman_shared::name::ProjectName;
use reqwest::Method;
use serde::de::IgnoredAny;

use super::Client;
use crate::error::CliError;

impl Client {
    /// A project's key; none where it has none.
    pub async fn deploy_key(&self, project: &ProjectName) -> Result<Option<DeployKey>, CliError> {
        match self.get(&["projects", project.as_str(), "deploy-key"], &[]).await {
            Ok(key) => Ok(Some(key)),
            Err(CliError::Problem(problem)) if problem.code == "no_deploy_key" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a project a key, or other known hosts.
    pub async fn set_deploy_key(
        &self,
        project: &ProjectName,
        wish: &SetDeployKey,
    ) -> Result<DeployKey, CliError> {
        let path = ["projects", project.as_str(), "deploy-key"];
        self.change(Method::PUT, &path, Some(wish)).await
    }

    /// Lets the coordinator make one.
    pub async fn make_deploy_key(
        &self,
        project: &ProjectName,
        wish: &MakeDeployKey,
    ) -> Result<DeployKey, CliError> {
        let path = ["projects", project.as_str(), "deploy-key"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    /// Takes it away.
    pub async fn remove_deploy_key(&self, project: &ProjectName) -> Result<(), CliError> {
        let path = ["projects", project.as_str(), "deploy-key"];
        let _: IgnoredAny = self.change(Method::DELETE, &path, None::<&()>).await?;
        Ok(())
    }
}
