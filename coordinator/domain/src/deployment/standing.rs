//! Where each host stands, read from its jobs: once on the way forward, once on the way back.
//!
//! One reading for the decisions and for what people are shown. It refuses to look at the time.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::ids::ReleaseId;

use super::facts::{DeploymentKind, Facts, HostFacts, JobFacts};

/// Where a host stands on the way forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward<'a> {
    /// Not waited for: deferred, skipped, or no longer of the target.
    Out(&'a str),
    /// The release is not there, and nobody was asked to bring it.
    ToInstall,
    /// An install is open.
    Installing(&'a JobFacts),
    /// The install ended without the release being there.
    InstallFailed(&'a JobFacts),
    /// The release lies there complete.
    Installed,
    /// A switch is open.
    Switching(&'a JobFacts),
    /// The switch succeeded: read back and healthy.
    Live(&'a JobFacts),
    /// A rollback need not touch it: what it goes back to is live there, and was not while other hosts strayed.
    There,
    /// The switch ended otherwise; what is live there is another question.
    SwitchFailed(&'a JobFacts),
    /// Its job was cancelled: somebody's will, no failure.
    Stopped(&'a JobFacts),
}

impl<'a> Forward<'a> {
    /// Whether the release lies there, whatever came after.
    pub(super) const fn is_installed(&self) -> bool {
        match self {
            Self::Installed | Self::Switching(_) | Self::Live(_) | Self::There | Self::SwitchFailed(_) => {
                true
            }
            Self::Out(_)
            | Self::ToInstall
            | Self::Installing(_)
            | Self::InstallFailed(_)
            | Self::Stopped(_) => false,
        }
    }

    /// The switch that is open.
    pub(super) const fn open_switch(&self) -> Option<&'a JobFacts> {
        match self {
            Self::Switching(job) => Some(job),
            Self::Out(_)
            | Self::ToInstall
            | Self::Installing(_)
            | Self::InstallFailed(_)
            | Self::Installed
            | Self::Live(_)
            | Self::There
            | Self::SwitchFailed(_)
            | Self::Stopped(_) => None,
        }
    }
}

/// Where a host stands on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back<'a> {
    /// Nothing was done to it.
    Untouched,
    /// Its switch was begun and never took place: what it would go back to is live there.
    There,
    /// Its own forward job is not over yet.
    Stopping(&'a JobFacts),
    /// Not waited for.
    Out(&'a str),
    /// The release to go back to is not there.
    ToInstall,
    /// It is being brought.
    Installing(&'a JobFacts),
    /// It can be switched back.
    ToSwitch,
    /// It is being switched back.
    Switching(&'a JobFacts),
    /// It is back.
    Done(&'a JobFacts),
    /// Going back failed as often as it may.
    Failed(&'a JobFacts),
}

impl HostFacts {
    /// Why this host is not waited for on either way: it is away, or left the target.
    fn away(&self) -> Option<&str> {
        match &self.deferred {
            Some(why) => Some(why),
            None if self.retired => Some("no longer part of the target"),
            None => None,
        }
    }
}

impl JobFacts {
    /// Whether it ended without doing what it should. A superseded job is none of these: another took its place.
    pub(super) const fn fell_short(&self) -> bool {
        match self.state {
            JobState::Failed | JobState::Cancelled | JobState::Abandoned => true,
            JobState::Queued
            | JobState::Offered
            | JobState::Running
            | JobState::Deferred
            | JobState::Indeterminate
            | JobState::Succeeded
            | JobState::Superseded => false,
        }
    }

    /// Open, and no agent works on it: it can be taken back at once.
    pub(super) const fn is_idle(&self) -> bool {
        match self.state {
            JobState::Queued | JobState::Offered | JobState::Deferred => true,
            JobState::Running
            | JobState::Indeterminate
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Superseded
            | JobState::Abandoned => false,
        }
    }

    /// Whether this switch may have changed what is live. Before a grant nothing can have happened, and a switch
    /// that says `cancelled` changed nothing.
    const fn touched(&self) -> bool {
        self.kind.is_switch() && self.granted && !matches!(self.state, JobState::Cancelled)
    }

    /// Why it ended or waits, for people.
    pub(super) fn why(&self) -> &str {
        self.reason.as_deref().unwrap_or(self.state.as_str())
    }
}

impl Facts {
    fn newest(&self, host: &HostFacts, undo: bool, switch: bool) -> Option<&JobFacts> {
        self.jobs
            .iter()
            .filter(|job| job.placement == host.placement && job.undo == undo)
            .filter(|job| job.kind.is_switch() == switch && job.state != JobState::Superseded)
            .filter(|job| !(job.fell_short() && job.number <= host.retried))
            .max_by_key(|job| job.number)
    }

    /// Where `host` stands on the way forward.
    pub(super) fn forward<'a>(&'a self, host: &'a HostFacts) -> Forward<'a> {
        let switch = self.newest(host, false, true);
        let install = self.newest(host, false, false);
        let is_open = |job: Option<&JobFacts>| job.is_some_and(|job| !job.state.is_final());
        if let Some(why) = &host.skipped
            && !is_open(install)
            && switch.is_none_or(JobFacts::fell_short)
        {
            return Forward::Out(why);
        }
        match switch {
            Some(job) if job.state == JobState::Succeeded => return Forward::Live(job),
            Some(job) if job.state == JobState::Cancelled => return Forward::Stopped(job),
            Some(job) if job.fell_short() => return Forward::SwitchFailed(job),
            Some(job) => return Forward::Switching(job),
            None => {}
        }
        if let Some(why) = host.away() {
            return Forward::Out(why);
        }
        if self.is_there(host) {
            return Forward::There;
        }
        match install {
            Some(job) if job.state == JobState::Succeeded => Forward::Installed,
            Some(job) if job.state == JobState::Cancelled => Forward::Stopped(job),
            Some(job) if job.fell_short() => Forward::InstallFailed(job),
            Some(job) => Forward::Installing(job),
            None if host.has.contains(&self.release.id) => Forward::Installed,
            None => Forward::ToInstall,
        }
    }

    /// Whether the deployment may have changed what is live on `host`.
    pub fn touched(&self, host: &HostFacts) -> bool {
        self.jobs
            .iter()
            .any(|job| job.placement == host.placement && !job.undo && job.touched())
    }

    /// Whether a rollback by hand has nothing to do on `host`. Where every host has it live, the wish is to switch them
    /// all again.
    fn is_there(&self, host: &HostFacts) -> bool {
        let at_goal = |host: &HostFacts| host.confirmed == Some(self.release.id);
        self.kind == DeploymentKind::Rollback
            && at_goal(host)
            && host.seen
            && host.well
            && host.drift.is_none()
            && !self.jobs.iter().any(|job| job.placement == host.placement)
            && (!self.jobs.is_empty() || !self.hosts.iter().all(at_goal))
    }

    /// Whether the deployment's switch of `host` ended without having taken place. Where its agent was lost nobody
    /// knows; and what a try to go back made of the host is judged by that try.
    fn stayed_on(&self, host: &HostFacts, to: ReleaseId) -> bool {
        let mut own = self.jobs.iter().filter(|job| job.placement == host.placement);
        host.confirmed == Some(to) && own.all(|job| !job.undo && job.state != JobState::Abandoned)
    }

    /// Where `host` stands on the way back to `to`, when each host may be tried `tries` times.
    pub(super) fn back<'a>(&'a self, host: &'a HostFacts, to: ReleaseId, tries: u32) -> Back<'a> {
        let own = |job: &&JobFacts| job.placement == host.placement && !job.undo;
        if let Some(job) = self.jobs.iter().filter(own).find(|job| !job.state.is_final()) {
            return Back::Stopping(job);
        }
        if !self.touched(host) {
            return Back::Untouched;
        }
        if self.stayed_on(host, to) {
            return Back::There;
        }
        let switch = self.newest(host, true, true);
        let install = self.newest(host, true, false);
        if let Some(job) = switch.filter(|job| !job.fell_short()) {
            return if job.state == JobState::Succeeded {
                Back::Done(job)
            } else {
                Back::Switching(job)
            };
        }
        if let Some(job) = install.filter(|job| !job.state.is_final()) {
            return Back::Installing(job);
        }
        // A host that was left out goes back like any other once it may have switched.
        if let Some(why) = host.away() {
            return Back::Out(why);
        }
        let undone = |job: &&JobFacts| job.placement == host.placement && job.undo && job.fell_short();
        let failed: Vec<_> = self.jobs.iter().filter(undone).collect();
        match failed.last() {
            Some(job) if failed.len() >= usize::try_from(tries).unwrap_or(usize::MAX) => Back::Failed(job),
            _ if host.has.contains(&to) || install.is_some_and(|job| job.state == JobState::Succeeded) => {
                Back::ToSwitch
            }
            _ => Back::ToInstall,
        }
    }
}
