//! Routes of deploys on push.

use pointsman_shared::api::projects::Target;
use pointsman_shared::api::pushes::{IssuedWebhook, NewPushPause, NewWebhook, Push, Webhook};
use pointsman_shared::name::{ProjectName, TargetName, WebhookName};
use reqwest::Method;
use serde::de::IgnoredAny;

use super::{Client, Listing};
use crate::error::CliError;

type Answer<T> = Result<T, CliError>;

impl Client {
    pub async fn webhooks(&self) -> Answer<Vec<Webhook>> {
        self.get(&["webhooks"], &[]).await
    }

    pub async fn add_webhook(&self, wish: &NewWebhook) -> Answer<IssuedWebhook> {
        self.change(Method::POST, &["webhooks"], Some(wish)).await
    }

    pub async fn renew_webhook(&self, project: &ProjectName, name: &WebhookName) -> Answer<IssuedWebhook> {
        let path = ["webhooks", project.as_str(), name.as_str(), "secret"];
        self.change(Method::POST, &path, None::<&()>).await
    }

    pub async fn remove_webhook(&self, project: &ProjectName, name: &WebhookName) -> Answer<()> {
        let path = ["webhooks", project.as_str(), name.as_str()];
        self.change(Method::DELETE, &path, None::<&()>)
            .await
            .map(|_: IgnoredAny| ())
    }

    pub async fn pushes(&self, project: Option<&ProjectName>, most: usize) -> Answer<Listing<Push>> {
        let query: Vec<_> = project
            .map(|name| ("project", name.to_string()))
            .into_iter()
            .collect();
        self.list(&["pushes"], &query, most).await
    }

    pub async fn repeat_push(&self, number: i64) -> Answer<Push> {
        let path = ["pushes", &number.to_string(), "repeat"];
        self.change(Method::POST, &path, None::<&()>).await
    }

    pub async fn pause_pushes(&self, target: &TargetName, wish: &NewPushPause) -> Answer<Target> {
        let path = ["targets", &target.to_string(), "push-pause"];
        self.change(Method::PUT, &path, Some(wish)).await
    }

    pub async fn resume_pushes(&self, target: &TargetName) -> Answer<Target> {
        let path = ["targets", &target.to_string(), "push-pause"];
        self.change(Method::DELETE, &path, None::<&()>).await
    }
}
