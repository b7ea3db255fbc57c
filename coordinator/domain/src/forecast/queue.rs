//! Who is next: the place of each job that waits for a worker, and when it may begin.
//!
//! Jobs of one audience, a host or a pool of builders, are taken in their order by whoever is free. A beginning is told
//! only where every job before it has a usual time.

use std::collections::HashMap;

/// A job that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its number; lower ones go first.
    pub number: i64,
    /// Who may take it.
    pub audience: String,
    /// How many work there at once.
    pub workers: usize,
    /// How long it works already, in milliseconds; none = it waits.
    pub working_ms: Option<u64>,
    /// How long such a job usually takes.
    pub usual_ms: Option<u64>,
}

/// The place of a job that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1 = the next.
    pub nth: usize,
    /// When it may begin, in milliseconds from now.
    pub starts_in_ms: Option<u64>,
}

/// The places of all that wait.
pub fn places(open: &[Open]) -> HashMap<i64, Place> {
    let mut places = HashMap::new();
    let mut audiences: HashMap<&str, Vec<&Open>> = HashMap::new();
    for job in open {
        audiences.entry(job.audience.as_str()).or_default().push(job);
    }
    for mut jobs in audiences.into_values() {
        jobs.sort_by_key(|job| job.number);
        let workers = jobs
            .iter()
            .map(|job| job.workers)
            .max()
            .unwrap_or_default()
            .max(1);
        // When each worker is free; none = nobody knows.
        let mut free: Vec<Option<u64>> = jobs
            .iter()
            .filter_map(|job| {
                job.working_ms
                    .map(|working| job.usual_ms.map(|usual| usual.saturating_sub(working)))
            })
            .collect();
        free.resize(free.len().max(workers), Some(0));
        for (before, job) in jobs.iter().filter(|job| job.working_ms.is_none()).enumerate() {
            // Whoever is known to be free first takes it; with nobody known there is no telling.
            let first = (0..free.len())
                .filter(|at| free[*at].is_some())
                .min_by_key(|at| free[*at]);
            let starts_in_ms = first.and_then(|at| free[at]);
            if let Some(at) = first {
                free[at] = free[at].and_then(|begins| job.usual_ms.map(|usual| begins + usual));
            }
            let place = Place {
                nth: before + 1,
                starts_in_ms,
            };
            places.insert(job.number, place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: i64, audience: &str, working_ms: Option<u64>, usual_ms: Option<u64>) -> Open {
        Open {
            number,
            audience: audience.to_owned(),
            workers: if audience == "pool" { 2 } else { 1 },
            working_ms,
            usual_ms,
        }
    }

    fn told(open: &[Open]) -> Vec<(i64, usize, Option<u64>)> {
        let mut told: Vec<_> = places(open)
            .into_iter()
            .map(|(number, place)| (number, place.nth, place.starts_in_ms))
            .collect();
        told.sort_unstable();
        told
    }

    #[test]
    fn jobs_begin_when_those_before_them_are_usually_done() {
        let open = [
            job(1, "web-1", Some(4_000), Some(10_000)),
            job(3, "web-1", None, Some(5_000)),
            job(2, "web-1", None, Some(7_000)),
            job(4, "web-2", None, Some(1_000)),
        ];
        assert_eq!(
            told(&open),
            [(2, 1, Some(6_000)), (3, 2, Some(13_000)), (4, 1, Some(0))]
        );
    }

    #[test]
    fn two_builders_take_two_and_what_nobody_knows_is_not_told() {
        let open = [
            job(1, "pool", Some(30_000), Some(20_000)),
            job(2, "pool", Some(0), Some(8_000)),
            job(3, "pool", None, None),
            job(4, "pool", None, Some(3_000)),
            job(5, "pool", None, Some(3_000)),
        ];
        assert_eq!(
            told(&open),
            [(3, 1, Some(0)), (4, 2, Some(8_000)), (5, 3, Some(11_000))]
        );
        let unknown = [job(1, "web-1", Some(1), None), job(2, "web-1", None, Some(5))];
        assert_eq!(told(&unknown), [(2, 1, None)]);
    }
}
