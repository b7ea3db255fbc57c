//! How measured times spread over fixed bounds: what a histogram shows, counted by the database.
//!
//! Bounds are part of the meaning of a counter: whoever changes them makes every reader start anew.

/// Bounds of deployments and their stages, in seconds.
pub const DEPLOY: [f64; 11] = [
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];
/// Bounds of rollbacks and of the time in which hosts run two versions, in seconds.
pub const SWITCH: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0];
/// Bounds from a commit to the moment it is live, in seconds: from a minute to a month.
pub const LEAD: [f64; 9] = [
    60.0,
    300.0,
    1800.0,
    3600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    604_800.0,
    2_592_000.0,
];
/// Bounds of the time a job waits for its first grant, in seconds.
pub const WAIT: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// Times by bucket; the last bucket takes what lies beyond every bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Spread {
    /// Nothing measured yet.
    pub fn over(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// Adds `count` times in one bucket that make `sum` seconds together. A bucket that does not exist is the last.
    pub fn add(&mut self, bucket: usize, count: u64, sum: f64) {
        let last = self.counts.len() - 1;
        if let Some(counted) = self.counts.get_mut(bucket.min(last)) {
            *counted += count;
            self.sum += sum;
        }
    }

    /// Adds what another one over the same bounds has.
    pub fn merge(&mut self, other: &Self) {
        for (counted, more) in self.counts.iter_mut().zip(&other.counts) {
            *counted += more;
        }
        self.sum += other.sum;
    }

    /// Each bound with the times of its own bucket; the last bound is `f64::MAX`.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::MAX]);
        bounds.zip(self.counts.iter().copied()).collect()
    }

    /// How many times.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All times together, in seconds.
    pub const fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_buckets_and_add_up() {
        let mut first = Spread::over(&WAIT);
        first.add(0, 2, 0.1);
        first.add(99, 1, 9000.0);
        let mut both = Spread::over(&WAIT);
        both.add(1, 1, 0.4);
        both.merge(&first);
        assert_eq!((both.count(), both.sum()), (4, 9000.5));
        let buckets = both.buckets();
        assert_eq!((buckets[0], buckets[1]), ((0.1, 2), (0.5, 1)));
        assert_eq!(buckets.last(), Some(&(f64::MAX, 1)));
    }
}
