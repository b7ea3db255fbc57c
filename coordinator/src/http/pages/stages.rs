//! The stages of a deployment against the same ones of earlier deployments, and how far off the estimate was. What it
//! waited for a person to decide is told apart, and compared with nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pointsman_domain::forecast;
use pointsman_domain::forecast::waits::{self, Wait};
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::plans::Usual;
use pointsman_store::views::stages::{Run, Stage};

use super::format;

/// A stage as it went here, and how it usually goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StageRow {
    pub(super) name: String,
    pub(super) hosts: Option<String>,
    /// What it took so far, without what it waited for a decision.
    pub(super) ms: u64,
    pub(super) took: String,
    pub(super) open: bool,
    pub(super) usual: Option<Usual>,
    pub(super) usually: String,
    /// Against what is usual.
    pub(super) judged: Option<(&'static str, &'static str)>,
    /// The job whose log tells most of it.
    pub(super) job: Option<i64>,
}

/// What a stage of one deployment took.
#[derive(Debug, Clone, Copy, Default)]
struct Length {
    ms: u64,
    waited: u64,
    hosts: i64,
    open: bool,
    job: Option<i64>,
}

impl Length {
    /// What it took to do it.
    const fn worked(&self) -> u64 {
        self.ms.saturating_sub(self.waited)
    }
}

/// When deployments waited for a person, by their numbers.
pub(super) type Waits = BTreeMap<i64, Vec<Wait>>;

/// How much of a span a deployment waited for a person.
pub(super) fn waited(waits: &Waits, number: i64, from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    let of_it = waits.get(&number);
    of_it.map_or(0, |of_it| waits::within(of_it, from, to))
}

/// The length of each stage, by a name that sorts as they go.
fn lengths(run: &Run, stages: &[Stage], waits: &Waits, now: DateTime<Utc>) -> BTreeMap<(u8, i32), Length> {
    let mut lengths = BTreeMap::new();
    let queued = Length {
        ms: format::between(run.wished_at, run.started_at),
        ..Length::default()
    };
    lengths.insert((0, 0), queued);
    for stage in stages.iter().filter(|stage| stage.number == run.number) {
        let place = match stage.name.as_str() {
            "build" => 1,
            "install" => 2,
            "migrate" => 3,
            _ => 4,
        };
        let to = stage.to.unwrap_or(now);
        let length = Length {
            ms: format::between(stage.from, to),
            waited: waited(waits, run.number, stage.from, to),
            hosts: stage.hosts,
            open: stage.to.is_none(),
            job: stage.job,
        };
        lengths.insert((place, stage.wave.unwrap_or_default()), length);
        if let Some(health) = stage.health_ms {
            let health = u64::try_from(health).unwrap_or_default();
            let slowest = lengths.entry((5, 0)).or_insert_with(Length::default);
            slowest.ms = slowest.ms.max(health);
        }
    }
    lengths
}

/// The stages of a deployment, in their order.
pub(super) fn rows(
    number: i64,
    runs: &[Run],
    stages: &[Stage],
    waits: &Waits,
    now: DateTime<Utc>,
) -> Vec<StageRow> {
    let Some(this) = runs.iter().find(|run| run.number == number) else {
        return Vec::new();
    };
    let earlier: Vec<_> = runs
        .iter()
        .filter(|run| run.number != number)
        .map(|run| lengths(run, stages, waits, now))
        .collect();
    lengths(this, stages, waits, now)
        .into_iter()
        .map(|(key, length)| {
            let before: Vec<u64> = earlier
                .iter()
                .filter_map(|run| Some(run.get(&key)?.worked()))
                .collect();
            let usual = forecast::usual(&before);
            let hosts = usize::try_from(length.hosts).unwrap_or_default();
            StageRow {
                name: name(key),
                hosts: (hosts > 0 && key.0 > 1).then(|| format::count(hosts, "host")),
                ms: length.worked(),
                took: format::with_wait(length.ms, length.waited),
                open: length.open,
                usual,
                usually: usual.map(usually).unwrap_or_default(),
                judged: usual
                    .filter(|_| !length.open)
                    .and_then(|usual| judged(length.worked(), usual)),
                job: length.job,
            }
        })
        .collect()
}

fn name((place, wave): (u8, i32)) -> String {
    match place {
        0 => "queued".to_owned(),
        1 => "build".to_owned(),
        2 => "install".to_owned(),
        3 => "pre-migrations".to_owned(),
        4 if wave > 0 => format!("switch, wave {wave}"),
        4 => "switch".to_owned(),
        _ => "longest health check".to_owned(),
    }
}

fn usually(usual: Usual) -> String {
    let time = format::duration;
    if usual.low_ms == usual.high_ms {
        return time(usual.median_ms);
    }
    format!(
        "{} ({} to {})",
        time(usual.median_ms),
        time(usual.low_ms),
        time(usual.high_ms)
    )
}

/// Only what nine of ten runs were not is worth a word; a tenth of a second is not.
fn judged(ms: u64, usual: Usual) -> Option<(&'static str, &'static str)> {
    let worth = usual.runs >= 3 && ms.abs_diff(usual.median_ms) >= 500;
    match ms {
        _ if !worth => None,
        ms if ms > usual.high_ms => Some(("▲", "slower than usual")),
        ms if ms < usual.low_ms => Some(("▼", "quicker than usual")),
        _ => None,
    }
}

/// Fewer earlier runs are no estimate.
const FEWEST: usize = 3;

/// `The estimate was 9.1s off: 1m20 were said, 1m29 it took. It was quicker than 18 of the 20 before it.`
pub(super) fn verdict(deployment: &Deployment, runs: &[Run], waits: &Waits) -> Option<String> {
    let length = |run: &Run| {
        let (from, to) = (run.started_at, run.ended_at?);
        Some(format::between(from, to).saturating_sub(waited(waits, run.number, from, to)))
    };
    let this = runs.iter().find(|run| run.number == deployment.number)?;
    let took = length(this)?;
    if deployment.state != DeploymentState::Live {
        return None;
    }
    let earlier = runs.iter().filter(|run| run.number != deployment.number);
    let earlier: Vec<u64> = earlier.filter_map(length).collect();
    if earlier.len() < FEWEST {
        return None;
    }
    let said = forecast::usual(&earlier)?.median_ms;
    let slower = earlier.iter().filter(|before| **before > took).count();
    let time = format::duration;
    let waited = waited(waits, this.number, this.started_at, this.ended_at?);
    let without = if waited >= 1000 {
        ", without its wait for a decision"
    } else {
        ""
    };
    Some(format!(
        "The estimate was {} off: {} were said, {} it took{without}. It was quicker than {slower} of the {} before it.",
        time(said.abs_diff(took)),
        time(said),
        time(took),
        earlier.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn run(number: i64, from: i64, to: i64) -> Run {
        Run {
            number,
            wished_at: at(from - 2),
            started_at: at(from),
            ended_at: Some(at(to)),
        }
    }

    fn stage(number: i64, name: &str, wave: Option<i32>, from: i64, to: i64) -> Stage {
        Stage {
            number,
            name: name.to_owned(),
            wave,
            from: at(from),
            to: Some(at(to)),
            hosts: 2,
            health_ms: wave.map(|_| 700),
            job: Some(from),
        }
    }

    #[test]
    fn each_stage_is_compared_with_the_same_one_of_earlier_deployments() {
        let mut runs = vec![run(9, 900, 960)];
        let mut stages = vec![
            stage(9, "install", None, 900, 910),
            stage(9, "switch", Some(1), 910, 911),
            stage(9, "switch", Some(2), 911, 960),
        ];
        for number in 1..=4 {
            let from = number * 100;
            runs.push(run(number, from, from + 20));
            stages.push(stage(number, "install", None, from, from + 10));
            stages.push(stage(number, "switch", Some(1), from + 10, from + 11));
            stages.push(stage(number, "switch", Some(2), from + 11, from + 13));
        }
        let rows = rows(9, &runs, &stages, &Waits::new(), at(2000));
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.name.as_str(),
                    row.took.as_str(),
                    row.usually.as_str(),
                    row.judged,
                    row.job,
                )
            })
            .collect();
        let slower = Some(("▲", "slower than usual"));
        let expected = [
            ("queued", "2.0s", "2.0s", None, None),
            ("install", "10.0s", "10.0s", None, Some(900)),
            ("switch, wave 1", "1.0s", "1.0s", None, Some(910)),
            ("switch, wave 2", "49.0s", "2.0s", slower, Some(911)),
            ("longest health check", "0.7s", "0.7s", None, None),
        ];
        assert_eq!(told, expected);
        assert!(
            super::rows(7, &runs, &stages, &Waits::new(), at(2000)).is_empty(),
            "it never began"
        );
    }

    #[test]
    fn what_waited_for_a_decision_is_told_apart_and_is_neither_slow_nor_usual() {
        let mut runs = vec![run(9, 900, 960)];
        let mut stages = vec![
            stage(9, "switch", Some(1), 900, 950),
            stage(9, "switch", Some(2), 950, 960),
        ];
        let mut waits = Waits::new();
        let wait = |from, to| Wait {
            from: at(from),
            to: Some(at(to)),
        };
        waits.insert(9, vec![wait(901, 949)]);
        for number in 1..=3 {
            let from = number * 100;
            runs.push(run(number, from, from + 40));
            stages.push(stage(number, "switch", Some(1), from, from + 2));
            stages.push(stage(number, "switch", Some(2), from + 2, from + 40));
            waits.insert(number, vec![wait(from + 3, from + 31)]);
        }
        let rows = rows(9, &runs, &stages, &waits, at(2000));
        let told: Vec<_> = rows
            .iter()
            .skip(1)
            .take(2)
            .map(|row| (row.took.as_str(), row.ms, row.usually.as_str(), row.judged))
            .collect();
        let expected = [
            ("50.0s, of which 48.0s waited for a decision", 2_000, "2.0s", None),
            ("10.0s", 10_000, "10.0s", None),
        ];
        assert_eq!(told, expected);
    }
}
