//! What needs somebody, from the whole installation, worst first: the head of the overview.
//!
//! Only what is not as it should be is read, so that a large fleet that is well costs nothing here. One cause is told
//! once: a deployment that failed is not told again by every host that it did not reach.

mod astray;

use askama::Template;
use pointsman_domain::presence::Rhythm;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::jobs::JobState;
use pointsman_shared::name::{HostId, TargetName};
use pointsman_store::PgConnection;
use pointsman_store::views::hosts::{Examined, Problem};
use pointsman_store::views::needs::{Astray, How, Unheard};
use pointsman_store::views::outcomes::{self, Outcome};
use pointsman_store::{StoreResult, views};

use super::format::{self, Standing};

/// Lines at most: whoever has more troubles begins with these.
const LINES: usize = 20;
/// Hosts that are read.
const SUSPECTS: usize = 100;

/// What is not as it should be.
pub(super) struct Troubles {
    bad: Vec<(TargetName, Outcome)>,
    astray: Vec<Astray>,
    undecided: Vec<(TargetName, i64)>,
    unheard: Vec<Unheard>,
    hosts: Vec<Examined>,
    targets: i64,
    last: Option<Outcome>,
}

/// Something that needs a person.
struct Need {
    standing: Standing,
    place: String,
    what: String,
    link: String,
}

/// The region that says so.
#[derive(Template)]
#[template(path = "needs.html")]
pub(super) struct Calls {
    needs: Vec<Need>,
    more: usize,
    targets: i64,
    last: Option<(String, i64)>,
}

impl Calls {
    pub(super) fn is_calm(&self) -> bool {
        self.needs.is_empty()
    }
}

pub(super) async fn read(
    conn: &mut PgConnection,
    sight: Option<&[String]>,
    rhythm: &Rhythm,
) -> StoreResult<Troubles> {
    Ok(Troubles {
        bad: outcomes::bad(conn, sight).await?,
        astray: views::needs::astray(conn, sight).await?,
        undecided: views::needs::undecided(conn, sight).await?,
        unheard: match sight {
            None => views::needs::unheard(conn).await?,
            Some(_) => Vec::new(),
        },
        // Of hosts those hear who see everything.
        hosts: match sight {
            None => views::hosts::suspects(conn, SUSPECTS, rhythm).await?,
            Some(_) => Vec::new(),
        },
        targets: views::targets::count(conn, sight).await?,
        last: match sight {
            None => outcomes::newest(conn).await?,
            Some(_) => None,
        },
    })
}

impl Troubles {
    /// Projects that something is wrong with.
    pub(super) fn projects(&self, open: &[Deployment]) -> Vec<String> {
        let paused = open
            .iter()
            .filter(|deployment| deployment.state == DeploymentState::Paused)
            .map(|deployment| &deployment.target);
        let bad = self.bad.iter().map(|(target, _)| target);
        let astray = self.astray(open).map(|astray| &astray.target);
        let undecided = self.undecided.iter().map(|(target, _)| target);
        let mut names: Vec<String> = paused
            .chain(bad)
            .chain(astray)
            .chain(undecided)
            .map(|target| target.project.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Placements that are not as decided; one that is behind is told of once: with its host where that is not there, or
    /// with its target.
    fn astray<'a>(&'a self, open: &'a [Deployment]) -> impl Iterator<Item = &'a Astray> {
        self.astray.iter().filter(move |astray| match astray.how {
            How::Behind { .. } => !self.tells_host(&astray.host) && !self.tells_target(&astray.target, open),
            How::Drift(_) | How::NotReady(_) | How::Unhealthy => true,
        })
    }

    /// Whether a host is told of as one that is not there.
    fn tells_host(&self, host: &HostId) -> bool {
        let mut members = self.hosts.iter();
        members.any(|member| !member.host.seen && member.host.id == *host)
    }

    /// Whether what became of a target's last deployment is told already.
    fn tells_target(&self, target: &TargetName, open: &[Deployment]) -> bool {
        let is_paused = |one: &Deployment| one.state == DeploymentState::Paused && one.target == *target;
        self.bad.iter().any(|(bad, _)| bad == target) || open.iter().any(is_paused)
    }

    /// Hosts that are not heard in time, in one line where there are several: most often they have one cause.
    fn silent(&self) -> Option<Need> {
        let members = self
            .hosts
            .iter()
            .filter(|member| member.problems.iter().any(is_silence));
        let silent: Vec<&HostId> = members.map(|member| &member.host.id).collect();
        (silent.len() > 1).then(|| Need {
            standing: HOST,
            place: format::count(silent.len(), "host"),
            what: format!("not heard in time: {}", astray::names(silent.iter().copied())),
            link: "/hosts?show=problems".to_owned(),
        })
    }

    /// The region; `open` are the deployments under way.
    pub(super) fn calls(&self, open: &[Deployment]) -> Calls {
        let paused = open.iter().filter_map(paused);
        let bad = self.bad.iter().map(|(target, newest)| Need {
            standing: format::outcome(&newest.outcome),
            place: target.to_string(),
            what: format!("#{} of {} was the last try", newest.number, newest.release),
            link: format!("/d/{}", newest.number),
        });
        let undecided = self.undecided.iter().map(|(target, job)| Need {
            standing: format::job(JobState::Indeterminate),
            place: target.to_string(),
            what: format!("nobody knows how the migrations of job #{job} ended"),
            link: format!("/migrations?target={target}"),
        });
        let several = self.silent().is_some();
        let mut needs: Vec<Need> = paused
            .chain(undecided)
            .chain(bad)
            .chain(astray::lines(self.astray(open)))
            .chain(self.silent())
            .chain(self.hosts.iter().flat_map(|member| of_host(member, several)))
            .chain(self.unheard.iter().map(of_channel))
            .collect();
        let more = needs.len().saturating_sub(LINES);
        needs.truncate(LINES);
        Calls {
            needs,
            more,
            targets: self.targets,
            last: self.last.as_ref().map(|last| (last.release.clone(), last.number)),
        }
    }
}

fn paused(deployment: &Deployment) -> Option<Need> {
    let why = || deployment.reason.as_deref().unwrap_or(&deployment.summary);
    (deployment.state == DeploymentState::Paused).then(|| Need {
        standing: format::deployment(DeploymentState::Paused),
        place: deployment.target.to_string(),
        what: format!("#{} waits for a decision: {}", deployment.number, why()),
        link: format!("/d/{}", deployment.number),
    })
}

fn of_channel(unheard: &Unheard) -> Need {
    Need {
        standing: Standing {
            sign: "!",
            word: "not heard",
            tone: "warn",
        },
        place: format!("channel {}", unheard.channel),
        what: format!(
            "every notification failed since {}: {}",
            unheard.since.format("%F %H:%M UTC"),
            unheard.error
        ),
        link: "/settings/channels".to_owned(),
    }
}

/// What differs from what was decided is told with its target.
fn of_host(member: &Examined, silence_is_told: bool) -> impl Iterator<Item = Need> {
    let told = move |problem: &&Problem| match problem {
        Problem::Root(_) | Problem::Drift(_) => false,
        Problem::Absent(_) | Problem::Late(_) => !(silence_is_told && is_silence(problem)),
        Problem::Stopped(_)
        | Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Disk(_)
        | Problem::Survivors(_) => true,
    };
    member.problems.iter().filter(told).map(|problem| Need {
        standing: HOST,
        place: member.host.id.to_string(),
        what: problem.to_string(),
        link: format!("/h/{}", member.host.id),
    })
}

fn is_silence(problem: &Problem) -> bool {
    match problem {
        Problem::Absent(absence) => absence.is_silence(),
        Problem::Late(_) => true,
        Problem::Stopped(_)
        | Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Disk(_)
        | Problem::Survivors(_)
        | Problem::Root(_)
        | Problem::Drift(_) => false,
    }
}

const HOST: Standing = Standing {
    sign: "✕",
    word: "host",
    tone: "bad",
};
