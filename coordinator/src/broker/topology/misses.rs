//! Queues that do not confirm: a miss counts only while the broker is otherwise well, and on the second one the queue
//! is made again.
//!
//! A memory alarm silences every queue, so a probe on another queue must be confirmed first. A queue whose broker died
//! right after its declaration has no leader: it refuses or swallows what is published, and ends whoever consumes it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lapin::ConnectionStatus;
use tokio::time::Instant;

use super::Topology;
use crate::broker::error::BrokerResult;
use crate::broker::publisher::{Delivery, Publisher};

/// Misses in a row after which a queue is made again.
const MISSES: u32 = 2;
/// Misses that follow each other faster are one: a broker that just started refuses for a moment.
const APART: Duration = Duration::from_secs(4);

/// Misses in a row, by queue.
#[derive(Debug, Default)]
pub(super) struct Misses(Mutex<HashMap<String, Miss>>);

#[derive(Debug, Clone, Copy)]
struct Miss {
    count: u32,
    last: Instant,
}

impl Misses {
    fn count(&self, queue: &str) -> u32 {
        let now = Instant::now();
        let mut misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let miss = misses.entry(queue.to_owned()).or_insert(Miss {
            count: 0,
            last: now - APART,
        });
        if now - miss.last >= APART {
            miss.count += 1;
            miss.last = now;
        }
        miss.count
    }

    fn forget(&self, queue: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(queue);
    }
}

impl Topology {
    /// A queue confirmed something.
    pub fn delivered(&self, queue: &str) {
        self.misses.forget(queue);
    }

    /// Something for a queue was not confirmed: makes the queue when it is missing, and makes it again when it is dead.
    pub async fn undelivered(
        &self,
        queue: &str,
        delivery: Delivery,
        publisher: &Publisher,
        status: &ConnectionStatus,
    ) -> BrokerResult<()> {
        match delivery {
            Delivery::Confirmed => self.delivered(queue),
            Delivery::Unroutable => {
                self.ensure().await?;
            }
            Delivery::Refused | Delivery::Silent => {
                if status.blocked() || !publisher.probe().await? || self.misses.count(queue) < MISSES {
                    return Ok(());
                }
                self.misses.forget(queue);
                self.replace_queue(queue).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn misses_count_in_a_row_and_some_time_apart() {
        tokio::time::advance(APART).await;
        let misses = Misses::default();
        assert_eq!([misses.count("a"), misses.count("a")], [1, 1]);
        tokio::time::advance(APART).await;
        assert_eq!([misses.count("b"), misses.count("a")], [1, 2]);
        misses.forget("a");
        assert_eq!(misses.count("a"), 1);
    }
}
