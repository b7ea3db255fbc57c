//! An ordered collection of what builds left behind. The order says only when; what goes, this host's configuration says,
//! and what a running build uses stays.

use std::sync::Arc;
use std::time::SystemTime;

use pointsman_shared::outcome::{Effect, GoneFolder, Phase, Product};
use pointsman_shared::wire::job::Order;
use pointsman_shared::wire::logs::LogSource;

use super::upkeep::Reach;
use super::workshop::Workshop;
use crate::executor::Work;
use crate::plan::WorkshopStep;
use crate::step::{Desk, Failure, Job, StepError};

/// Folders that a result names; it must fit a message.
const NAMED: usize = 100;

/// One collection.
#[derive(Debug)]
pub struct WorkshopWork<'a, D> {
    job: &'a Job<D>,
    workshop: Arc<Workshop>,
    gone: Vec<GoneFolder>,
}

impl<'a, D: Desk> WorkshopWork<'a, D> {
    /// Looks at the order only.
    pub fn new(job: &'a Job<D>) -> Result<Self, Failure> {
        let Order::CollectWorkshop(_) = &job.body.order else {
            let words = "the order is not to collect what builds left behind";
            return Err(Failure::new(Phase::Refused, "wrong_kind", words));
        };
        let Some(workshop) = job.host.workshop.clone() else {
            let message = "this host has no folder for builds";
            return Err(Failure::new(Phase::Refused, "no_builder", message));
        };
        Ok(Self {
            job,
            workshop,
            gone: Vec::new(),
        })
    }

    async fn collect(&mut self) -> Result<(), StepError> {
        let workshop = Arc::clone(&self.workshop);
        let now = SystemTime::from(self.job.host.clock.now());
        let done = tokio::task::spawn_blocking(move || workshop.collect(Reach::Whole, now)).await;
        let done = done.map_err(|error| Failure::of(Phase::Collect, "internal", &error))?;
        self.gone = done.map_err(|error| Failure::io(Phase::Collect, &error))?;
        for gone in &self.gone {
            self.job
                .desk
                .say("collect", LogSource::Agent, super::upkeep::line(gone));
        }
        if self.gone.is_empty() {
            let words = "every mirror and cache was used lately".to_owned();
            self.job.desk.say("collect", LogSource::Agent, words);
        }
        Ok(())
    }
}

impl<D: Desk> Work for WorkshopWork<'_, D> {
    type Step = WorkshopStep;

    async fn perform(&mut self, step: &WorkshopStep) -> Result<(), StepError> {
        match step {
            WorkshopStep::Collect => self.collect().await,
        }
    }

    fn effect(&self) -> Effect {
        if self.gone.is_empty() {
            Effect::None
        } else {
            Effect::Done
        }
    }

    fn is_done(&self) -> bool {
        false
    }

    async fn close(&mut self, _ok: bool) -> Result<(), StepError> {
        Ok(())
    }

    fn product(&self) -> Product {
        Product::WorkshopCollected {
            gone: self.gone.iter().take(NAMED).cloned().collect(),
            more: self.gone.len().saturating_sub(NAMED) as u64,
            bytes: self.gone.iter().map(|gone| gone.bytes).sum(),
        }
    }
}
