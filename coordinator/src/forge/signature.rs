//! Whether a call was made by whoever knows the webhook's secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use pointsman_shared::api::pushes::Forge;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Headers;

/// How far a call's own time may be from ours, where a call has one: what the Standard Webhooks recommend.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Why a call is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It bears no signature of this forge's kind.
    #[error("the call has no header {0}")]
    Missing(&'static str),
    /// The signature does not fit the body and the secret.
    #[error("the signature does not fit; is the secret at the forge the newest one?")]
    Wrong,
    /// It was signed too long ago, or by a clock that is wrong.
    #[error("the call was signed more than five minutes ago, or one of the clocks is wrong")]
    Old,
}

/// Checks a call's signature over its raw body.
pub fn check(
    forge: Forge,
    secret: &str,
    headers: &impl Headers,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Mismatch> {
    let header = |name: &'static str| headers.text(name).ok_or(Mismatch::Missing(name));
    match forge {
        Forge::Github => {
            let sent = header("x-hub-signature-256")?;
            let sent = sent.strip_prefix("sha256=").ok_or(Mismatch::Wrong)?;
            is_hex_of(sent, secret, &[body])
        }
        Forge::Gitea => is_hex_of(header("x-gitea-signature")?, secret, &[body]),
        Forge::Gitlab => {
            let same = header("x-gitlab-token")?.as_bytes().ct_eq(secret.as_bytes());
            bool::from(same).then_some(()).ok_or(Mismatch::Wrong)
        }
        Forge::Generic => {
            let (id, time) = (header("webhook-id")?, header("webhook-timestamp")?);
            let signatures = header("webhook-signature")?;
            let signed = time
                .parse()
                .ok()
                .and_then(|time| DateTime::from_timestamp(time, 0));
            if signed.is_none_or(|signed: DateTime<Utc>| (now - signed).abs() > TOLERANCE) {
                return Err(Mismatch::Old);
            }
            let content: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
            let fits = |sent: &str| {
                let sent = sent
                    .strip_prefix("v1,")
                    .and_then(|sent| STANDARD.decode(sent).ok());
                sent.is_some_and(|sent| is_mac(&sent, &key_of(secret), &content).is_ok())
            };
            // A sender that renews its secret signs with both for a while.
            signatures
                .split(' ')
                .any(fits)
                .then_some(())
                .ok_or(Mismatch::Wrong)
        }
    }
}

/// The Standard Webhooks write a secret as `whsec_` and the key in base64.
fn key_of(secret: &str) -> Vec<u8> {
    let encoded = secret
        .strip_prefix("whsec_")
        .and_then(|key| STANDARD.decode(key).ok());
    encoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn is_hex_of(sent: &str, secret: &str, content: &[&[u8]]) -> Result<(), Mismatch> {
    let sent = hex::decode(sent).map_err(|_| Mismatch::Wrong)?;
    is_mac(&sent, secret.as_bytes(), content)
}

fn is_mac(sent: &[u8], key: &[u8], content: &[&[u8]]) -> Result<(), Mismatch> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Mismatch::Wrong)?;
    for part in content {
        mac.update(part);
    }
    // In constant time.
    mac.verify_slice(sent).map_err(|_| Mismatch::Wrong)
}
