//! What single events do; `lives` tries whole lives of duplicated, re-ordered and lost ones.

mod lives;

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::ids::{Epoch, InstanceId};
use pointsman_shared::outcome::{
    Effect as Change, ExitReason, JobKind, Outcome, Phase, ProcessExit, Product,
};
use uuid::Uuid;

use super::*;

const MAX_EPOCHS: u32 = 3;

fn job(kind: JobKind) -> Job {
    Job {
        kind,
        for_host: kind != JobKind::Build,
        epoch: Epoch::NONE,
        max_epochs: MAX_EPOCHS,
        unsettled: false,
        state: State::Queued,
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn process(n: u8) -> InstanceId {
    InstanceId(Uuid::from_u128(u128::from(n)))
}

fn claimant(n: u8) -> Claimant {
    Claimant {
        host: "web-1".parse().unwrap(),
        instance: process(n),
    }
}

fn request() -> CancelRequest {
    CancelRequest {
        by: "ann".to_owned(),
        at: at(0),
        reason: "not today".to_owned(),
    }
}

fn lost(epoch: u32) -> JobEvent {
    JobEvent::Lost {
        epoch: Epoch(epoch),
        how: AttemptEnding::Lost,
        why: "its lease ran out".to_owned(),
        until: at(9),
    }
}

fn claim(epoch: u32) -> JobEvent {
    JobEvent::Claim {
        epoch: Epoch(epoch),
        by: claimant(1),
        lease_until: at(45),
    }
}

fn result(epoch: u32, outcome: Outcome) -> JobEvent {
    JobEvent::Result {
        epoch: Epoch(epoch),
        outcome,
        until: at(9),
    }
}

fn succeeded() -> Outcome {
    Outcome::Succeeded {
        product: Product::Nothing,
    }
}

fn failed(exit: Option<ExitReason>, effect: Change) -> Outcome {
    Outcome::Failed {
        phase: Phase::Build,
        code: "step_failed".to_owned(),
        message: "npm ci failed".to_owned(),
        exit: exit.map(|reason| ProcessExit {
            status: None,
            signal: Some(15),
            reason,
        }),
        effect,
    }
}

/// Applies events that must all apply.
fn live(kind: JobKind, events: impl IntoIterator<Item = JobEvent>) -> Step {
    let mut step = Step {
        job: job(kind),
        effects: Vec::new(),
    };
    for event in events {
        step = step.job.apply(event).unwrap();
    }
    step
}

fn running() -> Vec<JobEvent> {
    vec![JobEvent::Offer { until: at(9) }, claim(0)]
}

fn ends(kind: JobKind, last: JobEvent) -> FinalState {
    let mut events = running();
    events.push(last);
    let state = live(kind, events).job.state;
    let State::Ended(state) = state else {
        panic!("{kind} is {state:?}");
    };
    state
}

#[test]
fn a_cancelled_job_that_is_lost_ends_by_what_it_may_have_done() {
    for (kind, expected) in [
        (JobKind::Build, State::Ended(FinalState::Cancelled)),
        (JobKind::Install, State::Ended(FinalState::Cancelled)),
        (JobKind::CollectGarbage, State::Ended(FinalState::Cancelled)),
        (JobKind::Activate, State::Ended(FinalState::Abandoned)),
        (JobKind::Rollback, State::Ended(FinalState::Abandoned)),
        (JobKind::Migrate, State::Indeterminate),
    ] {
        let mut events = running();
        events.extend([JobEvent::Cancel(request()), lost(1)]);
        assert_eq!(live(kind, events).job.state, expected, "{kind}");
    }
}

#[test]
fn a_switch_that_was_lost_once_is_never_called_cancelled() {
    let mut events = running();
    events.extend([lost(1), JobEvent::Cancel(request())]);
    let state = live(JobKind::Activate, events).job.state;
    assert_eq!(state, State::Ended(FinalState::Abandoned));
}

#[test]
fn every_allowed_epoch_lost_is_exhausted() {
    let mut events = Vec::new();
    events.push(JobEvent::Offer { until: at(9) });
    for epoch in 0..MAX_EPOCHS {
        events.extend([claim(epoch), lost(epoch + 1)]);
    }
    let step = live(JobKind::Activate, events);
    let Some(Effect::Conclude(JobEnding::Final(Ending::Failed(failure)))) = step.effects.last() else {
        panic!("{:?}", step.effects);
    };
    assert_eq!(failure.phase, Phase::Exhausted);
    assert_eq!(failure.effect, Change::Unknown);
}

#[test]
fn a_migration_settles_by_its_own_epochs_result_only() {
    let mut events = running();
    events.push(lost(1));
    let indeterminate = live(JobKind::Migrate, events).job;
    assert_eq!(indeterminate.state, State::Indeterminate);
    let late = indeterminate.clone().apply(result(2, succeeded())).unwrap();
    assert_eq!(late.job, indeterminate);
    let settled = indeterminate.apply(result(1, succeeded())).unwrap();
    assert_eq!(settled.job.state, State::Ended(FinalState::Succeeded));
}

#[test]
fn a_migration_that_never_began_is_offered_again() {
    let mut events = running();
    events.push(lost(1));
    events.push(JobEvent::NotBegun {
        epoch: Epoch(1),
        instance: process(1),
        until: at(9),
    });
    assert_eq!(
        live(JobKind::Migrate, events).job.state,
        State::Offered { until: at(9) }
    );
}

#[test]
fn an_agent_that_gave_up_or_drained_did_not_fail_the_job() {
    for outcome in [
        failed(Some(ExitReason::LeaseLost), Change::None),
        Outcome::Cancelled,
    ] {
        let mut events = running();
        events.push(result(1, outcome));
        assert_eq!(
            live(JobKind::Build, events).job.state,
            State::Offered { until: at(9) }
        );
    }
    let failure = failed(Some(ExitReason::Finished), Change::None);
    assert_eq!(ends(JobKind::Build, result(1, failure)), FinalState::Failed);
}

#[test]
fn a_failed_switch_after_a_lost_one_may_have_taken_effect() {
    let end_of = |kind, events: Vec<JobEvent>| {
        let last = live(kind, events).effects.pop();
        let Some(Effect::Conclude(JobEnding::Final(Ending::Failed(failure)))) = last else {
            panic!("{kind} ended with {last:?}");
        };
        failure.effect
    };
    let no_effect = || failed(Some(ExitReason::Finished), Change::None);
    let again = || [running(), vec![lost(1), claim(1), result(2, no_effect())]].concat();
    assert_eq!(end_of(JobKind::Activate, again()), Change::Unknown);
    assert_eq!(end_of(JobKind::Install, again()), Change::None);
    let once = [running(), vec![result(1, no_effect())]].concat();
    assert_eq!(end_of(JobKind::Activate, once), Change::None);
}

#[test]
fn a_success_after_a_cancel_request_is_a_success() {
    let mut events = running();
    events.extend([JobEvent::Cancel(request()), result(1, succeeded())]);
    assert_eq!(
        live(JobKind::Activate, events).job.state,
        State::Ended(FinalState::Succeeded)
    );
}

#[test]
fn a_build_that_is_cancelled_while_it_runs_is_never_tried_again() {
    let killed = |reason| failed(Some(reason), Change::None);
    for outcome in [
        Outcome::Cancelled,
        killed(ExitReason::Cancelled),
        killed(ExitReason::Finished),
        killed(ExitReason::LeaseLost),
    ] {
        let mut events = running();
        events.extend([JobEvent::Cancel(request()), result(1, outcome.clone())]);
        let state = live(JobKind::Build, events).job.state;
        assert!(
            matches!(state, State::Ended(_)),
            "{outcome:?} leaves it {state:?}"
        );
    }
}

#[test]
fn refusals_name_state_and_event() {
    let refused = job(JobKind::Build).apply(claim(0)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a job that is queued does not take the event \"claim\": it does not fit this state"
    );
}
