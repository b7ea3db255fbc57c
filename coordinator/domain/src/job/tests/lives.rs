//! Lives made of duplicated, re-ordered and lost events.

use proptest::prelude::*;

use super::*;

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(succeeded()),
        Just(Outcome::Cancelled),
        Just(failed(None, Change::None)),
        Just(failed(Some(ExitReason::LeaseLost), Change::Unknown)),
    ]
}

fn any_event() -> impl Strategy<Value = JobEvent> {
    let epoch = 0..=MAX_EPOCHS + 1;
    let instance = 1..=2u8;
    prop_oneof![
        3 => Just(JobEvent::Offer { until: at(9) }),
        1 => Just(JobEvent::Unseen { why: "absent".to_owned() }),
        4 => (epoch.clone(), instance.clone()).prop_map(|(epoch, n)| JobEvent::Claim {
            epoch: Epoch(epoch), by: claimant(n), lease_until: at(45)
        }),
        1 => epoch.clone().prop_map(|epoch| JobEvent::Rejected {
            epoch: Epoch(epoch), code: "policy", message: "no".to_owned()
        }),
        2 => (epoch.clone(), instance.clone()).prop_map(|(epoch, n)| JobEvent::NotBegun {
            epoch: Epoch(epoch), instance: process(n), until: at(9)
        }),
        3 => (epoch.clone(), instance, 0..99i64).prop_map(|(epoch, n, lease)| JobEvent::Beat {
            epoch: Epoch(epoch), instance: process(n), lease_until: at(lease)
        }),
        3 => epoch.clone().prop_map(lost),
        3 => (epoch.clone(), any_outcome()).prop_map(|(epoch, outcome)| result(epoch, outcome)),
        1 => Just(JobEvent::Cancel(request())),
        1 => Just(JobEvent::Supersede { reason: "#2".to_owned() }),
        1 => Just(JobEvent::StartDeadline { reason: "nobody".to_owned() }),
        1 => epoch.prop_map(|epoch| JobEvent::Unreadable { epoch: Epoch(epoch), message: "dead".to_owned() }),
    ]
}

/// What must hold of every life, checked step by step.
#[derive(Default)]
struct Witness {
    grants: u32,
    not_begun: u32,
    final_conclusions: u32,
    closed: Vec<(Epoch, AttemptEnding)>,
}

impl Witness {
    fn check(&mut self, before: &Job, event: &JobEvent, step: &Step) {
        if let State::Ended(_) = before.state {
            assert_eq!(&step.job, before, "{event:?} changed a job that is over");
        }
        assert!(step.job.epoch >= before.epoch);
        for effect in &step.effects {
            match effect {
                Effect::Grant { epoch } => {
                    self.grants += 1;
                    assert_eq!(*epoch, before.epoch.next());
                    assert!(epoch.0 <= MAX_EPOCHS, "a grant beyond the allowed epochs");
                }
                Effect::EndAttempt { epoch, how } => self.close(before, *epoch, *how),
                Effect::Conclude(JobEnding::Final(ending)) => {
                    self.final_conclusions += 1;
                    self.check_ending(before, ending);
                }
                Effect::PushCancel { epoch, .. } | Effect::Offer { epoch } => {
                    assert_eq!(*epoch, before.epoch, "an effect for another epoch");
                }
                Effect::NoteLate { .. } => assert_eq!(&step.job, before, "a late result changed the job"),
                Effect::Conclude(JobEnding::Indeterminate { .. } | JobEnding::Deferred { .. }) => {}
            }
        }
        if before.kind == JobKind::Migrate {
            assert!(self.grants <= 1 + self.not_begun, "a migration was retried");
        }
    }

    fn close(&mut self, before: &Job, epoch: Epoch, how: AttemptEnding) {
        assert_eq!(epoch, before.epoch, "an old epoch was closed");
        let earlier = self.closed.iter().filter(|(closed, _)| *closed == epoch).count();
        let settles = before.state == State::Indeterminate;
        assert!(earlier == usize::from(settles), "epoch {epoch} was closed twice");
        self.closed.push((epoch, how));
        self.not_begun += u32::from(how == AttemptEnding::NotBegun);
    }

    fn check_ending(&self, before: &Job, ending: &Ending) {
        let lost = self
            .closed
            .iter()
            .any(|(_, how)| matches!(how, AttemptEnding::Lost | AttemptEnding::Replaced));
        let claims_no_effect = matches!(ending, Ending::Cancelled { .. });
        assert!(
            !(claims_no_effect && lost && before.kind.is_switch()),
            "a switch that was lost was called cancelled"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_job_ends_at_most_once_and_acts_for_the_current_epoch_only(
        kind in prop::sample::select(JobKind::ALL.to_vec()),
        events in prop::collection::vec(any_event(), 1..60),
    ) {
        let mut witness = Witness::default();
        let mut now = job(kind);
        for event in events {
            if let Ok(step) = now.clone().apply(event.clone()) {
                witness.check(&now, &event, &step);
                now = step.job;
            }
        }
        prop_assert_eq!(witness.final_conclusions, u32::from(matches!(now.state, State::Ended(_))));
    }

    #[test]
    fn every_job_can_be_brought_to_an_end(
        kind in prop::sample::select(JobKind::ALL.to_vec()),
        events in prop::collection::vec(any_event(), 0..40),
    ) {
        let mut now = job(kind);
        for event in events {
            now = now.clone().apply(event).map_or(now, |step| step.job);
        }
        // Whatever happened: a cancel, and the loss of whoever still works, leave at most a migration undecided,
        // and a person's second cancel ends that too.
        for event in [JobEvent::Cancel(request()), lost(now.epoch.0), JobEvent::Cancel(request())] {
            now = now.clone().apply(event).map_or(now, |step| step.job);
        }
        prop_assert!(matches!(now.state, State::Ended(_)), "{:?}", now.state);
    }

    #[test]
    fn duplicates_change_nothing_more(
        kind in prop::sample::select(JobKind::ALL.to_vec()),
        events in prop::collection::vec(any_event(), 1..40),
    ) {
        let mut now = job(kind);
        for event in events {
            let Ok(step) = now.clone().apply(event.clone()) else { continue };
            now = step.job;
            if let Ok(again) = now.clone().apply(event) {
                let doubled = again.effects.iter().any(|effect| match effect {
                    Effect::Grant { .. } | Effect::EndAttempt { .. } | Effect::Conclude(_) | Effect::PushCancel { .. } => true,
                    Effect::Offer { .. } | Effect::NoteLate { .. } => false,
                });
                prop_assert!(!doubled, "{:?}", again.effects);
            }
        }
    }
}
