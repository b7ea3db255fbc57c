//! The broker's definitions file: the vhost, the administrator and the coordinator with exactly its rights.
//!
//! Agents are not in it: the coordinator enrols them through the management API when they join.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::random;

/// What the coordinator may do with its everyday credential: publish orders, read reports; declare nothing.
pub(super) const COORDINATOR_RIGHTS: [(&str, &str); 3] = [
    ("configure", "^$"),
    ("write", "^(jobs|control)$"),
    ("read", r"^(coordinator\.reports|coordinator\.logs|dead)$"),
];

/// RabbitMQ's own format: base64 of salt and SHA-256 of salt and password.
pub(super) fn password_hash(salt: [u8; 4], password: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(password).finalize();
    STANDARD.encode([&salt[..], &digest[..]].concat())
}

/// A user as the definitions file and the management API know it.
pub(super) fn user(name: &str, password: &str, tags: &[&str]) -> Value {
    json!({
        "name": name,
        "password_hash": password_hash(random::salt(), password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
    })
}

/// The rights of the coordinator's user, without user and vhost.
pub(super) fn coordinator_rights() -> Value {
    Value::Object(
        COORDINATOR_RIGHTS
            .map(|(right, pattern)| (right.to_owned(), json!(pattern)))
            .into_iter()
            .collect(),
    )
}

/// The file that a broker reads at every start; with it neither `guest` nor the vhost `/` exist.
pub(super) fn definitions(vhost: &str, admin_password: &str, coordinator_password: &str) -> Value {
    let mut coordinator = coordinator_rights();
    coordinator["user"] = json!("coordinator");
    coordinator["vhost"] = json!(vhost);
    json!({
        "vhosts": [{ "name": vhost }],
        "users": [
            user("admin", admin_password, &["administrator"]),
            user("coordinator", coordinator_password, &[]),
        ],
        "permissions": [
            { "user": "admin", "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*" },
            coordinator,
        ],
        "topic_permissions": [],
        "parameters": [],
        "policies": [],
        "queues": [],
        "exchanges": [],
        "bindings": [],
    })
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
}
