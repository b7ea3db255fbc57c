//! Control messages: each must name this instance and answer something that was asked, or carry an expiry and a serial
//! that was not heard before. Everything else changes nothing.

use std::time::Duration;

use pointsman_shared::ids::{Epoch, InstanceId, JobId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{NotBegun, WorkingOn};
use pointsman_shared::wire::to_agent::{
    Adopt, Cancel, Denial, Grant, HeartbeatReply, ToAgent, Unwelcome, Welcome,
};
use pointsman_shared::wire::{FromAgent, TraceParent, UnixMillis, VERSION};

use super::claim::Claim;
use super::greeting::{Answered, Given};
use super::{Action, Assignment, Dispatcher, Now, Settle};
use crate::lease::{BootInstant, lease};
use crate::letter::Refusal;

impl Dispatcher {
    pub(super) fn control(&mut self, message: ToAgent, now: &Now) {
        if let Some(instance) = instance_of(&message).filter(|instance| *instance != self.me.instance) {
            tracing::debug!(%instance, "a message for another instance is dropped");
            return;
        }
        match message {
            // `letter` lets none through; offers come as events of their own.
            ToAgent::Offer(_) => {}
            ToAgent::Grant(grant) => self.granted(&grant, now),
            ToAgent::Denial(denial) => self.denied(&denial, now),
            ToAgent::Welcome(welcome) => self.welcomed(welcome, now),
            ToAgent::Unwelcome(unwelcome) => self.unwelcomed(&unwelcome, now),
            ToAgent::HeartbeatReply(reply) => self.beat_answered(&reply, now),
            ToAgent::Acknowledge(ack) => self.actions.push(Action::Forget {
                spool: ack.spool,
                upto: ack.upto,
            }),
            ToAgent::Adopt(adopt) => self.adopt(adopt, now),
            ToAgent::Cancel(cancel) => self.cancel(cancel, now),
        }
    }

    fn welcomed(&mut self, welcome: Welcome, now: &Now) {
        let given = Given {
            pools: welcome.pools,
            kinds: welcome.kinds,
        };
        match self.greeting.welcome(&welcome.nonce, given) {
            Answered::Expected => {}
            Answered::Again => return,
            Answered::Unasked => return self.unasked("welcome", now),
        }
        self.welcomed_here = true;
        self.times = welcome.times;
        self.beats.heard();
        self.actions.push(Action::Heard(welcome.at));
        if welcome.keys.version > self.keys_version {
            self.keys_version = welcome.keys.version;
            self.actions.push(Action::Pin(welcome.keys));
        }
        self.actions.push(Action::Welcomed(welcome.placements));
        self.beats.by(now.boot.plus(self.pause_between_beats()));
    }

    fn unwelcomed(&mut self, unwelcome: &Unwelcome, now: &Now) {
        match self
            .greeting
            .unwelcome(&unwelcome.nonce, now, self.chance.as_mut())
        {
            Answered::Expected => {
                self.welcomed_here = false;
                tracing::error!(
                    reason = unwelcome.reason,
                    "the coordinator does not take this agent for the host's; asking again"
                );
            }
            Answered::Again => {}
            Answered::Unasked => self.unasked("unwelcome", now),
        }
    }

    fn beat_answered(&mut self, reply: &HeartbeatReply, now: &Now) {
        let Some(sent) = self.beats.answered(reply.beat) else {
            if !self.beats.was_sent(reply.beat) {
                self.unasked("heartbeat reply", now);
            }
            return;
        };
        self.times = reply.times;
        self.actions.push(Action::Heard(reply.at));
        let stop_at = sent.plus(Duration::from_millis(reply.times.stop_ms));
        for lease in &reply.leases {
            let work = WorkingOn {
                job: lease.job,
                epoch: lease.epoch,
            };
            self.work.judge(work, &lease.verdict, stop_at);
        }
        if reply.say_hello || reply.keys_version > self.keys_version {
            self.say_hello(now);
        }
    }

    fn granted(&mut self, grant: &Grant, now: &Now) {
        let Some(claim) = self.answered_claim(grant, now) else {
            return;
        };
        self.times = grant.times;
        let stop = Duration::from_millis(grant.times.stop_ms);
        let waited = now.boot.since(claim.first);
        let objection = if self.drain.is_some() {
            Some("the agent is draining".to_owned())
        } else if waited >= stop {
            Some(format!("the grant came {} s after the claim", waited.as_secs()))
        } else {
            None
        };
        if let Some(delivery) = claim.delivery {
            self.settle(delivery, Settle::Ack);
        }
        match objection {
            Some(reason) => self.not_begun(grant.job, grant.epoch, claim.screened.trace, reason),
            None => self.begin(&claim, grant.epoch, claim.first.plus(stop)),
        }
    }

    /// The claim that a grant answers, if everything it says agrees with what was claimed.
    fn answered_claim(&mut self, grant: &Grant, now: &Now) -> Option<Claim> {
        let agrees = self.claims.of(grant.job).is_some_and(|claim| {
            grant.epoch == claim.epoch().next() && grant.digest == claim.screened.offer.get().digest
        });
        if agrees && let Some(claim) = self.claims.answer(grant.job, &grant.nonce) {
            return Some(claim);
        }
        if let Some(expired) = self.claims.answer_expired(&grant.nonce)
            && (expired.job, expired.granted) == (grant.job, grant.epoch)
        {
            self.not_begun(
                grant.job,
                grant.epoch,
                expired.trace,
                "the grant came after the offer had expired".to_owned(),
            );
        } else if !self.claims.was_answered(&grant.nonce) {
            self.unasked("grant", now);
        }
        None
    }

    fn begin(&mut self, claim: &Claim, epoch: Epoch, stop_at: BootInstant) {
        let kind = claim.kind();
        let stop_at = match kind {
            // Never stops itself; `Work::judge` says why.
            JobKind::Migrate => BootInstant::never(),
            JobKind::Build
            | JobKind::Install
            | JobKind::Activate
            | JobKind::Rollback
            | JobKind::CollectGarbage => stop_at,
        };
        let (keeper, lease) = lease(stop_at);
        self.work.begin(claim.screened.body.job, epoch, kind, keeper);
        self.beats
            .by(claim.first.plus(Duration::from_millis(self.times.beat_ms)));
        let assignment = Assignment::new(&claim.screened, epoch, lease);
        self.actions.push(Action::Begin(Box::new(assignment)));
    }

    fn not_begun(&mut self, job: JobId, epoch: Epoch, trace: Option<TraceParent>, reason: String) {
        let trace_id = trace.as_ref().map(TraceParent::trace_id);
        tracing::warn!(%job, %epoch, trace_id, reason, "a granted job is not begun");
        let not_begun = NotBegun {
            v: VERSION,
            host: self.me.host.clone(),
            instance: self.me.instance,
            job,
            epoch,
            reason,
        };
        self.say(FromAgent::NotBegun(not_begun), trace);
    }

    fn denied(&mut self, denial: &Denial, now: &Now) {
        if let Some(claim) = self.claims.answer(denial.job, &denial.nonce) {
            tracing::info!(job = %denial.job, reason = ?denial.reason, "a claim was denied");
            if let Some(delivery) = claim.delivery {
                self.settle(delivery, Settle::Ack);
            }
        } else if self.claims.answer_expired(&denial.nonce).is_none()
            && !self.claims.was_answered(&denial.nonce)
        {
            self.unasked("denial", now);
        }
    }

    fn adopt(&mut self, adopt: Adopt, now: &Now) {
        if adopt
            .answers
            .as_ref()
            .is_some_and(|nonce| !self.greeting.asked(nonce))
        {
            return self.unasked("adopt", now);
        }
        if self.is_fresh("adopt", adopt.serial, adopt.expires_at, now) {
            self.actions.push(Action::Adopt(Box::new(adopt)));
        }
    }

    fn cancel(&mut self, cancel: Cancel, now: &Now) {
        if !self.is_fresh("cancel", cancel.serial, cancel.expires_at, now) {
            return;
        }
        let work = WorkingOn {
            job: cancel.job,
            epoch: cancel.epoch,
        };
        if !self.work.cancel(work, cancel.reason) {
            tracing::info!(job = %cancel.job, "a cancel came for a job that does not run here");
        }
    }

    /// Whether an unsolicited message may act: in time, and for the first time.
    fn is_fresh(&mut self, what: &str, serial: u64, expires_at: UnixMillis, now: &Now) -> bool {
        if expires_at <= now.coordinator {
            self.refuse(Refusal::new("expired", format!("{what} {serial} is over")), now);
            return false;
        }
        if self.serials.knows(&serial) {
            // The broker repeats what was not settled before a connection broke; who repeats on purpose gains nothing.
            self.refuse(
                Refusal::new("replayed", format!("{what} {serial} was heard before")),
                now,
            );
            return false;
        }
        self.serials.remember(serial);
        true
    }

    fn unasked(&mut self, what: &str, now: &Now) {
        self.refuse(
            Refusal::new("unasked", format!("a {what} answers nothing that was asked")),
            now,
        );
    }

    fn pause_between_beats(&self) -> Duration {
        let times = &self.times;
        Duration::from_millis(if self.work.is_empty() {
            times.idle_beat_ms
        } else {
            times.beat_ms
        })
    }
}

const fn instance_of(message: &ToAgent) -> Option<InstanceId> {
    match message {
        ToAgent::Offer(_) | ToAgent::Acknowledge(_) => None,
        ToAgent::Grant(m) => Some(m.instance),
        ToAgent::Denial(m) => Some(m.instance),
        ToAgent::Welcome(m) => Some(m.instance),
        ToAgent::Unwelcome(m) => Some(m.instance),
        ToAgent::HeartbeatReply(m) => Some(m.instance),
        ToAgent::Adopt(m) => Some(m.instance),
        ToAgent::Cancel(m) => Some(m.instance),
    }
}
