use pointsman_shared::api::releases::ReleaseState;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn id(number: u32) -> ReleaseId {
    ReleaseId(Uuid::from_u128(number.into()))
}

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn good(number: u32, hours: i64) -> GoodRelease {
    GoodRelease {
        id: id(number),
        label: number.to_string().parse().unwrap(),
        state: ReleaseState::Built,
        first_live_at: at(hours),
        left_by_rollback: false,
    }
}

fn candidate(number: u32, hours: i64) -> Candidate {
    Candidate {
        id: id(number),
        built_at: at(hours),
        pinned: None,
    }
}

#[test]
fn every_release_has_its_reason() {
    let needs = Needs {
        live: Some(id(9)),
        confirmed: [id(9), id(3)].into(),
        in_flight: [id(10)].into(),
        good: (4..=9).map(|number| good(number, number.into())).collect(),
    };
    let policy = Retention {
        keep: 3,
        min_age_hours: 24,
    };
    let now = at(1000);
    let pinned = Candidate {
        pinned: Some("ann: the audit of June".to_owned()),
        ..candidate(2, 0)
    };
    let words = |release: &Candidate, pressure| {
        let reason = reason_to_keep(release, &needs, &policy, pressure, now);
        reason.map(|reason| reason.words())
    };
    for (release, expected, when_low) in [
        (candidate(9, 0), Some("live"), true),
        (candidate(3, 0), Some("still live on a host"), true),
        (
            candidate(8, 0),
            Some("previous good: a rollback goes there"),
            true,
        ),
        (pinned, Some("pinned: ann: the audit of June"), true),
        (candidate(10, 0), Some("an open deployment or job needs it"), true),
        (candidate(7, 0), Some("one of the newest good releases"), false),
        (
            candidate(11, 990),
            Some("young, until 1970-02-12 06:00 UTC"),
            false,
        ),
        (candidate(6, 0), None, false),
    ] {
        assert_eq!(
            words(&release, Pressure::Normal).as_deref(),
            expected,
            "{release:?}"
        );
        let low = words(&release, Pressure::DiskLow);
        assert_eq!(low.is_some(), when_low, "{release:?}: {low:?}");
    }
}

/// A target that lives: releases come and go, people decide, collections run whenever they like.
#[derive(Debug, Default)]
struct History {
    hours: i64,
    built: Vec<i64>,
    pinned: BTreeSet<u32>,
    installed: BTreeSet<u32>,
    needs: Needs,
}

#[derive(Debug, Clone)]
enum Happening {
    Build,
    /// A deployment begins: its release is brought to the host.
    Begin(usize),
    /// It ends live.
    Live,
    /// It fails on the host after the switch: the host stays with it.
    Stray,
    /// It ends otherwise.
    Fail,
    RollBack,
    Pin(usize),
    Unpin(usize),
    Wait(u32),
    Collect(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Build),
        4 => any::<usize>().prop_map(Happening::Begin),
        4 => Just(Happening::Live),
        1 => Just(Happening::Stray),
        1 => Just(Happening::Fail),
        2 => Just(Happening::RollBack),
        1 => any::<usize>().prop_map(Happening::Pin),
        1 => any::<usize>().prop_map(Happening::Unpin),
        3 => (0_u32..100).prop_map(Happening::Wait),
        4 => any::<bool>().prop_map(Happening::Collect),
    ]
}

impl History {
    fn number(release: ReleaseId) -> u32 {
        u32::try_from(release.0.as_u128()).unwrap()
    }

    fn some(&self, index: usize) -> Option<u32> {
        let count = self.built.len();
        (count > 0).then(|| u32::try_from(index % count).unwrap() + 1)
    }

    fn open(&self) -> Option<ReleaseId> {
        self.needs.in_flight.iter().next_back().copied()
    }

    fn live(&mut self, release: ReleaseId, left: Option<ReleaseId>) {
        self.needs.live = Some(release);
        self.needs.confirmed = [release].into();
        self.needs.in_flight.clear();
        let hours = self.hours;
        for good in &mut self.needs.good {
            good.left_by_rollback |= Some(good.id) == left;
            good.left_by_rollback &= good.id != release;
        }
        if !self.needs.good.iter().any(|good| good.id == release) {
            self.needs.good.push(good(Self::number(release), hours));
        }
    }

    fn happen(&mut self, happening: &Happening, policy: &Retention) {
        self.hours += 1;
        match *happening {
            Happening::Build => self.built.push(self.hours),
            Happening::Begin(index) => {
                if let (Some(number), None) = (self.some(index), self.open()) {
                    self.installed.insert(number);
                    self.needs.in_flight = [Some(id(number)), self.needs.live]
                        .into_iter()
                        .flatten()
                        .collect();
                    self.needs.in_flight.insert(id(number));
                }
            }
            Happening::Live => {
                let wanted = self
                    .needs
                    .in_flight
                    .iter()
                    .find(|wanted| Some(**wanted) != self.needs.live);
                if let Some(wanted) = wanted.copied() {
                    self.live(wanted, None);
                }
            }
            Happening::Stray => {
                if let Some(wanted) = self.open() {
                    self.needs.confirmed.insert(wanted);
                    self.needs.in_flight.clear();
                }
            }
            Happening::Fail => self.needs.in_flight.clear(),
            Happening::RollBack => self.roll_back(),
            Happening::Pin(index) => self.pinned.extend(self.some(index)),
            Happening::Unpin(index) => {
                if let Some(number) = self.some(index) {
                    self.pinned.remove(&number);
                }
            }
            Happening::Wait(hours) => self.hours += i64::from(hours),
            Happening::Collect(low) => self.collect(policy, low),
        }
    }

    /// What is gone from the host is brought there first.
    fn roll_back(&mut self) {
        let Some(to) = previous_good(self.needs.live, &self.needs.good).map(|good| good.id) else {
            return;
        };
        self.installed.insert(Self::number(to));
        let left = self.needs.live;
        self.live(to, left);
    }

    fn collect(&mut self, policy: &Retention, low: bool) {
        let pressure = if low { Pressure::DiskLow } else { Pressure::Normal };
        let (needs, built, pinned, now) = (&self.needs, &self.built, &self.pinned, at(self.hours));
        self.installed.retain(|number| {
            let release = Candidate {
                pinned: pinned.contains(number).then(|| "kept".to_owned()),
                ..candidate(*number, built[*number as usize - 1])
            };
            reason_to_keep(&release, needs, policy, pressure, now).is_some()
        });
    }

    /// Where a rollback would go right now.
    fn way_back(&self) -> Option<u32> {
        previous_good(self.needs.live, &self.needs.good).map(|good| Self::number(good.id))
    }

    fn check(&self, was: &BTreeSet<u32>) {
        let needed = self
            .needs
            .live
            .into_iter()
            .chain(self.needs.confirmed.iter().copied());
        for release in needed.chain(self.needs.in_flight.iter().copied()) {
            assert!(
                self.installed.contains(&Self::number(release)),
                "{release} is needed and gone"
            );
        }
        if let Some(way_back) = self.way_back() {
            let was_there = was.contains(&way_back);
            assert!(
                !was_there || self.installed.contains(&way_back),
                "the way back was collected"
            );
        }
        for pinned in self.pinned.intersection(was) {
            assert!(self.installed.contains(pinned), "{pinned} was pinned");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn no_history_loses_a_release_that_is_needed(
        happenings in proptest::collection::vec(happening(), 0..60), keep in 0_u32..4, min_age_hours in 0_u32..200,
    ) {
        let policy = Retention { keep, min_age_hours };
        let mut history = History::default();
        for happening in &happenings {
            let was = history.installed.clone();
            history.happen(happening, &policy);
            history.check(&was);
        }
    }
}
