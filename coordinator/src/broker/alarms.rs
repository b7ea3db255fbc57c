//! Alarms of the broker: a node short of memory or disk takes no messages, and says so only to those who ask.
//!
//! They are told by the management API; without it nothing is known, and nothing is claimed.

use serde::Deserialize;

use super::error::BrokerResult;
use super::topology;
use crate::app::App;

/// What a node is short of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Memory.
    #[error("broker: node {0} is short of memory and takes no messages")]
    Memory(String),
    /// Disk.
    #[error("broker: node {0} is short of disk and takes no messages")]
    Disk(String),
    /// It does not run.
    #[error("broker: node {0} does not run")]
    Down(String),
    /// It has lost sight of others.
    #[error("broker: node {0} is parted from {1}")]
    Parted(String, String),
}

impl Alarm {
    /// What to do about it.
    pub const fn cure(&self) -> &'static str {
        match self {
            Self::Memory(_) => {
                "raise vm_memory_high_watermark or give the node memory; messages in `dead` may be purged"
            }
            Self::Disk(_) => "make room on the broker's disk; it goes on by itself above disk_free_limit",
            Self::Down(_) => "start the node; rabbitmqctl cluster_status shows the rest",
            Self::Parted(..) => "mend the network between the nodes, then restart the minority",
        }
    }
}

/// A node as the management API tells it.
#[derive(Debug, Deserialize)]
struct Node {
    name: String,
    #[serde(default)]
    running: bool,
    #[serde(default)]
    mem_alarm: bool,
    #[serde(default)]
    disk_free_alarm: bool,
    #[serde(default)]
    partitions: Vec<String>,
}

/// Alarms that are raised now; none where nobody can be asked.
pub async fn raised(app: &App) -> BrokerResult<Vec<Alarm>> {
    let Some(management) = topology::management(app)? else {
        return Ok(Vec::new());
    };
    let columns = "columns=name,running,mem_alarm,disk_free_alarm,partitions";
    let nodes: Option<Vec<Node>> = management.get(&["nodes"], columns).await?;
    Ok(nodes.unwrap_or_default().into_iter().flat_map(of_node).collect())
}

fn of_node(node: Node) -> Vec<Alarm> {
    let Node {
        name,
        running,
        mem_alarm,
        disk_free_alarm,
        partitions,
    } = node;
    // A node that is down tells nothing else.
    if !running {
        return vec![Alarm::Down(name)];
    }
    let mut alarms = Vec::new();
    alarms.extend(mem_alarm.then(|| Alarm::Memory(name.clone())));
    alarms.extend(disk_free_alarm.then(|| Alarm::Disk(name.clone())));
    alarms.extend((!partitions.is_empty()).then(|| Alarm::Parted(name, partitions.join(", "))));
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarms(node: &str) -> Vec<String> {
        let node: Node = serde_json::from_str(node).unwrap();
        of_node(node).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_node_is_short_of_is_named() {
        assert!(
            alarms(r#"{"name":"rabbit@a","running":true,"mem_alarm":false,"disk_free_alarm":false}"#)
                .is_empty()
        );
        let both = alarms(
            r#"{"name":"rabbit@a","running":true,"mem_alarm":true,"disk_free_alarm":true,"fd_used":3}"#,
        );
        assert_eq!(
            both,
            [
                "broker: node rabbit@a is short of memory and takes no messages",
                "broker: node rabbit@a is short of disk and takes no messages"
            ]
        );
        assert_eq!(
            alarms(r#"{"name":"rabbit@b","running":false}"#),
            ["broker: node rabbit@b does not run"]
        );
    }
}
