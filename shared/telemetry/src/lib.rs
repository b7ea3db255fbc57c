//! How both services write their log, and how the spans in it become those of one trace.
//!
//! A trace is followed by its id, which stands in every line of a request, its jobs and their steps, on both sides. A
//! collector is only needed to draw it: with the feature `otlp` and `traces.otlp_url` the spans that somebody asked for
//! are sent there as well. This crate refuses to decide what is logged: that is for whoever logs.

mod config;
#[cfg_attr(not(feature = "otlp"), path = "log_only.rs")]
mod otlp;

use std::io::IsTerminal as _;

use pointsman_shared::wire::TraceParent;
use tracing::Span;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

pub use config::TracesSection;

/// How to write the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for programs.
    Json,
}

/// Who logs.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// Its name, such as `pointsman-agent`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Which of several it is, such as a host's id.
    pub instance: &'a str,
    /// What is logged while `RUST_LOG` says nothing else.
    pub usual: &'static str,
}

/// The export of traces could not be begun.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to traces.otlp_url")]
pub struct ExportError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// What has to be ended with the service.
#[derive(Debug, Default)]
pub struct Telemetry {
    export: Option<otlp::Export>,
}

impl Telemetry {
    /// Begins to log on standard error and, where it is configured, to export. Call it once, inside the runtime.
    pub fn start(
        service: &Service<'_>,
        format: LogFormat,
        traces: &TracesSection,
    ) -> Result<Self, ExportError> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(service.usual));
        // One filter for all, not one for each layer: those keep a state by thread that libraries upset which only ask
        // whether something would be logged, as sqlx does for every query.
        let subscriber = tracing_subscriber::registry().with(filter);
        let log = tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        let log = match format {
            LogFormat::Text => log.boxed(),
            LogFormat::Json => log.json().boxed(),
        };
        let export = otlp::Export::begin(service, traces)?;
        let layer = export.as_ref().map(otlp::Export::layer);
        subscriber.with(log).with(layer).init();
        Ok(Self { export })
    }

    /// Sends what was not sent yet; waits a few seconds at most. It blocks: call it where that is allowed, while the
    /// runtime still lives.
    pub fn end(self) {
        if let Some(export) = self.export {
            export.end();
        }
    }
}

/// Makes a fresh span part of the trace of `parent`, and answers with what those that it causes belong to; none while
/// nothing is exported, and then whatever came is passed on as it is.
pub fn join(span: &Span, parent: Option<&TraceParent>) -> Option<TraceParent> {
    otlp::join(span, parent)
}
