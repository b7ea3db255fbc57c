//! An invented fleet and an invented past, so that estimates, trends and lists can be looked at and measured before a
//! year has gone by.
//!
//! Both are two SQL scripts over the coordinator's schema, because no API may write a past. What they write is marked as
//! invented in the bodies of jobs; nothing of it can be deployed to a real host. The installation of a user is never
//! touched: only a [`Sandbox`] can be asked for this.

use crate::error::Result;
use crate::sandbox::Sandbox;

/// How large an invented fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventedFleet {
    /// Its projects, each with a target in every environment.
    pub projects: u32,
    /// Its environments, five at most.
    pub environments: u32,
    /// Its hosts, 999 at most. Each carries the projects of its group.
    pub hosts: u32,
}

/// What happened in every target that has no past yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InventedPast {
    /// How far back it reaches.
    pub days: u32,
    /// Releases of each project in that time.
    pub releases: u32,
    /// How long things took: 1 is minutes for a build, half a minute for a switch of all hosts.
    pub pace: f64,
    /// Whether the newest release lies on the hosts; otherwise all are pruned, and nothing of them is offered.
    pub live: bool,
}

impl Sandbox {
    /// Adds hosts that nobody runs, and projects that are placed on them.
    ///
    /// # Errors
    /// What `psql` says.
    pub async fn invent_fleet(&self, fleet: InventedFleet) -> Result<()> {
        let settings = [
            ("projects", fleet.projects.to_string()),
            ("environments", fleet.environments.to_string()),
            ("hosts", fleet.hosts.to_string()),
        ];
        self.script(include_str!("history/fleet.sql"), &settings).await
    }

    /// Adds a past to every target without one.
    ///
    /// # Errors
    /// What `psql` says.
    pub async fn invent_past(&self, past: InventedPast) -> Result<()> {
        let settings = [
            ("days", past.days.to_string()),
            ("releases", past.releases.to_string()),
            ("pace", past.pace.to_string()),
            ("live", past.live.to_string()),
        ];
        self.script(include_str!("history/past.sql"), &settings).await
    }

    /// Makes invented hosts look as if they had just been heard.
    ///
    /// # Errors
    /// What `psql` says.
    pub async fn beat_for_invented_hosts(&self) -> Result<()> {
        let beat = "UPDATE host SET last_seen_at = now() WHERE id LIKE 'node-%'";
        self.script(beat, &[]).await
    }

    async fn script(&self, script: &str, settings: &[(&str, String)]) -> Result<()> {
        let postgres = self.services().postgres();
        postgres.run_script(self.database(), script, settings).await
    }
}
