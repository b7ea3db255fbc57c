//! PostgreSQL and RabbitMQ together in one place: what tests need when they bring their own coordinator.

use std::path::Path;
use std::sync::Arc;

use crate::authority::Tls;
use crate::error::Result;
use crate::keeper::Keeper;
use crate::place::Place;
use crate::programs::{Binaries, System};
use crate::service::{Postgres, RabbitMq};

/// The running services of one place.
#[derive(Debug)]
pub struct Services {
    place: Place,
    keeper: Arc<Keeper>,
    tls: Option<Tls>,
    postgres: Postgres,
    rabbitmq: RabbitMq,
}

impl Services {
    /// Starts both at once, in `dir` or in a temporary folder that goes away with them.
    pub async fn start(dir: Option<&Path>) -> Result<Self> {
        let place = match dir {
            Some(dir) => Place::at(dir)?,
            None => Place::temporary()?,
        };
        let keeper = Keeper::start(&place, &Binaries::find(&place)?)?;
        Self::start_in(place, keeper, None).await
    }

    /// Starts both in a place that has its keeper already; with TLS alone when it is given.
    pub async fn start_in(place: Place, keeper: Arc<Keeper>, tls: Option<Tls>) -> Result<Self> {
        let system = System::find()?;
        let (postgres, rabbitmq) = tokio::try_join!(
            Postgres::start(&keeper, &place, &system, tls.as_ref()),
            RabbitMq::start(&keeper, &place, &system, tls.as_ref()),
        )?;
        Ok(Self {
            place,
            keeper,
            tls,
            postgres,
            rabbitmq,
        })
    }

    /// The database server.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The broker.
    pub fn rabbitmq(&self) -> &RabbitMq {
        &self.rabbitmq
    }

    /// What they show and whom to trust, when they speak TLS.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The folder.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The keeper.
    pub fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// What tests find in their environment.
    pub fn env(&self) -> Vec<(String, String)> {
        let database = self.postgres.url("pointsman");
        [
            ("DATABASE_URL", database.clone()),
            ("POINTSMAN_TEST_DATABASE_URL", database),
            ("POINTSMAN_TEST_AMQP_URL", self.rabbitmq.admin_amqp_url()),
            ("POINTSMAN_TEST_AMQP_ADMIN", self.rabbitmq.admin_url()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Ends both and waits until everything is gone.
    pub fn end(&self) -> Result<()> {
        self.keeper.end()
    }
}
