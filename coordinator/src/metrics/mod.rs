//! What the coordinator measures, for Prometheus: one text with every look.
//!
//! Two sources, so that neither restarts nor a second coordinator lie. What the database knows is read when it is asked
//! for, counters over all time included: every coordinator tells the same, and the greatest of them counts. What only
//! this process knows (answers, readers, connections) is counted in it: their sum counts. `deploy/docs/observability.md`
//! says which is which. Nothing here decides anything.

mod facts;
mod labels;
mod process;
mod reading;
mod serve;
mod times;

pub use process::{BrokerSession, Process, Reader};
pub use serve::serve;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;

use crate::app::App;
use reading::Reading;

/// Media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What every name begins with.
const PREFIX: &str = "pointsman";

/// Everything that is measured.
#[derive(Debug)]
pub struct Metrics {
    /// What this process counts itself.
    pub process: Process,
    registry: Registry,
    reading: Mutex<Reading>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        Self {
            process: Process::register(&mut registry),
            registry,
            reading: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Every metric as text. Without a database what it knows is left out, and `pointsman_database_up` is 0.
    pub async fn text(&self, app: &App) -> Result<String, std::fmt::Error> {
        let facts = self.reading.lock().await.facts(app).await;
        self.process.look_at(&app.store, facts.is_some());
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        if let Some(facts) = facts {
            encode_registry(&mut text, &facts::registry(&facts))?;
        }
        encode_eof(&mut text)?;
        Ok(text)
    }
}
