//! Waves: how many hosts switch together, by number or percentage.
//!
//! `["1", "25%", "100%"]` are sizes, not sums: one host, then a quarter of all (rounded up, at least one), then the
//! rest; the last wave always takes the rest. Hosts that are seen come first, so that an absent host is no canary.

use pointsman_shared::api::projects::Strategy;
use pointsman_shared::ids::PlacementId;
use pointsman_shared::name::HostId;

use crate::refusal::Refusal;

/// Most waves of one strategy.
const MOST: usize = 50;

/// Size of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveSize {
    /// So many hosts.
    Hosts(u32),
    /// So many of a hundred, rounded up.
    Percent(u32),
}

impl WaveSize {
    /// How many of `all` hosts; at least one.
    fn of(self, all: usize) -> usize {
        let size = match self {
            Self::Hosts(hosts) => usize::try_from(hosts).unwrap_or(usize::MAX),
            Self::Percent(percent) => all
                .saturating_mul(usize::try_from(percent).unwrap_or(100))
                .div_ceil(100),
        };
        size.max(1)
    }
}

/// Reads a strategy's waves.
pub fn parse(waves: &[String]) -> Result<Vec<WaveSize>, Refusal> {
    if waves.is_empty() || waves.len() > MOST {
        return Err(Refusal::invalid(
            "invalid_waves",
            format!("a strategy has 1 to {MOST} waves, not {}", waves.len()),
        )
        .hint(r#"write them as ["1", "25%", "100%"]"#));
    }
    waves.iter().map(|wave| parse_one(wave)).collect()
}

fn parse_one(wave: &str) -> Result<WaveSize, Refusal> {
    let invalid = || {
        Refusal::invalid("invalid_waves", format!("{wave:?} is no size of a wave"))
            .hint(r#"a number of hosts such as "2", or a percentage from "1%" to "100%""#)
    };
    let (digits, percent) = wave
        .strip_suffix('%')
        .map_or((wave, false), |digits| (digits, true));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    match (digits.parse::<u32>(), percent) {
        (Ok(percent @ 1..=100), true) => Ok(WaveSize::Percent(percent)),
        (Ok(hosts @ 1..=100_000), false) => Ok(WaveSize::Hosts(hosts)),
        (Ok(_) | Err(_), _) => Err(invalid()),
    }
}

/// The wave of each of `all` hosts in order, from 1.
pub fn assign(waves: &[WaveSize], all: usize) -> Vec<u32> {
    let mut assigned = Vec::with_capacity(all);
    let mut number = 0;
    for (index, wave) in waves.iter().enumerate() {
        let left = all - assigned.len();
        if left == 0 {
            break;
        }
        number += 1;
        let size = if index + 1 == waves.len() {
            left
        } else {
            wave.of(all).min(left)
        };
        assigned.resize(assigned.len() + size, number);
    }
    assigned.resize(all, number.max(1));
    assigned
}

/// A host that is to be given a wave.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The target on it.
    pub placement: PlacementId,
    /// The host.
    pub host: &'a HostId,
    /// Whether it is seen, and its root can be worked in.
    pub seen: bool,
}

/// Every host with its wave, in the order of the waves.
pub fn freeze(strategy: &Strategy, mut hosts: Vec<Candidate<'_>>) -> Vec<(PlacementId, u32)> {
    hosts.sort_by(|a, b| b.seen.cmp(&a.seen).then_with(|| a.host.cmp(b.host)));
    // Waves were checked at the request; whatever cannot be read now is one wave.
    let waves = parse(&strategy.waves).unwrap_or_default();
    let assigned = assign(&waves, hosts.len());
    hosts
        .into_iter()
        .map(|host| host.placement)
        .zip(assigned)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(waves: &[&str], all: usize) -> Vec<usize> {
        let waves: Vec<_> = waves.iter().map(|wave| (*wave).to_owned()).collect();
        let assigned = assign(&parse(&waves).unwrap(), all);
        let last = assigned.last().copied().unwrap_or(0);
        (1..=last)
            .map(|wave| assigned.iter().filter(|assigned| **assigned == wave).count())
            .collect()
    }

    #[test]
    fn percentages_round_up_and_the_last_wave_takes_the_rest() {
        assert_eq!(sizes(&["1", "25%", "100%"], 10), [1, 3, 6]);
        assert_eq!(sizes(&["1", "25%", "100%"], 3), [1, 1, 1]);
        assert_eq!(sizes(&["1", "25%", "100%"], 1), [1]);
        assert_eq!(sizes(&["100%"], 3), [3]);
        assert_eq!(sizes(&["1", "1"], 5), [1, 4]);
        assert_eq!(sizes(&["50%", "100%"], 5), [3, 2]);
        assert_eq!(sizes(&["1"], 0), Vec::<usize>::new());
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for bad in ["", "0", "0%", "101%", "-1", "1.5", "25 %", "all", "+1", "%"] {
            assert!(parse(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
        assert!(parse(&[]).is_err());
    }

    proptest! {
        #[test]
        fn every_host_has_a_wave_and_waves_have_no_holes(
            waves in proptest::collection::vec("([1-9][0-9]?|100)%?", 1..6), all in 1_usize..200,
        ) {
            let assigned = assign(&parse(&waves).unwrap(), all);
            prop_assert_eq!(assigned.len(), all);
            prop_assert_eq!(assigned[0], 1);
            prop_assert!(assigned.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        }
    }
}
