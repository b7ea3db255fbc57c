//! A fleet's share of PostgreSQL and RabbitMQ: one database and one vhost.
//!
//! Services that belong to one fleet alone have theirs from the start. Services that several fleets share, one after
//! the other or at once, get a fresh pair for each, which goes away with the fleet.

use std::sync::Arc;

use crate::error::Result;
use crate::random;
use crate::services::Services;

/// The pair that services are born with.
const FIRST: &str = "pointsman";

/// Database and vhost of one fleet, under one name.
#[derive(Debug)]
pub(crate) struct Tenancy {
    services: Arc<Services>,
    name: String,
}

impl Tenancy {
    /// The whole of services that nobody else uses.
    pub(crate) fn whole(services: Services) -> Self {
        Self {
            services: Arc::new(services),
            name: FIRST.to_owned(),
        }
    }

    /// A fresh pair on shared services.
    pub(crate) async fn part(services: Arc<Services>) -> Result<Self> {
        let name = format!("fleet_{}", random::secret());
        let (database, vhost) = tokio::join!(
            services.postgres().create_database(&name),
            services.rabbitmq().create_vhost(&name)
        );
        let part = Self { services, name };
        database.and(vhost)?;
        Ok(part)
    }

    /// The services.
    pub(crate) fn services(&self) -> &Services {
        &self.services
    }

    /// Name of the database.
    pub(crate) fn database(&self) -> &str {
        &self.name
    }

    /// Name of the vhost.
    pub(crate) fn vhost(&self) -> &str {
        &self.name
    }

    /// The database, for the coordinator.
    pub(crate) fn database_url(&self) -> String {
        self.services.postgres().url(&self.name)
    }

    /// The broker, for the coordinator.
    pub(crate) fn broker_url(&self) -> String {
        self.services.rabbitmq().coordinator_url(&self.name)
    }
}

impl Drop for Tenancy {
    /// Queues cost their broker something as long as they stand. The database is a few idle megabytes and stays.
    fn drop(&mut self) {
        if self.name == FIRST {
            return;
        }
        let (services, name) = (Arc::clone(&self.services), self.name.clone());
        // In a runtime of its own, because this one may be ending; not waited for, because nobody comes after it under
        // this name.
        std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                runtime.block_on(services.rabbitmq().delete_vhost(&name)).ok();
            }
        });
    }
}
