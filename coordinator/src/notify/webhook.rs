//! Signed requests, as Standard Webhooks 1.0 has them: id, time and body under HMAC-SHA256, with each secret that counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pointsman_domain::Refusal;
use pointsman_shared::api::notifications::{Notice, WebhookBody};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// Bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

fn key(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    BYTES.contains(&bytes.len()).then(|| Zeroizing::new(bytes))
}

/// Refuses what is no secret.
pub fn check_secret(secret: &str) -> Result<(), Refusal> {
    if key(secret).is_some() {
        return Ok(());
    }
    let what = format!("a secret is {PREFIX} and 24 to 64 bytes in base64");
    Err(Refusal::invalid("invalid_secret", what).hint("leave it out, and one is drawn"))
}

/// A new secret of these bytes.
pub(crate) fn secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The signatures of a message, one for each secret; none when one of them is no secret.
pub fn sign(secrets: &[&str], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let signed = |secret: &&str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    let signatures: Vec<String> = secrets.iter().map(signed).collect::<Option<_>>()?;
    Some(signatures.join(" "))
}

/// The body; the same bytes at every try.
pub(super) fn body(notice: &Notice) -> serde_json::Result<String> {
    serde_json::to_string(&WebhookBody {
        kind: notice.topic.clone(),
        timestamp: notice.at,
        data: notice.clone(),
    })
}

/// The headers; none when a secret is no secret.
pub(super) fn headers(secrets: &[&str], id: &str, timestamp: i64, body: &str) -> Option<HeaderMap> {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("webhook-id"), value(id)?);
    headers.insert(
        HeaderName::from_static("webhook-timestamp"),
        value(&timestamp.to_string())?,
    );
    let mut signature = value(&sign(secrets, id, timestamp, body)?)?;
    signature.set_sensitive(true);
    headers.insert(HeaderName::from_static("webhook-signature"), signature);
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /// The vector that implementations of Standard Webhooks test themselves with.
    #[test]
    fn a_signature_is_the_published_one() {
        assert_eq!(sign(&[SECRET], ID, TIME, BODY).as_deref(), Some(SIGNATURE));
    }

    #[test]
    fn while_a_secret_is_changed_both_sign() {
        let new = secret(&[7; 24]);
        let both = sign(&[&new, SECRET], ID, TIME, BODY).unwrap();
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(second, SIGNATURE);
        assert_eq!(sign(&[&new], ID, TIME, BODY).as_deref(), Some(first));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        assert!(check_secret(SECRET).is_ok());
        for wrong in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_not base64!",
        ] {
            assert!(check_secret(wrong).is_err(), "{wrong}");
        }
    }
}
