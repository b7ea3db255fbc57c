//! One method per route of notifications.

use pointsman_shared::api::notifications::{
    Channel, Delivery, DeliveryLog, DeliveryState, EnableChannel, IssuedChannel, NewChannel, NewRule,
    NewSecret, Rule,
};
use pointsman_shared::name::ChannelName;
use reqwest::Method;
use serde::de::IgnoredAny;

use super::{Client, Listing};
use crate::error::CliError;

type Answer<T> = Result<T, CliError>;

impl Client {
    pub async fn add_channel(&self, wish: &NewChannel) -> Answer<IssuedChannel> {
        self.change(Method::POST, &["channels"], Some(wish)).await
    }

    pub async fn channels(&self, most: usize) -> Answer<Listing<Channel>> {
        self.list(&["channels"], &[], most).await
    }

    pub async fn channel(&self, name: &ChannelName) -> Answer<Channel> {
        self.get(&["channels", name.as_str()], &[]).await
    }

    pub async fn remove_channel(&self, name: &ChannelName) -> Answer<()> {
        let path = ["channels", name.as_str()];
        let _answer: IgnoredAny = self.change(Method::DELETE, &path, None::<&()>).await?;
        Ok(())
    }

    pub async fn enable_channel(&self, name: &ChannelName, enabled: bool) -> Answer<Channel> {
        let path = ["channels", name.as_str(), "enabled"];
        self.change(Method::PUT, &path, Some(&EnableChannel { enabled }))
            .await
    }

    pub async fn rotate_channel(&self, name: &ChannelName, wish: &NewSecret) -> Answer<IssuedChannel> {
        let path = ["channels", name.as_str(), "secret"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    pub async fn test_channel(&self, name: &ChannelName) -> Answer<Delivery> {
        let path = ["channels", name.as_str(), "test"];
        self.change(Method::POST, &path, None::<&()>).await
    }

    pub async fn add_rule(&self, wish: &NewRule) -> Answer<Rule> {
        self.change(Method::POST, &["rules"], Some(wish)).await
    }

    pub async fn rules(&self, most: usize) -> Answer<Listing<Rule>> {
        self.list(&["rules"], &[], most).await
    }

    pub async fn remove_rule(&self, number: i64) -> Answer<Rule> {
        let path = ["rules", &number.to_string()];
        self.change(Method::DELETE, &path, None::<&()>).await
    }

    pub async fn deliveries(
        &self,
        channel: Option<&ChannelName>,
        state: Option<DeliveryState>,
        most: usize,
    ) -> Answer<Listing<Delivery>> {
        let mut query = Vec::new();
        query.extend(channel.map(|channel| ("channel", channel.to_string())));
        query.extend(state.map(|state| ("state", state.as_str().to_owned())));
        self.list(&["deliveries"], &query, most).await
    }

    pub async fn delivery(&self, number: i64) -> Answer<DeliveryLog> {
        self.get(&["deliveries", &number.to_string()], &[]).await
    }

    pub async fn redeliver(&self, number: i64) -> Answer<Delivery> {
        let path = ["deliveries", &number.to_string(), "redeliver"];
        self.change(Method::POST, &path, None::<&()>).await
    }
}
