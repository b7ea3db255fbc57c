//! One method per route of known causes.

use pointsman_shared::api::causes::{Cause, NewCause};
use reqwest::Method;

use super::{Client, Listing};
use crate::error::CliError;

impl Client {
    pub async fn causes(&self, most: usize) -> Result<Listing<Cause>, CliError> {
        self.list(&["causes"], &[], most).await
    }

    pub async fn add_cause(&self, wish: &NewCause) -> Result<Cause, CliError> {
        self.change(Method::POST, &["causes"], Some(wish)).await
    }

    pub async fn change_cause(&self, number: i64, wish: &NewCause) -> Result<Cause, CliError> {
        self.change(Method::PUT, &["causes", &number.to_string()], Some(wish))
            .await
    }

    pub async fn remove_cause(&self, number: i64) -> Result<Cause, CliError> {
        let path = ["causes", &number.to_string()];
        self.change(Method::DELETE, &path, None::<&()>).await
    }
}
