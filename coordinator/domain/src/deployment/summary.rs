//! Counts over a deployment's hosts, and the sentences made of them.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::PlacementId;

use super::facts::{Facts, HostFacts, JobFacts};
use super::standing::Forward;

/// Each reason once, behind the hosts it holds of: `web-1, web-2: disk full`.
pub(super) fn told_once(told: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut once: Vec<(String, String)> = Vec::new();
    for (host, why) in told {
        match once.iter_mut().find(|(_, known)| *known == why) {
            Some((hosts, _)) => {
                hosts.push_str(", ");
                hosts.push_str(&host);
            }
            None => once.push((host, why)),
        }
    }
    once
}

impl HostFacts {
    /// A reason without the host's name before it, for sentences that name the host themselves.
    pub(super) fn own<'a>(&self, reason: &'a str) -> &'a str {
        let rest = reason
            .strip_prefix(self.host.as_str())
            .and_then(|rest| rest.strip_prefix(": "));
        rest.unwrap_or(reason)
    }
}

impl Facts {
    /// Hosts that failed, with why.
    pub fn failures(&self) -> Vec<(&HostFacts, &str)> {
        let failed = self.failed_jobs().into_iter();
        failed.map(|(host, job)| (host, host.own(job.why()))).collect()
    }

    /// Hosts that a person left out after they had failed, with why they failed.
    pub fn left_out_failed(&self) -> Vec<(&HostFacts, &str)> {
        let failed = |host: &HostFacts| {
            let own = self
                .jobs
                .iter()
                .filter(|job| job.placement == host.placement && !job.undo);
            own.filter(|job| job.fell_short()).max_by_key(|job| job.number)
        };
        let left_out =
            |host: &&HostFacts| matches!(self.forward(host), Forward::Out(_)) && host.skipped.is_some();
        self.hosts
            .iter()
            .filter(left_out)
            .filter_map(|host| failed(host).map(|job| (host, host.own(job.why()))))
            .collect()
    }

    /// Whether more hosts failed than the strategy allows, and a person did not accept all of them.
    pub fn has_too_many_failures(&self) -> bool {
        let allowed = self.strategy.max_failures.saturating_add(self.failures_forgiven);
        let failed = self.failed_jobs();
        failed.len() > usize::try_from(allowed).unwrap_or(usize::MAX)
            && failed.iter().any(|(host, job)| job.number > host.accepted)
    }

    /// Hosts that failed, with the job that did.
    fn failed_jobs(&self) -> Vec<(&HostFacts, &JobFacts)> {
        self.hosts
            .iter()
            .filter_map(|host| match self.forward(host) {
                Forward::InstallFailed(job) | Forward::SwitchFailed(job) => Some((host, job)),
                Forward::Out(_)
                | Forward::ToInstall
                | Forward::Installing(_)
                | Forward::Installed
                | Forward::Switching(_)
                | Forward::Live(_)
                | Forward::There
                | Forward::Stopped(_) => None,
            })
            .collect()
    }

    /// `failed on web-1, web-2: disk full; web-3: ...`
    pub(super) fn failure_summary(&self) -> String {
        let failures = self.failures().into_iter();
        let told = told_once(failures.map(|(host, why)| (host.host.to_string(), why.to_owned())));
        let failures: Vec<_> = told
            .into_iter()
            .map(|(hosts, why)| format!("{hosts}: {why}"))
            .collect();
        format!("failed on {}", failures.join("; "))
    }

    /// The failures that a decision to go on accepts, by placement and job. One about something else accepts none.
    pub fn failures_to_accept(&self) -> Vec<(PlacementId, i64)> {
        if !self.is_about_failures() {
            return Vec::new();
        }
        let failed = self.failed_jobs().into_iter();
        failed.map(|(host, job)| (host.placement, job.number)).collect()
    }

    /// The outcome in words: `live on 2 of 3 hosts with 1 deferred: web-3 (it is absent); failed on web-2: disk full`.
    pub(super) fn tally(&self, live: usize) -> String {
        let live = match live {
            0 => "live on no host".to_owned(),
            live if live == self.hosts.len() => "live".to_owned(),
            live => format!("live on {live} of {} hosts", self.hosts.len()),
        };
        let (mut out, mut skipped, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
        for host in &self.hosts {
            match self.forward(host) {
                Forward::Out(_) if host.skipped.is_some() => skipped.push(host.host.as_str()),
                Forward::Out(why) => out.push((host.host.to_string(), why.to_owned())),
                Forward::Stopped(_) => stopped.push(host.host.as_str()),
                Forward::ToInstall
                | Forward::Installing(_)
                | Forward::InstallFailed(_)
                | Forward::Installed
                | Forward::Switching(_)
                | Forward::Live(_)
                | Forward::There
                | Forward::SwitchFailed(_) => {}
            }
        }
        let deferred = match out.as_slice() {
            [] => live,
            out => {
                let told = told_once(out.iter().cloned());
                let told: Vec<_> = told
                    .into_iter()
                    .map(|(hosts, why)| format!("{hosts} ({why})"))
                    .collect();
                format!("{live} with {} deferred: {}", out.len(), told.join(", "))
            }
        };
        let skipped = (!skipped.is_empty()).then(|| format!("left out: {}", skipped.join(", ")));
        let stopped = (!stopped.is_empty()).then(|| format!("cancelled on {}", stopped.join(", ")));
        let failed = (!self.failures().is_empty()).then(|| self.failure_summary());
        let parts: Vec<_> = [Some(deferred), skipped, stopped, failed]
            .into_iter()
            .flatten()
            .collect();
        parts.join("; ")
    }

    /// Hosts of which nobody knows what is live.
    pub(super) fn unknown_hosts(&self) -> Vec<&str> {
        let unknown = |host: &&HostFacts| {
            let newest = self
                .jobs
                .iter()
                .filter(|job| job.placement == host.placement && job.kind.is_switch())
                .max_by_key(|job| job.number);
            newest.is_some_and(|job| job.state == JobState::Abandoned)
        };
        self.hosts
            .iter()
            .filter(unknown)
            .map(|host| host.host.as_str())
            .collect()
    }

    /// Adds which hosts stay with this deployment's release.
    pub(super) fn with_switched(&self, detail: String) -> String {
        let switched: Vec<_> = self
            .hosts
            .iter()
            .filter(|host| self.touched(host) && host.confirmed == Some(self.release.id))
            .map(|host| host.host.as_str())
            .collect();
        if switched.is_empty() {
            return detail;
        }
        format!(
            "{detail}; {} stays on {}",
            self.release.label,
            switched.join(", ")
        )
    }
}
