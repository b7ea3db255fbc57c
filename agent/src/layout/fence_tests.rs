//! The rule of the fence, first as a table, then against a model under random orders.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn job(number: u128) -> JobId {
    JobId(Uuid::from_u128(number))
}

fn claim(generation: u64, number: u128, epoch: u32) -> Claimed {
    Claimed {
        generation: Generation(generation),
        job: job(number),
        epoch: Epoch(epoch),
    }
}

fn folder(number: u32) -> ReleaseFolder {
    format!("{number:06}-aaaaaaaaaaaa").parse().unwrap()
}

fn standing() -> SlotRecord {
    SlotRecord::adopted(Generation(4), None).begun(
        Accepted::Newer,
        claim(5, 1, 2),
        Some(folder(1)),
        folder(2),
    )
}

#[test]
fn the_rule_as_a_table() {
    let rows = [
        (claim(6, 9, 1), "newer"),
        (claim(6, 1, 1), "newer"),
        (claim(5, 1, 2), "again"),
        (claim(5, 1, 3), "again"),
        (claim(5, 1, 1), "older epoch"),
        (claim(5, 9, 2), "other job"),
        (claim(5, 9, 3), "other job"),
        (claim(4, 1, 9), "older"),
        (claim(0, 9, 9), "older"),
    ];
    for (claimed, expected) in rows {
        let answer = match standing().accept(claimed) {
            Ok(Accepted::Newer) => "newer",
            Ok(Accepted::Again) => "again",
            Err(FenceRefusal::Older { .. }) => "older",
            Err(FenceRefusal::OtherJob { .. }) => "other job",
            Err(FenceRefusal::OlderEpoch { .. }) => "older epoch",
        };
        assert_eq!(answer, expected, "{claimed:?}");
    }
}

#[test]
fn an_adopted_generation_belongs_to_no_job() {
    let adopted = SlotRecord::adopted(Generation(7), Some(folder(3)));
    let refusal = adopted.accept(claim(7, 1, 1)).unwrap_err();
    assert_eq!(refusal.standing(), &adopted);
    insta::assert_snapshot!(refusal, @"generation 7 belongs to an adoption on this host, not to job 00000000-0000-0000-0000-000000000001; the coordinator gave one generation twice");
    assert_eq!(adopted.accept(claim(8, 1, 1)), Ok(Accepted::Newer));
}

#[test]
fn a_retry_keeps_what_was_live_before_its_first_attempt() {
    let again = standing().begun(Accepted::Again, claim(5, 1, 3), Some(folder(2)), folder(2));
    assert_eq!(again.from, Some(folder(1)));
}

#[test]
fn adoption_only_raises() {
    let placement = PlacementId(Uuid::from_u128(1));
    let current = || [(SlotName::current(), Some(folder(2)))];
    let mut fence = Fence::adopted(placement, Generation(5), current());
    assert!(!fence.raise(Generation(5), current()));
    assert!(!fence.raise(Generation(4), current()));
    assert!(fence.raise(Generation(6), current()));
    assert_eq!(fence.slots[&SlotName::current()].generation, Generation(6));
    assert_eq!(fence.slots[&SlotName::current()].to, None);
}

#[derive(Debug, Clone)]
enum Act {
    Switch { generation: u64, epoch: u32 },
    Adopt { generation: u64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let switch = (1..20u64, 1..4u32).prop_map(|(generation, epoch)| Act::Switch { generation, epoch });
    let adopt = (1..20u64).prop_map(|generation| Act::Adopt { generation });
    prop::collection::vec(prop_oneof![4 => switch, 1 => adopt], 1..60)
}

proptest! {
    /// Whatever order decisions, duplicates and stale attempts arrive in: the generation never falls, an attempt never
    /// follows a later one of its job, and what is live is always what the newest accepted decision wants.
    #[test]
    fn the_fence_never_falls(acts in acts()) {
        let mut record = SlotRecord::adopted(Generation(0), None);
        let mut live = None;
        let mut highest = (0, 0);
        for act in acts {
            match act {
                Act::Switch { generation, epoch } => {
                    // One job per generation, as coordinators allocate them.
                    let claimed = claim(generation, u128::from(generation), epoch);
                    if let Ok(accepted) = record.accept(claimed) {
                        let to = folder(u32::try_from(generation).unwrap());
                        record = record.begun(accepted, claimed, live.clone(), to.clone());
                        live = Some(to);
                        prop_assert!((generation, epoch) >= highest);
                        highest = (generation, epoch);
                    } else {
                        prop_assert!((generation, epoch) < highest || record.job.is_none());
                    }
                }
                Act::Adopt { generation } => {
                    let mut fence = Fence { v: 1, placement: PlacementId(Uuid::nil()), slots: BTreeMap::new() };
                    fence.slots.insert(SlotName::current(), record.clone());
                    if fence.raise(Generation(generation), [(SlotName::current(), live.clone())]) {
                        highest = (generation, 0);
                    }
                    record = fence.slots[&SlotName::current()].clone();
                }
            }
            prop_assert_eq!(record.generation, Generation(highest.0));
            if let Some(to) = &record.to {
                prop_assert_eq!(live.as_ref(), Some(to));
            }
        }
    }
}
