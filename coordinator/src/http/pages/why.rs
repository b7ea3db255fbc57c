//! "Why?": from the wish to the job to the host, each in the words that `pointsman why` has.

use askama::Template;
use pointsman_domain::forecast::queue::Place;
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::api::projects::Placement;
use pointsman_shared::name::TargetName;
use pointsman_shared::why::{self, Link, Mood};
use pointsman_store::views::{self, job_queue::OpenJob};
use pointsman_store::{PgConnection, locks};

use super::super::problem::Answer;
use super::format;
use super::viewer::Viewer;

/// The chain.
#[derive(Debug, Template)]
#[template(path = "why.html")]
pub(super) struct Chain {
    links: Vec<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    link: Link,
    page: Option<String>,
    sign: &'static str,
    tone: &'static str,
}

impl Chain {
    fn add(&mut self, link: Link, page: Option<String>) {
        let (sign, tone) = match link.mood {
            Mood::Good => ("✓", "ok"),
            Mood::Warning => ("…", "wait"),
            Mood::Bad => ("✕", "bad"),
        };
        self.links.push(Drawn {
            link,
            page,
            sign,
            tone,
        });
    }
}

/// Why a host does not have what a target wants of it, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Apart {
    pub(super) sign: &'static str,
    pub(super) tone: &'static str,
    pub(super) says: String,
    pub(super) cure: Option<String>,
    pub(super) page: Option<String>,
}

/// Why a host does not have what a target wants of it, where it does not; `open` is the deployment under way there.
pub(super) fn apart(target: &TargetName, open: Option<i64>, placement: &Placement) -> Option<Apart> {
    if let Some(link) = why::placement(target, open.is_some(), placement) {
        let (sign, tone) = match link.mood {
            Mood::Bad => ("✕", "bad"),
            Mood::Good | Mood::Warning => ("≠", "warn"),
        };
        return Some(Apart {
            sign,
            tone,
            says: link.says,
            cure: link.cure,
            page: None,
        });
    }
    let number = open.filter(|_| placement.confirmed != placement.desired)?;
    Some(Apart {
        sign: "▶",
        tone: "run",
        says: format!("deployment #{number} is under way there"),
        cure: None,
        page: Some(format!("/d/{number}")),
    })
}

/// Why a job waits or goes on; nothing for one that is over, whose reason and log say it.
pub(super) async fn of_job(
    viewer: &Viewer,
    conn: &mut PgConnection,
    job: &Job,
    open: Option<&OpenJob>,
) -> Answer<Option<Chain>> {
    if job.state.is_final() {
        return Ok(None);
    }
    let now = pointsman_store::now(conn).await?;
    let mut chain = Chain { links: Vec::new() };
    if let Some(number) = job.deployment
        && let Some(deployment) = views::deployments::one(conn, number).await?
    {
        chain.add(why::wish(&deployment, now), Some(format!("/d/{number}")));
    }
    let all = locks::all(conn, now).await?;
    if let Some(stop) = all.iter().find(|lock| lock.target.is_none()) {
        chain.add(why::stop(stop), Some("/locks".to_owned()));
    }
    let mut link = why::job(job, None, now);
    if let Some(place) = open.and_then(|open| in_line(job.state, open)) {
        link.says = format!("{}; {place}", link.says);
    }
    chain.add(link, None);
    if let Some(id) = &job.host {
        let rhythm = viewer.app().config.timing.rhythm();
        if let Some(mut host) = views::hosts::one(conn, id.as_str(), &rhythm).await? {
            let whole = viewer.sees_everything();
            if !whole {
                // They name roots of projects that may be hidden.
                host.problems.clear();
            }
            chain.add(why::host(&host, now), whole.then(|| format!("/h/{id}")));
        }
    }
    Ok(Some(chain))
}

/// `2nd of those for web-1, begins in about 40s`
pub(super) fn in_line(state: JobState, open: &OpenJob) -> Option<String> {
    let Place { nth, starts_in_ms } = open.place?;
    if state == JobState::Running {
        return None;
    }
    let begins = match starts_in_ms {
        Some(0) => ", next to be taken".to_owned(),
        Some(ms) => format!(", begins in about {}", format::duration(ms)),
        None => String::new(),
    };
    Some(format!("{} of those for {}{begins}", ordinal(nth), open.audience))
}

fn ordinal(nth: usize) -> String {
    let end = match (nth % 10, nth % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{nth}{end}")
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn places_are_said_as_people_say_them() {
        let told: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).into();
        assert_eq!(
            told,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"
            ]
        );
    }
}
