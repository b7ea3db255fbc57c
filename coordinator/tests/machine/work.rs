//! What an agent does with jobs: takes offers, claims, beats, reports.

use pointsman_shared::clock::{Clock as _, SystemClock};
use pointsman_shared::ids::{Epoch, JobId};
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::from_agent::{
    Claim, DeclineReason, Declined, Heartbeat, JobResult, Report, ReportContent, WorkingOn,
};
use pointsman_shared::wire::to_agent::{Acknowledge, Denial, Grant, HeartbeatReply, Offer};
use pointsman_shared::wire::{self, FromAgent, ToAgent};

use crate::agent::TestAgent;
use crate::queue::{Offers, consume};

/// The answer to a claim.
pub type Answer = Result<Grant, Denial>;

impl TestAgent {
    /// Opens a queue of offers, of this host or of a pool.
    pub async fn offers(&self, queue: &str) -> Offers {
        Offers {
            consumer: consume(&self.connection, queue, 1).await,
            trace: None,
            keys: self.keys.clone(),
        }
    }

    pub fn claim_message(&self, offer: &Offer) -> Claim {
        Claim {
            v: wire::VERSION,
            host: self.host.clone(),
            instance: self.instance,
            job: offer.job,
            epoch: offer.epoch,
            digest: offer.digest,
            nonce: Self::nonce(),
            at: SystemClock.now().timestamp_millis(),
        }
    }

    /// Claims and returns the answer.
    pub async fn claim(&mut self, claim: &Claim) -> Answer {
        self.say(&FromAgent::Claim(claim.clone())).await;
        self.answer_to(claim).await
    }

    /// The answer to a claim that was sent.
    pub async fn answer_to(&mut self, claim: &Claim) -> Answer {
        let nonce = claim.nonce.clone();
        self.hear("an answer to a claim", |message| match message {
            ToAgent::Grant(grant) if grant.nonce == nonce => Some(Ok(grant)),
            ToAgent::Denial(denial) if denial.nonce == nonce => Some(Err(denial)),
            _ => None,
        })
        .await
    }

    /// Takes the next offer of a queue and is granted it.
    pub async fn take(&mut self, offers: &mut Offers) -> (Offer, Grant) {
        let offer = offers.next().await;
        let claim = self.claim_message(&offer);
        let grant = self
            .claim(&claim)
            .await
            .unwrap_or_else(|denial| panic!("denied: {denial:?}"));
        assert_eq!((grant.epoch, grant.digest), (offer.epoch.next(), offer.digest));
        (offer, grant)
    }

    pub async fn decline(&mut self, offer: &Offer, reason: DeclineReason) {
        self.say(&FromAgent::Declined(Declined {
            v: wire::VERSION,
            host: self.host.clone(),
            instance: self.instance,
            job: offer.job,
            epoch: offer.epoch,
            reason,
        }))
        .await;
    }

    /// Beats and returns the reply.
    pub async fn beat(&mut self, working: &[(JobId, Epoch)]) -> HeartbeatReply {
        self.beat += 1;
        let (beat, instance) = (self.beat, self.instance);
        self.say(&FromAgent::Heartbeat(Heartbeat {
            v: wire::VERSION,
            host: self.host.clone(),
            instance,
            beat,
            working: working
                .iter()
                .map(|(job, epoch)| WorkingOn {
                    job: *job,
                    epoch: *epoch,
                })
                .collect(),
            state_digest: self.digest,
            free_bytes: 1 << 30,
            at: SystemClock.now().timestamp_millis(),
        }))
        .await;
        self.hear("a heartbeat's reply", |message| match message {
            ToAgent::HeartbeatReply(reply) if reply.beat == beat && reply.instance == instance => Some(reply),
            _ => None,
        })
        .await
    }

    /// The next report of the spool, made but not sent.
    pub fn report(&mut self, content: ReportContent) -> Report {
        self.seq += 1;
        Report {
            v: wire::VERSION,
            host: self.host.clone(),
            instance: self.instance,
            spool: self.spool,
            seq: self.seq,
            at: SystemClock.now().timestamp_millis(),
            content,
        }
    }

    /// Sends a report and returns up to where the spool is stored.
    pub async fn send(&mut self, report: &Report) -> u64 {
        self.say(&FromAgent::Report(report.clone())).await;
        let spool = self.spool;
        self.hear("an acknowledgement", |message| match message {
            ToAgent::Acknowledge(Acknowledge { spool: of, upto, .. }) if of == spool => Some(upto),
            _ => None,
        })
        .await
    }

    /// Reports the end of a job.
    pub async fn end(&mut self, grant: &Grant, outcome: Outcome) {
        let report = self.report(ReportContent::Result(JobResult {
            job: grant.job,
            epoch: grant.epoch,
            outcome,
            log: None,
        }));
        assert_eq!(self.send(&report).await, self.seq);
    }
}
