//! What needs somebody, from the whole installation, worst first: the head of the overview.
//!
//! Only what is not as it should be is read, so that a large fleet that is well costs nothing here.

use askama::Template;
use pointsman_domain::presence::Rhythm;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::name::{HostId, TargetName};
use pointsman_store::PgConnection;
use pointsman_store::views::hosts::{Examined, Problem};
use pointsman_store::views::outcomes::{self, Outcome};
use pointsman_store::{StoreResult, views};

use super::format::{self, Standing};

/// Lines at most: whoever has more troubles begins with these.
const LINES: usize = 20;
/// Rows that are read of each kind.
const MOST: i64 = 100;
/// Hosts that are read.
const SUSPECTS: usize = 100;

/// What is not as it should be.
pub(super) struct Troubles {
    bad: Vec<(TargetName, Outcome)>,
    drifted: Vec<(TargetName, HostId, String)>,
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
        bad: outcomes::bad(conn, sight, MOST).await?,
        drifted: views::placements::drifted(conn, sight, MOST).await?,
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
        let drifted = self.drifted.iter().map(|(target, ..)| target);
        let mut names: Vec<String> = paused
            .chain(bad)
            .chain(drifted)
            .map(|target| target.project.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
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
        let drifted = self.drifted.iter().map(|(target, host, drift)| Need {
            standing: DRIFT,
            place: target.to_string(),
            what: format!("{host}: {drift}"),
            link: format!("/h/{host}"),
        });
        let mut needs: Vec<Need> = paused
            .chain(bad)
            .chain(drifted)
            .chain(self.hosts.iter().flat_map(of_host))
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

/// What differs from what was decided is told with its target.
fn of_host(member: &Examined) -> impl Iterator<Item = Need> {
    let told = |problem: &&Problem| match problem {
        Problem::Root(_) | Problem::Drift(_) => false,
        Problem::Absent(_)
        | Problem::Stopped(_)
        | Problem::Late(_)
        | Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Disk(_)
        | Problem::Survivors(_) => true,
    };
    member.problems.iter().filter(told).map(|problem| Need {
        standing: Standing {
            sign: "✕",
            word: "host",
            tone: "bad",
        },
        place: member.host.id.to_string(),
        what: problem.to_string(),
        link: format!("/h/{}", member.host.id),
    })
}

const DRIFT: Standing = Standing {
    sign: "~",
    word: "drift",
    tone: "warn",
};
