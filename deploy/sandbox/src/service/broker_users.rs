//! The broker's definitions file: the one that is shipped, filled in for a private broker. So every fleet of the sandbox
//! stands on exactly the users and rights that an installation gets.
//!
//! Agents are not in it: the coordinator enrols them through the management API when they join.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::random;

/// As it is shipped, with names in place of values.
const SHIPPED: &str = include_str!("../../../rabbitmq/definitions.json");
/// The administrator's name.
const ADMINISTRATOR: &str = "admin";
/// The coordinator's name.
const COORDINATOR: &str = "coordinator";

/// RabbitMQ's own format: base64 of salt and SHA-256 of salt and password.
fn password_hash(salt: [u8; 4], password: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(password).finalize();
    STANDARD.encode([&salt[..], &digest[..]].concat())
}

/// The file that a broker reads at every start; with it neither `guest` nor the vhost `/` exist.
pub(super) fn definitions(vhost: &str, admin_password: &str, coordinator_password: &str) -> Result<Value> {
    let values = [
        ("@vhost@", vhost.to_owned()),
        ("@administrator@", ADMINISTRATOR.to_owned()),
        (
            "@administrator_hash@",
            password_hash(random::salt(), admin_password),
        ),
        ("@coordinator@", COORDINATOR.to_owned()),
        (
            "@coordinator_hash@",
            password_hash(random::salt(), coordinator_password),
        ),
    ];
    let filled = values.iter().fold(SHIPPED.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    });
    serde_json::from_str(&filled)
        .map_err(|error| Error::Unexpected(format!("the shipped definitions file is no JSON: {error}")))
}

/// The rights of the coordinator's user, without user and vhost: what another vhost of the same broker needs, too.
pub(super) fn coordinator_rights(definitions: &Value) -> Value {
    let mut all = definitions["permissions"].as_array().into_iter().flatten();
    let own = all.find(|rights| rights["user"] == COORDINATOR);
    own.map(|rights| json!({ "configure": rights["configure"], "write": rights["write"], "read": rights["read"] }))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_rabbitmqs_documentation() {
        assert_eq!(
            password_hash([0x90, 0x8d, 0xc6, 0x0a], "test12"),
            "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
        );
    }

    #[test]
    fn the_shipped_file_gives_the_coordinator_no_right_to_configure() {
        let file = definitions("fleet", "a", "b").unwrap();
        assert!(!file.to_string().contains('@'), "{file}");
        assert_eq!(
            coordinator_rights(&file),
            json!({
                "configure": "^$",
                "write": "^(jobs|control)$",
                "read": r"^(coordinator\.reports|coordinator\.logs|dead)$",
            })
        );
        assert_eq!(file["users"][1]["tags"], json!([]));
    }
}
