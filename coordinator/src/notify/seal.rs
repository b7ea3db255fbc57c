//! What is secret of a channel, sealed for its place: a value moved to another channel does not open.

use pointsman_domain::Refusal;
use pointsman_shared::ids::ChannelId;
use pointsman_store::channels::Sealed;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::{OperationError, OperationResult};
use crate::vault;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A webhook's address, or a bot's token.
    Address,
    /// What signs.
    Secret,
}

impl Part {
    fn place(self, channel: ChannelId) -> String {
        match self {
            Self::Address => format!("channel {channel} address"),
            Self::Secret => format!("channel {channel} secret"),
        }
    }
}

/// Seals a value.
pub fn seal(app: &App, channel: ChannelId, part: Part, value: &str) -> OperationResult<Sealed> {
    let vault = app.vault.as_deref().ok_or_else(|| {
        Refusal::conflict("no_secrets_key", "this coordinator has no key for secrets")
            .hint("configure secrets.key_file and run `pointsman-coordinator init`")
    })?;
    let sealed = vault.seal(&part.place(channel), value);
    let vault::Sealed { key, bytes } =
        sealed.map_err(|error| OperationError::internal("sealing a secret", error))?;
    Ok(Sealed { key, bytes })
}

/// Opens a value, or says why it does not open.
pub(super) fn open(
    app: &App,
    channel: ChannelId,
    part: Part,
    sealed: &Sealed,
) -> Result<Zeroizing<String>, String> {
    let Some(vault) = app.vault.as_deref() else {
        return Err("this coordinator has no key for secrets; configure secrets.key_file".to_owned());
    };
    let sealed = vault::Sealed {
        key: sealed.key.clone(),
        bytes: sealed.bytes.clone(),
    };
    let opened = vault.unseal(&part.place(channel), &sealed);
    opened.map_err(|error| format!("the channel's secret cannot be opened: {error}"))
}
