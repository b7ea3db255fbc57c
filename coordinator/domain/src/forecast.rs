//! How long things usually take, read from how long they took: the median, and the range that eight of ten runs fell into.
//!
//! It refuses to guess: without an earlier run there is no forecast.

pub mod queue;
pub mod waits;

use pointsman_shared::api::plans::Usual;

/// What is usual, from the durations of earlier runs in milliseconds; none without one.
pub fn usual(runs: &[u64]) -> Option<Usual> {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    // Nearest rank: the smallest value that at least `percent` of a hundred runs do not exceed.
    let rank = |percent: usize| {
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    };
    Some(Usual {
        median_ms: rank(50)?,
        low_ms: rank(10)?,
        high_ms: rank(90)?,
        runs: u32::try_from(sorted.len()).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_usual_without_a_run_and_one_run_is_all_there_is() {
        assert_eq!(usual(&[]), None);
        let one = usual(&[4_200]).unwrap();
        assert_eq!(
            (one.low_ms, one.median_ms, one.high_ms, one.runs),
            (4_200, 4_200, 4_200, 1)
        );
    }

    #[test]
    fn one_of_ten_is_quicker_and_one_of_ten_is_slower() {
        let runs: Vec<u64> = (1..=10).rev().map(|seconds| seconds * 1_000).collect();
        let usual = usual(&runs).unwrap();
        assert_eq!(
            (usual.low_ms, usual.median_ms, usual.high_ms),
            (1_000, 5_000, 9_000)
        );
    }

    proptest! {
        #[test]
        fn the_range_holds_the_median_and_only_what_happened(runs in proptest::collection::vec(0_u64..1_000_000, 1..50)) {
            let usual = usual(&runs).unwrap();
            prop_assert!(usual.low_ms <= usual.median_ms && usual.median_ms <= usual.high_ms);
            for value in [usual.low_ms, usual.median_ms, usual.high_ms] {
                prop_assert!(runs.contains(&value));
            }
        }
    }
}
