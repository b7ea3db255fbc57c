//! A few threads for work that comes in numbered pieces.
//!
//! Every thread takes the next number until none is left. The first failure ends the others after their current piece;
//! the caller hears the failure with the lowest number that is not merely an echo of it.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{panic, thread};

use crate::error::{Error, Result};

/// Enough to keep disk and processor busy; more only makes the release wait for memory.
const MAX_THREADS: usize = 8;

/// Two at least, because creating files waits for the kernel more than for the processor.
fn threads() -> usize {
    thread::available_parallelism()
        .map_or(2, NonZero::get)
        .clamp(2, MAX_THREADS)
}

/// Does pieces `0..count`, each thread with a `state` of its own, and returns the results in order.
pub(crate) fn each<S, T: Send>(
    count: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let take = || {
        let mut state = state();
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            match work(&mut state, index) {
                Ok(result) => done.push((index, result)),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err((index, error));
                }
            }
        }
        Ok(done)
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads().min(count)).map(|_| scope.spawn(take)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause)))
            .collect()
    });
    collect(outcomes)
}

type Outcome<T> = std::result::Result<Vec<(usize, T)>, (usize, Error)>;

fn collect<T>(outcomes: Vec<Outcome<T>>) -> Result<Vec<T>> {
    let mut done = Vec::new();
    let mut failures = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(part) => done.extend(part),
            Err(failure) => failures.push(failure),
        }
    }
    failures.sort_by_key(|(index, error)| (matches!(error, Error::Stopped), *index));
    if let Some((_, error)) = failures.into_iter().next() {
        return Err(error);
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_no_piece_is_done_twice() {
        let results = each(
            1000,
            || 0,
            |seen, index| {
                *seen += 1;
                Ok(index * 2)
            },
        );
        assert_eq!(
            results.unwrap(),
            (0..1000).map(|index| index * 2).collect::<Vec<_>>()
        );
        assert!(each(0, || (), |(), index| Ok(index)).unwrap().is_empty());
    }

    #[test]
    fn the_cause_is_reported_and_not_its_echo() {
        let fault = || Error::InvalidPacking {
            fault: "cause".to_owned(),
        };
        let outcomes = vec![
            Err::<Vec<(usize, ())>, _>((1, Error::Stopped)),
            Err((2, fault())),
            Ok(vec![(0, ())]),
        ];
        assert!(matches!(collect(outcomes), Err(Error::InvalidPacking { .. })));
    }
}
