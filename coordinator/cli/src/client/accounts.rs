//! Accounts of people.

use pointsman_shared::api::accounts::{Account, AccountChange, Invitation, NewInvitation};
use reqwest::Method;

use super::Client;
use crate::error::CliError;

impl Client {
    /// Every account, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, CliError> {
        self.get(&["accounts"], &[]).await
    }

    /// Invites a person.
    pub async fn invite_account(&self, wish: &NewInvitation) -> Result<Invitation, CliError> {
        self.change(Method::POST, &["accounts", "invitations"], Some(wish))
            .await
    }

    /// Lets a person choose another password.
    pub async fn renew_password(&self, name: &str) -> Result<Invitation, CliError> {
        self.change(Method::POST, &["accounts", name, "password"], None::<&()>)
            .await
    }

    /// Changes what a person may do.
    pub async fn change_account(&self, name: &str, wish: &AccountChange) -> Result<Account, CliError> {
        self.change(Method::PUT, &["accounts", name], Some(wish)).await
    }
}
