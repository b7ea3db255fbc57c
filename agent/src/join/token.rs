//! `pmj_<coordinator key id>_<secret>`.

use std::fmt;
use std::str::FromStr;

use pointsman_shared::api::agent::JOIN_TOKEN_PREFIX;
use pointsman_shared::wire::KeyId;
use zeroize::Zeroizing;

/// Hex digits of a key id.
const KEY_ID_LENGTH: usize = 32;

/// A one-time token; never shown in logs or errors.
#[derive(Clone)]
pub struct JoinToken {
    text: Zeroizing<String>,
    key: KeyId,
}

/// A text that is no join token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no join token: it looks like pmj_<32 hex digits>_<secret>; make one with `pointsman hosts invite HOST`"
)]
pub struct InvalidToken;

impl JoinToken {
    /// The whole token, as the coordinator wants to see it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Fingerprint of the key that signs the answer.
    pub const fn coordinator_key(&self) -> &KeyId {
        &self.key
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken({JOIN_TOKEN_PREFIX}{}_...)", self.key)
    }
}

impl FromStr for JoinToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (key, secret) = text
            .strip_prefix(JOIN_TOKEN_PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(InvalidToken)?;
        let is_hex = key.len() == KEY_ID_LENGTH && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || secret.is_empty() {
            return Err(InvalidToken);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            key: KeyId(key.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_the_key_and_keeps_its_secret() {
        let text = format!("pmj_{}_s3cr_et", "ab".repeat(16));
        let token: JoinToken = text.parse().unwrap();
        assert_eq!(token.coordinator_key().0, "ab".repeat(16));
        assert_eq!(token.as_str(), text);
        assert!(!format!("{token:?}").contains("s3cr"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "pmn_x",
            "pmj_abc_secret",
            &format!("pmj_{}_", "ab".repeat(16)),
        ] {
            assert_eq!(text.parse::<JoinToken>().err(), Some(InvalidToken), "{text}");
        }
    }
}
