//! What a call says, once it is believed.

use pointsman_shared::api::pushes::{Forge, GenericPush};
use pointsman_shared::digest::Digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Headers, LONGEST_ID};

/// Longest name of a ref or of a person that is taken, in bytes.
const LONGEST_NAME: usize = 300;

/// A call that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The forge's id of it.
    pub delivery: String,
    /// What makes it the same as another call, when it is sent again: a signature, for an id in a header that nobody
    /// signed proves nothing.
    pub fingerprint: String,
    /// What it tells.
    pub told: Told,
}

/// What a call tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A ref moved, or is new.
    Push {
        /// `refs/heads/main`, or `refs/tags/1.9.1`.
        reference: String,
        /// Who pushed.
        by: Option<String>,
    },
    /// A ref is gone.
    Deleted {
        /// Which.
        reference: String,
    },
    /// Anything else, such as the ping of a new webhook; its name.
    Other(String),
}

/// What GitHub and Gitea send on a push.
#[derive(Debug, Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    pusher: Option<Pusher>,
}

/// GitHub says `name`; Gitea `login` and, the same again, `username`.
#[derive(Debug, Deserialize)]
struct Pusher {
    name: Option<String>,
    login: Option<String>,
}

/// What GitLab sends on a push.
#[derive(Debug, Deserialize)]
struct GitlabPush {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    user_username: Option<String>,
}

/// Reads a call; an error says what is wrong with it.
pub fn read(forge: Forge, headers: &impl Headers, body: &[u8]) -> Result<Call, String> {
    let (id, event, is_push) = match forge {
        Forge::Github => named(headers, "x-github-delivery", "x-github-event", &["push"])?,
        Forge::Gitea => named(headers, "x-gitea-delivery", "x-gitea-event", &["push"])?,
        Forge::Gitlab => {
            // Only newer versions name each call; all of them name what caused it.
            let id = match headers.text("idempotency-key") {
                Some(_) => "idempotency-key",
                None => "x-gitlab-event-uuid",
            };
            named(headers, id, "x-gitlab-event", &["Push Hook", "Tag Push Hook"])?
        }
        Forge::Generic => (delivery(headers, "webhook-id")?, "push".to_owned(), true),
    };
    let told = match (is_push, forge) {
        (false, _) => Told::Other(event),
        (true, Forge::Github | Forge::Gitea) => {
            let Push {
                reference,
                after,
                pusher,
            } = json(body)?;
            moved(
                reference,
                &after,
                pusher.and_then(|pusher| pusher.name.or(pusher.login)),
            )?
        }
        (true, Forge::Gitlab) => {
            let GitlabPush {
                reference,
                after,
                user_username,
            } = json(body)?;
            moved(reference, &after, user_username)?
        }
        (true, Forge::Generic) => {
            let GenericPush { reference, by } = json(body)?;
            moved(reference, "", by)?
        }
    };
    let fingerprint = match forge {
        Forge::Github => headers.text("x-hub-signature-256").unwrap_or(&id).to_owned(),
        Forge::Gitea => headers.text("x-gitea-signature").unwrap_or(&id).to_owned(),
        // Hooks that cause each other share their event's id.
        Forge::Gitlab => format!("{id} {}", Digest::of(body)),
        // The id is signed.
        Forge::Generic => id.clone(),
    };
    Ok(Call {
        delivery: id,
        fingerprint,
        told,
    })
}

fn named(
    headers: &impl Headers,
    id: &str,
    event: &str,
    pushes: &[&str],
) -> Result<(String, String, bool), String> {
    let id = delivery(headers, id)?;
    let name = headers
        .text(event)
        .filter(|name| name.len() <= LONGEST_NAME)
        .ok_or_else(|| format!("the call has no header {event}"))?;
    Ok((id, name.to_owned(), pushes.contains(&name)))
}

fn delivery(headers: &impl Headers, name: &str) -> Result<String, String> {
    headers
        .text(name)
        .filter(|id| (1..=LONGEST_ID).contains(&id.len()))
        .map(str::to_owned)
        .ok_or_else(|| format!("the call has no header {name}, or one longer than {LONGEST_ID} bytes"))
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        format!("the body is no push that can be read: {error}; the forge must send JSON (application/json)")
    })
}

/// Zeros stand for a ref that is gone.
fn moved(reference: String, after: &str, by: Option<String>) -> Result<Told, String> {
    let is_ref = reference.starts_with("refs/heads/") || reference.starts_with("refs/tags/");
    if !is_ref || reference.len() > LONGEST_NAME {
        return Err(format!(
            "ref is {}, and no branch (refs/heads/...) or tag (refs/tags/...)",
            shown(&reference)
        ));
    }
    if !after.is_empty() && after.bytes().all(|byte| byte == b'0') {
        return Ok(Told::Deleted { reference });
    }
    let by = by.map(|by| shown(&by));
    Ok(Told::Push { reference, by })
}

/// A stranger's text, short and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}
