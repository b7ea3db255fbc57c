//! Who could take a job: seen, of its audience, allowed its kind, not refusing it, and with a free slot or not.
//!
//! The start deadline runs only while nobody fits; waiting for a busy host has none.

use pointsman_shared::name::HostId;

use crate::presence::Absence;

/// What is known of one host of a job's audience.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The host.
    pub host: HostId,
    /// Why it is absent; none when it is seen.
    pub absence: Option<Absence>,
    /// Whether it may be offered the job's kind.
    pub allowed: bool,
    /// Why it refuses this job for good: its policy, or a body it cannot read.
    pub refuses: Option<String>,
    /// Whether it has no free slot of the kind, or does not take this offer just now.
    pub busy: bool,
}

/// Who could take a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fitness {
    /// Hosts that can take it now.
    pub free: Vec<HostId>,
    /// Hosts that can take it once a slot is free.
    pub busy: Vec<HostId>,
    /// Hosts that cannot, and why each does not.
    pub unfit: Vec<(HostId, String)>,
}

/// Sorts the candidates for a job of a kind.
pub fn fitness(kind: pointsman_shared::outcome::JobKind, candidates: &[Candidate]) -> Fitness {
    let mut fitness = Fitness::default();
    for candidate in candidates {
        let host = candidate.host.clone();
        let why_not = match (&candidate.absence, &candidate.refuses) {
            (Some(absence), _) => Some(absence.to_string()),
            (None, _) if !candidate.allowed => Some(format!("it may not do {kind} jobs")),
            (None, Some(why)) => Some(why.clone()),
            (None, None) => None,
        };
        match why_not {
            Some(why) => fitness.unfit.push((host, why)),
            None if candidate.busy => fitness.busy.push(host),
            None => fitness.free.push(host),
        }
    }
    fitness
}

impl Fitness {
    /// Whether nobody could take the job, now or after a while.
    pub const fn is_nobody(&self) -> bool {
        self.free.is_empty() && self.busy.is_empty()
    }

    /// What the job waits for, in words; none when somebody is free.
    pub fn waits_for(&self, asked: &str) -> Option<String> {
        if !self.free.is_empty() {
            return None;
        }
        if !self.busy.is_empty() {
            let names: Vec<&str> = self.busy.iter().map(HostId::as_str).collect();
            return Some(format!("waits for a free slot on {}", names.join(", ")));
        }
        if self.unfit.is_empty() {
            return Some(format!("no agent is known for {asked}"));
        }
        let each: Vec<String> = self
            .unfit
            .iter()
            .map(|(host, why)| format!("{host}: {why}"))
            .collect();
        Some(format!("no agent for {asked} can take it ({})", each.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use pointsman_shared::outcome::JobKind;

    use super::*;

    fn candidate(host: &str) -> Candidate {
        Candidate {
            host: host.parse().unwrap(),
            absence: None,
            allowed: true,
            refuses: None,
            busy: false,
        }
    }

    fn words(candidates: &[Candidate]) -> Option<String> {
        fitness(JobKind::Build, candidates).waits_for("pool default")
    }

    #[test]
    fn waiting_is_told_in_words() {
        let absent = Candidate {
            absence: Some(Absence::NeverHeard),
            ..candidate("b1")
        };
        let forbidden = Candidate {
            allowed: false,
            ..candidate("b2")
        };
        let refusing = Candidate {
            refuses: Some("its policy forbids the project".to_owned()),
            ..candidate("b3")
        };
        let busy = Candidate {
            busy: true,
            ..candidate("b4")
        };
        assert_eq!(words(&[]).as_deref(), Some("no agent is known for pool default"));
        assert_eq!(
            words(&[absent.clone(), forbidden, refusing]).as_deref(),
            Some(
                "no agent for pool default can take it (b1: its agent has not said hello yet; b2: it may not do build \
                 jobs; b3: its policy forbids the project)"
            )
        );
        assert_eq!(
            words(&[absent, busy.clone()]).as_deref(),
            Some("waits for a free slot on b4")
        );
        assert_eq!(words(&[busy, candidate("b5")]), None);
    }
}
