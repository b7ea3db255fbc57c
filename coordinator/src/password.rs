//! Passwords of people: judged when chosen, kept as argon2id, checked in a time that tells nothing.
//!
//! At most two are hashed at once: each takes 46 MiB (OWASP's figures for argon2id: m = 46 MiB, t = 1, p = 1). It knows
//! no accounts and counts no attempts.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use pointsman_domain::Refusal;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{OperationError, OperationResult};

/// Memory of one hash, in KiB.
const MEMORY: u32 = 46 * 1024;
/// Shortest password, in characters.
const SHORTEST: usize = 12;
/// Longest password, in bytes: hashing longer ones would only cost time.
const LONGEST: usize = 256;

static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Whether a password may be chosen; `about` are words that everybody knows of its owner.
pub fn judge(password: &str, about: &[&str]) -> Result<(), Refusal> {
    let refuse = |what: String| Refusal::invalid("weak_password", what);
    if password.chars().count() < SHORTEST {
        return Err(refuse(format!("a password has at least {SHORTEST} characters"))
            .hint("four words that have nothing to do with each other are easy to remember"));
    }
    if password.len() > LONGEST {
        return Err(refuse(format!("a password has at most {LONGEST} bytes")));
    }
    let estimate = zxcvbn::zxcvbn(password, about);
    if estimate.score() >= zxcvbn::Score::Three {
        return Ok(());
    }
    let why = estimate
        .feedback()
        .and_then(zxcvbn::feedback::Feedback::warning)
        .map_or_else(
            || "it follows a common pattern".to_owned(),
            |warning| warning.to_string(),
        );
    Err(refuse(format!("this password is easily guessed: {why}"))
        .hint("four words that have nothing to do with each other are easy to remember"))
}

/// Hashes a new password, as a PHC string.
pub async fn hash(password: Zeroizing<String>) -> OperationResult<String> {
    let hashed = on_a_thread(move || {
        hasher()?
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| OperationError::internal("hashing a password", anyhow::anyhow!("{error}")))
    });
    hashed.await?
}

/// Whether this is the password behind a hash. Without a hash the same work is done and the answer is no, so that time
/// does not tell which accounts exist.
pub async fn is(password: Zeroizing<String>, hash: Option<String>) -> OperationResult<bool> {
    let Some(hash) = hash else {
        self::hash(password).await?;
        return Ok(false);
    };
    let checked = on_a_thread(move || {
        let known = PasswordHash::new(&hash).map_err(|error| {
            OperationError::internal("reading a password's hash", anyhow::anyhow!("{error}"))
        })?;
        Ok(hasher()?.verify_password(password.as_bytes(), &known).is_ok())
    });
    checked.await?
}

fn hasher() -> OperationResult<Argon2<'static>> {
    let params = Params::new(MEMORY, 1, 1, None)
        .map_err(|error| OperationError::internal("hashing a password", anyhow::anyhow!("{error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> OperationResult<T> {
    let _permit = AT_ONCE
        .acquire()
        .await
        .map_err(|error| OperationError::internal("waiting to hash a password", error))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| OperationError::internal("hashing a password", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hash = super::hash("correct horse battery".to_owned().into())
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        assert!(
            is("correct horse battery".to_owned().into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !is("correct horse battery ".to_owned().into(), Some(hash))
                .await
                .unwrap()
        );
        assert!(!is("correct horse battery".to_owned().into(), None).await.unwrap());
    }

    #[test]
    fn passwords_that_are_guessed_first_are_refused() {
        for weak in ["short", "password1234", "aaaaaaaaaaaa", "lucy-lucy-lucy"] {
            assert!(judge(weak, &["lucy"]).is_err(), "{weak}");
        }
        assert!(judge("zebra stapler pontoon fig", &["lucy"]).is_ok());
    }
}
