//! When a delivery is tried again: eight times within a day, each a little earlier than planned, so that deliveries that
//! failed together do not come back together.

use std::time::Duration;

/// Tries of a delivery, the first one included.
pub const TRIES: u32 = 8;

/// Pauses between tries, in seconds: 23 hours and a half together.
const PAUSES: [u64; 7] = [5, 60, 300, 1_800, 7_200, 21_600, 54_000];
/// What a receiver that asks for patience gets at most.
const PATIENCE: Duration = Duration::from_hours(1);

/// How long to wait after so many tries; none = it is given up. `luck` is from 0 to 1; a receiver may ask for more time.
pub fn wait(tries: u32, luck: f64, asked: Option<Duration>) -> Option<Duration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    let pause = Duration::from_secs(*PAUSES.get(index)?);
    let early = pause.mul_f64(1.0 - 0.1 * luck.clamp(0.0, 1.0));
    Some(early.max(asked.unwrap_or_default().min(PATIENCE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_tries_fit_into_a_day() {
        let waits: Vec<Duration> = (1..=TRIES).map_while(|tries| wait(tries, 0.0, None)).collect();
        assert_eq!(waits.len(), 7);
        let all: Duration = waits.iter().sum();
        assert!(
            all < Duration::from_hours(24) && all > Duration::from_hours(23),
            "{all:?}"
        );
        assert_eq!(wait(TRIES, 0.0, None), None);
    }

    #[test]
    fn pauses_grow_and_come_early_never_late() {
        for tries in 1..TRIES {
            let planned = wait(tries, 0.0, None).unwrap_or_default();
            let early = wait(tries, 1.0, None).unwrap_or_default();
            assert!(early < planned && early >= planned.mul_f64(0.89), "{tries}");
            assert!(
                wait(tries + 1, 1.0, None).is_none_or(|next| next > planned),
                "{tries}"
            );
        }
    }

    #[test]
    fn a_receiver_may_ask_for_an_hour_and_no_more() {
        let asked = |seconds| wait(1, 0.0, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(1), Some(Duration::from_secs(5)));
        assert_eq!(asked(90), Some(Duration::from_secs(90)));
        assert_eq!(asked(u64::MAX), Some(Duration::from_hours(1)));
    }
}
