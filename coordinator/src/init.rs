//! `pointsman-coordinator init`: schema, installation, signing key, first token. May be run again: it registers the key of
//! a further coordinator and changes nothing else.

use std::path::PathBuf;

use pointsman_shared::clock::Clock;
use pointsman_shared::ids::IdSource;
use pointsman_store::{Store, StoreError, signing_keys};

use crate::config::Config;
use crate::error::OperationError;
use crate::key_file::{self, KeyFileError};
use crate::operations::issue_token;
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
    tx.commit().await.map_err(StoreError::from)?;
    Ok(match first {
        Some(issued) => Initialised::First { token: issued.token },
        None => Initialised::Before {
            key_file: config.signing.key_file.clone(),
        },
    })
}
