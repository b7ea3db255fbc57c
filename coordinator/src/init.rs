//! `pointsman-coordinator init`: schema, installation, signing key, first token, invitation of the first admin. May be run again: it registers the key of
//! a further coordinator and changes nothing else.

use std::path::PathBuf;

use pointsman_shared::api::accounts::Invitation;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::Clock;
use pointsman_shared::ids::{AuditId, IdSource, PrincipalId};
use pointsman_store::audit::{self, Act, ActResult};
use pointsman_store::{Store, StoreError, accounts, signing_keys};

use crate::config::Config;
use crate::error::OperationError;
use crate::key_file::{self, KeyFileError};
use crate::operations::{invite_account, issue_token, renew_password};
use crate::system;
use crate::vault::{Vault, VaultError};

/// Why an installation cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The database failed.
    #[error("the database cannot be made ready")]
    Store(#[from] StoreError),
    /// The key file failed.
    #[error("the signing key cannot be made ready")]
    Key(#[from] KeyFileError),
    /// The file of the secrets' keys failed.
    #[error("the keys of secret variables cannot be made ready")]
    Vault(#[from] VaultError),
    /// The first token could not be issued.
    #[error("the first token cannot be issued")]
    Token(#[from] OperationError),
    /// The database belongs to another installation.
    #[error("installation.name is {configured:?}, and this database belongs to the installation {stored:?}")]
    OtherInstallation {
        /// The configured name.
        configured: String,
        /// The stored name.
        stored: String,
    },
}

/// What `init` did.
#[derive(Debug)]
pub enum Initialised {
    /// It was the first time: the token of the first admin, shown once.
    First {
        /// `pmn_...`
        token: String,
        /// Where the first admin makes an account for the dashboard, once.
        invitation: String,
    },
    /// It had been done before.
    Before {
        /// Where the key of this coordinator lies.
        key_file: PathBuf,
    },
}

/// Makes database and key ready.
pub async fn init(config: &Config, clock: &dyn Clock, ids: &dyn IdSource) -> Result<Initialised, InitError> {
    let store = Store::connect(&config.database.url, 2).await?;
    store.migrate().await?;
    let now = clock.now();
    let mut tx = store.begin().await?;
    let name = &config.installation.name;
    if !signing_keys::found(&mut tx, name, now).await? {
        let stored = signing_keys::installation(&mut tx).await?.unwrap_or_default();
        if stored != *name {
            return Err(InitError::OtherInstallation {
                configured: name.clone(),
                stored,
            });
        }
    }
    let key = key_file::read_or_make(&config.signing.key_file)?;
    if let Some(file) = &config.secrets.key_file {
        Vault::open_or_make(file)?;
    }
    signing_keys::register(&mut tx, &key.public(), now).await?;
    let first = issue_token::first(&mut tx, ids, now).await?;
    let invitation = match first {
        Some(_) => Some(
            invite_account::insert(
                &mut tx,
                &config.http.public_url,
                None,
                &RoleName::Admin.into(),
                now,
            )
            .await?,
        ),
        None => None,
    };
    tx.commit().await.map_err(StoreError::from)?;
    Ok(match first.zip(invitation) {
        Some((issued, invitation)) => Initialised::First {
            token: issued.token,
            invitation: invitation.url,
        },
        None => Initialised::Before {
            key_file: config.signing.key_file.clone(),
        },
    })
}

/// `pointsman-coordinator invite`: whoever reaches the console may always make an account, also when every admin is gone; for
/// an account that is there it gives a link for another password.
pub async fn invite(
    config: &Config,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    name: Option<&str>,
    role: RoleName,
) -> Result<Invitation, InitError> {
    let store = Store::connect(&config.database.url, 2).await?;
    let now = clock.now();
    let mut tx = store.begin().await?;
    if let Some(name) = name {
        invite_account::check_name(name).map_err(OperationError::from)?;
    }
    let url = &config.http.public_url;
    let known = match name {
        Some(name) => accounts::find(&mut tx, name)
            .await?
            .map(|account| (name, account)),
        None => None,
    };
    let (action, invitation) = if let Some((name, account)) = &known {
        let link = renew_password::insert(&mut tx, url, name, account, now).await?;
        ("account.renew_password", link)
    } else {
        let invitation = invite_account::insert(&mut tx, url, name, &role.into(), now).await?;
        ("account.invite", invitation)
    };
    let act = Act {
        id: AuditId(ids.next()),
        at: now,
        actor: &system::of(&mut tx, PrincipalId(ids.next()), now).await?,
        action,
        object: &name.map_or_else(|| "a new account".to_owned(), |name| format!("account {name}")),
        result: ActResult::Done,
        detail: serde_json::json!({ "role": invitation.role, "from": "console" }),
    };
    audit::append(&mut tx, &act).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(invitation)
}
