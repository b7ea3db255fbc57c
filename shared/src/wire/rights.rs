//! Rights of broker users, as patterns. RabbitMQ does not anchor patterns, so every one here is anchored, and a topic
//! exchange without a topic right is open, so every one gets its own.

use super::from_agent::ReportKey;
use super::topology::{self, LOGS, REPORTS};
use crate::name::{HostId, PoolName};

/// What a broker user may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Pattern of names it may declare or delete.
    pub configure: String,
    /// Pattern of names it may write to.
    pub write: String,
    /// Pattern of names it may read from.
    pub read: String,
    /// Rights on topic keys: exchange, write pattern, read pattern.
    pub topics: Vec<(&'static str, String, String)>,
}

/// Rights of one agent's user: its own queues, its pools, its own keys.
pub fn agent(host: &HostId, pools: &[PoolName]) -> Rights {
    let own = topology::host_jobs(host);
    let control = topology::host_control(host);
    let queues: Vec<String> = [own, control]
        .into_iter()
        .chain(pools.iter().map(topology::pool_jobs))
        .map(|name| escape(&name))
        .collect();
    let keys: Vec<&str> = ReportKey::ALL.iter().map(|key| key.as_str()).collect();
    Rights {
        configure: "^$".to_owned(),
        write: format!("^({}|{})$", REPORTS.name, LOGS.name),
        read: format!("^({})$", queues.join("|")),
        topics: vec![
            (
                REPORTS.name,
                format!("^{host}\\.({})$", keys.join("|")),
                "^$".to_owned(),
            ),
            (LOGS.name, format!("^{host}\\.[0-9a-f-]{{36}}$"), "^$".to_owned()),
        ],
    }
}

/// Dots are the only characters of our names that mean something in a pattern.
fn escape(name: &str) -> String {
    name.replace('.', "\\.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_reads_only_its_own_queues() -> Result<(), crate::name::InvalidName> {
        let rights = agent(&"web-1".parse()?, &["default".parse()?]);
        assert_eq!(
            rights.read,
            r"^(host\.web-1\.jobs|host\.web-1\.control|pool\.default\.jobs)$"
        );
        assert_eq!(rights.write, "^(reports|logs)$");
        assert_eq!(
            rights.topics[0].1,
            r"^web-1\.(claim|state|progress|heartbeat|result|fault)$"
        );
        Ok(())
    }
}
