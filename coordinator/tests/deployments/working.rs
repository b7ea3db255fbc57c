//! What hosts do with what they are offered.

use pointsman_shared::api::deployments::Deployment;
use pointsman_shared::api::jobs::JobState;
use pointsman_store::jobs::{self, JobRow};
use pointsman_store::views;

use super::world::World;

impl World {
    /// What is offered to a host right now.
    pub async fn offered(&self, host: &str) -> Vec<JobRow> {
        let mut conn = self.app.store.read().await.unwrap();
        let wanted = views::jobs::Wanted {
            state: Some(JobState::Offered),
            ..Default::default()
        };
        let mut offered = Vec::new();
        for job in views::jobs::page(&mut conn, wanted, 100).await.unwrap() {
            let job = jobs::get(&mut conn, job.id).await.unwrap().unwrap();
            let mine = job.host().map_or(host == "builder", |id| id.as_str() == host);
            offered.extend(mine.then_some(job));
        }
        offered
    }

    /// The one job that is offered to a host.
    pub async fn offer(&self, host: &str) -> JobRow {
        let mut offered = self.offered(host).await;
        assert_eq!(offered.len(), 1, "one offer to {host}: {offered:?}");
        offered.remove(0)
    }

    /// A host claims its one offer and does not report yet.
    pub async fn begin(&self, host: &str) -> JobRow {
        let job = self.offer(host).await;
        assert!(
            self.agents[host].claim(&self.app, &job).await,
            "{host} is granted its job"
        );
        job
    }

    /// A host ends what it began.
    pub async fn finish(&mut self, host: &str, job: &JobRow) {
        let mishap = self.mishaps.remove(host);
        self.agents
            .get_mut(host)
            .unwrap()
            .work(&self.app, job, mishap)
            .await;
        self.reconcile().await;
    }

    /// A host does everything that is offered to it.
    pub async fn run_host(&mut self, host: &str) {
        if self.away.contains(host) {
            return;
        }
        for job in self.offered(host).await {
            if self.agents[host].claim(&self.app, &job).await {
                let mishap = self.mishaps.remove(host);
                self.agents
                    .get_mut(host)
                    .unwrap()
                    .work(&self.app, &job, mishap)
                    .await;
            }
        }
    }

    /// Every host does what it is offered, until nobody is offered anything.
    pub async fn run(&mut self) {
        for _ in 0..30 {
            self.sweep().await;
            self.reconcile().await;
            let hosts: Vec<_> = self.agents.keys().cloned().collect();
            let mut idle = true;
            for host in hosts {
                idle &= self.offered(&host).await.is_empty();
                self.run_host(&host).await;
            }
            if idle {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Deploys a release and expects it live.
    pub async fn live(&mut self, release: &str) -> Deployment {
        let number = self.deploy(release).await.unwrap().number;
        self.run().await;
        let deployment = self.deployment(number).await;
        assert_eq!(deployment.summary, "live", "{deployment:?}");
        deployment
    }

    /// Deploys a release and expects it live on every host that is there.
    pub async fn live_with_deferred(&mut self, release: &str) {
        let number = self.deploy(release).await.unwrap().number;
        self.run().await;
        assert!(self.deployment(number).await.summary.contains("deferred"));
    }
}
