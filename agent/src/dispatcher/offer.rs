//! Offers and claims: take, decline or drop; repeat until answered.

use pointsman_shared::ids::JobId;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Claim as ClaimMessage, DeclineReason, Declined};
use pointsman_shared::wire::job::Audience;
use pointsman_shared::wire::to_agent::Offer;
use pointsman_shared::wire::{FromAgent, TraceParent, VERSION};

use super::claim::{Claim, Claims};
use super::{DeliveryId, Dispatcher, JobQueue, Now, Screened, Settle};
use crate::letter::Refusal;

impl Dispatcher {
    pub(super) fn offer(&mut self, delivery: DeliveryId, queue: &JobQueue, screened: Screened, now: &Now) {
        if let Err(refusal) = self.check_audience(queue, &screened) {
            self.settle(delivery, Settle::Reject);
            return self.refuse(refusal, now);
        }
        let Some(left) = Claims::time_left(&screened, now) else {
            tracing::info!(job = %screened.body.job, "an expired offer is dropped");
            return self.settle(delivery, Settle::Ack);
        };
        if self.is_old_news(&screened) {
            return self.settle(delivery, Settle::Ack);
        }
        let (job, epoch) = (screened.body.job, screened.offer.get().epoch);
        if let Some(claim) = self.claims.of(job).filter(|claim| claim.epoch() == epoch) {
            // The same offer again, over a new connection or from a second relay: one claim is enough.
            if let Some(earlier) = claim.delivery.replace(delivery) {
                self.settle(earlier, Settle::Ack);
            }
            return;
        }
        if let Some(reason) = self.objection(&screened) {
            if reason == DeclineReason::Busy {
                self.work.owe(job, screened.body.order.kind());
            }
            return self.decline(delivery, screened.offer.get(), screened.trace.clone(), reason);
        }
        self.give_up_claim(job);
        let trace_id = screened.trace.as_ref().map(TraceParent::trace_id);
        tracing::info!(%job, %epoch, trace_id, "an offer is claimed");
        let nonce = self.chance.nonce();
        self.claims.open(screened, delivery, nonce, left, now);
        self.claim(job, now);
    }

    /// An offer is for whom its signed body says, whatever queue it came over.
    fn check_audience(&self, queue: &JobQueue, screened: &Screened) -> Result<(), Refusal> {
        match (&screened.body.audience, queue) {
            (Audience::Host(host), JobQueue::Host) if *host == self.me.host => Ok(()),
            (Audience::Pool(pool), JobQueue::Pool(found)) if pool == found => Ok(()),
            (Audience::Host(host), _) => Err(Refusal::new(
                "foreign_host",
                format!("job {} is for host {host}", screened.body.job),
            )),
            (Audience::Pool(pool), _) => Err(Refusal::new(
                "wrong_queue",
                format!(
                    "job {} is for pool {pool} and came over another queue",
                    screened.body.job
                ),
            )),
        }
    }

    /// Whether this or a later epoch of the job is known here already.
    fn is_old_news(&mut self, screened: &Screened) -> bool {
        let (job, offered) = (screened.body.job, screened.offer.get().epoch);
        let runs_later = self.work.epoch_of(job).is_some_and(|epoch| epoch > offered);
        let claims_later = self.claims.of(job).is_some_and(|claim| claim.epoch() > offered);
        runs_later || claims_later
    }

    fn objection(&self, screened: &Screened) -> Option<DeclineReason> {
        let kind = screened.body.order.kind();
        let allowed = |kinds: &[JobKind]| kinds.contains(&kind);
        if self.drain.is_some() {
            return Some(DeclineReason::Draining);
        }
        if !allowed(&self.me.kinds) || self.me.slots.of(kind) == 0 {
            return Some(DeclineReason::Policy {
                message: format!(
                    "this agent does not take jobs of kind {kind}; see --kinds and agent.slots on the host"
                ),
            });
        }
        if screened.objection.is_some() {
            return screened.objection.clone();
        }
        // A job whose earlier epoch still winds down here has no slot either.
        let winds_down = self.work.epoch_of(screened.body.job).is_some();
        (winds_down || !self.has_slot(kind)).then_some(DeclineReason::Busy)
    }

    pub(super) fn decline(
        &mut self,
        delivery: DeliveryId,
        offer: &Offer,
        trace: Option<TraceParent>,
        reason: DeclineReason,
    ) {
        let trace_id = trace.as_ref().map(TraceParent::trace_id);
        tracing::info!(job = %offer.job, trace_id, ?reason, "an offer is declined");
        let declined = Declined {
            v: VERSION,
            host: self.me.host.clone(),
            instance: self.me.instance,
            job: offer.job,
            epoch: offer.epoch,
            reason,
        };
        self.say(FromAgent::Declined(declined), trace);
        self.settle(delivery, Settle::Ack);
    }

    fn claim(&mut self, job: JobId, now: &Now) {
        if let Some(claim) = self.claims.of(job) {
            let (message, trace) = message(claim, &self.me, now);
            self.say(message, trace);
        }
    }

    /// Says again what was not answered.
    pub(super) fn repeat_claims(&mut self, now: &Now) {
        if self.greeting.given().is_none() {
            return;
        }
        let me = &self.me;
        let messages: Vec<_> = self
            .claims
            .due(now)
            .into_iter()
            .map(|claim| message(claim, me, now))
            .collect();
        for (message, trace) in messages {
            self.say(message, trace);
        }
    }

    /// Lets an unanswered claim and its offer go.
    pub(super) fn give_up_claim(&mut self, job: JobId) {
        if let Some(claim) = self.claims.give_up(job)
            && let Some(delivery) = claim.delivery
        {
            self.settle(delivery, Settle::Ack);
        }
    }
}

fn message(claim: &Claim, me: &super::Me, now: &Now) -> (FromAgent, Option<TraceParent>) {
    let offer = claim.screened.offer.get();
    let message = FromAgent::Claim(ClaimMessage {
        v: VERSION,
        host: me.host.clone(),
        instance: me.instance,
        job: offer.job,
        epoch: offer.epoch,
        digest: offer.digest,
        nonce: claim.nonce.clone(),
        at: now.wall,
    });
    (message, claim.screened.trace.clone())
}
