//! What people say about single hosts and the next wave.

use super::World;
use crate::deployment::{Intervention, PauseWish};

impl World {
    pub fn pause(&mut self) {
        if self.is_under_way() && self.facts.judge_pause().is_ok() {
            self.facts.pause_wish = Some(PauseWish {
                by: "ann".to_owned(),
                at: self.now,
                reason: None,
            });
        }
    }

    /// Whether it was accepted.
    pub fn retry(&mut self, host: usize) -> bool {
        let name = self.facts.hosts[host].host.clone();
        self.intervene(|world| world.facts.judge_retry(&[name]).ok())
    }

    /// Whether it was accepted.
    pub fn skip(&mut self, host: usize) -> bool {
        let name = self.facts.hosts[host].host.clone();
        self.intervene(|world| Some(vec![world.facts.judge_skip(&name).ok()?]))
    }

    fn intervene(&mut self, judged: impl FnOnce(&Self) -> Option<Vec<Intervention>>) -> bool {
        if !self.is_under_way() {
            return false;
        }
        let Some(interventions) = judged(self) else {
            return false;
        };
        for intervention in interventions {
            match intervention {
                Intervention::Retry { placement, job } => {
                    let host = self.index(placement);
                    self.facts.hosts[host].retried = job;
                }
                Intervention::Skip { placement, job } => {
                    let host = self.index(placement);
                    self.facts.hosts[host].skipped = Some("ann left it out".to_owned());
                    if let Some(job) = job {
                        self.cancel_job(job, "ann left it out".to_owned());
                    }
                }
            }
        }
        if self.facts.is_failure_settled() {
            self.facts.paused = None;
        }
        true
    }

    fn is_under_way(&self) -> bool {
        self.facts.started_at.is_some() && self.facts.ended.is_none()
    }
}
