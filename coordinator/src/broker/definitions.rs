//! The broker's definitions file for this installation: virtual host, administrator and coordinator with exactly their
//! rights, filled in from the two addresses of the configuration.
//!
//! It holds salted hashes and never a password. It asks nobody: the broker that will read it need not run yet. Agents
//! are not in it; they get their users when they join.

use url::Url;

use super::connection::address;
use super::enrolment::password_hash;
use super::error::{BrokerError, BrokerResult};
use crate::config::Broker;

/// The file as it is shipped, with names in place of values.
const TEMPLATE: &str = include_str!("../../../deploy/rabbitmq/definitions.json");

/// A salt for each of the two passwords.
pub type Salts = [[u8; 4]; 2];

/// The file's content. An error names the key of the configuration that lacks something.
pub fn render(broker: &Broker, salts: Salts) -> BrokerResult<String> {
    let [first, second] = salts;
    let url = Url::parse(&broker.url).map_err(|error| wrong(error.to_string()))?;
    let (coordinator, coordinator_hash) = user("broker.url", &url, first)?;
    let Some(url) = &broker.admin_url else {
        let what = "broker.admin_url is not set; it names the administrator, as in \
                    http://administrator:PASSWORD@127.0.0.1:15672";
        return Err(wrong(what.to_owned()));
    };
    let (administrator, administrator_hash) = user("broker.admin_url", url, second)?;
    if coordinator == administrator {
        let what = format!("{coordinator} is the user of broker.admin_url, too; each needs its own");
        return Err(wrong(what));
    }
    let values = [
        ("@vhost@", address(&broker.url)?.vhost),
        ("@coordinator@", coordinator),
        ("@coordinator_hash@", coordinator_hash),
        ("@administrator@", administrator),
        ("@administrator_hash@", administrator_hash),
    ];
    Ok(values.iter().fold(TEMPLATE.to_owned(), |text, (name, value)| {
        let quoted = serde_json::Value::from(value.as_str()).to_string();
        text.replace(&format!("\"{name}\""), &quoted)
    }))
}

/// Name and password hash of an address's user. Without one the broker's library would fill in a well-known one.
fn user(key: &str, url: &Url, salt: [u8; 4]) -> BrokerResult<(String, String)> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() || password.is_empty() {
        let what = format!("{key} has no user with a password, as in scheme://USER:PASSWORD@host");
        return Err(wrong(what));
    }
    // The library that connects also decodes what an address must write in another way.
    let user = address(&format!("amqp://{}:{password}@broker/", url.username()))?
        .authority
        .userinfo;
    Ok((user.username, password_hash(&user.password, salt)))
}

fn wrong(what: String) -> BrokerError {
    BrokerError::Address { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(url: &str, admin_url: Option<&str>) -> Broker {
        Broker {
            url: url.to_owned(),
            url_file: None,
            admin_url: admin_url.map(|url| url.parse().unwrap()),
            admin_url_file: None,
            agent_url: None,
            ca_file: None,
        }
    }

    #[test]
    fn users_and_rights_come_from_the_two_addresses() {
        let salt = [0x90, 0x8d, 0xc6, 0x0a];
        let broker = broker(
            "amqp://decider:test12@10.0.0.1/fleet",
            Some("http://root:p%40ss%2Fw@10.0.0.1:15672"),
        );
        let text = render(&broker, [salt, salt]).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(file["vhosts"][0]["name"], "fleet");
        assert_eq!(file["users"][1]["name"], "decider");
        // The hash that RabbitMQ's documentation gives for this salt and password.
        assert_eq!(
            file["users"][1]["password_hash"],
            "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
        );
        assert_eq!(file["users"][0]["password_hash"], password_hash("p@ss/w", salt));
        assert_eq!(file["permissions"][1]["user"], "decider");
        assert_eq!(file["permissions"][1]["configure"], "^$");
        assert!(!text.contains('@') && !text.contains("test12"), "{text}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |url, admin_url| {
            let refused = render(&broker(url, admin_url), [[0; 4]; 2]);
            refused.unwrap_err().to_string()
        };
        let admin = Some("http://admin:x@h:15672");
        assert!(said("amqp://c:x@h", None).contains("broker.admin_url is not set"));
        assert!(said("amqp://c:x@h", Some("http://h:15672")).contains("broker.admin_url has no user"));
        assert!(said("amqp://admin:y@h", admin).contains("each needs its own"));
    }
}
