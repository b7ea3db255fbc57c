//! What takes acts on the ssh key of a project back. A private half is told to nobody, so that a key which was replaced or
//! removed comes back only from its owner's file.

use pointsman_shared::api::tokens::AuditEntry;
use pointsman_shared::name::ProjectName;

use super::inverse::{Inverse, Way};
use crate::client::Client;
use crate::error::CliError;

/// The key that an act kept, and the one that was there before.
fn fingerprints(act: &AuditEntry) -> (Option<&str>, Option<&str>) {
    (act.detail["fingerprint"].as_str(), act.detail["before"].as_str())
}

/// A project's first key is removed, while it stands.
pub async fn of(client: &Client, act: &AuditEntry) -> Result<Option<Way>, CliError> {
    let (Ok(project), (Some(kept), None)) = (act.object.parse::<ProjectName>(), fingerprints(act)) else {
        return Ok(None);
    };
    let now = client.deploy_key(&project).await?;
    let redo = if act.action == "deploy_key.make" {
        format!("pointsman project key generate {project}, which makes another key")
    } else {
        format!("pointsman project key set {project} < FILE, with the file of the key {kept}")
    };
    Ok(now.filter(|now| now.fingerprint == kept).map(|_| Way {
        command: format!("pointsman project key remove {project}"),
        inverse: Inverse::RemoveKey(project),
        redo,
    }))
}

/// Why an act on a key has no inverse here, and what to do instead.
pub fn why_not(act: &AuditEntry) -> Option<String> {
    let project = &act.object;
    let lost = match (act.action.as_str(), fingerprints(act)) {
        ("deploy_key.make" | "deploy_key.set", (Some(kept), Some(before))) if kept == before => {
            return Some(format!(
                "the lines of known hosts from before are not kept: pointsman project key trust {project} FILE"
            ));
        }
        ("deploy_key.make" | "deploy_key.set", (_, Some(before))) => before,
        ("deploy_key.remove", (Some(removed), _)) => removed,
        _ => return None,
    };
    Some(format!(
        "nobody here is told the private half of {lost}: pointsman project key set {project} < FILE"
    ))
}
