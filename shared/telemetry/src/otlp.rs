//! Spans on their way to a collector: OTLP over HTTP, in batches, from a thread of its own. A collector that is away
//! costs spans and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracer, SdkTracerProvider, ShouldSample,
};
use pointsman_shared::wire::TraceParent;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::{ExportError, Service, TracesSection};

/// Longest wait for the collector.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to the collector.
#[derive(Debug)]
pub(crate) struct Export {
    provider: SdkTracerProvider,
    service: &'static str,
}

impl Export {
    /// Begins to export, where it is configured.
    pub(crate) fn begin(service: &Service<'_>, traces: &TracesSection) -> Result<Option<Self>, ExportError> {
        let Some(url) = &traces.otlp_url else {
            return Ok(None);
        };
        let client = Sender::new().map_err(|error| ExportError(Box::new(error)))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url.as_str())
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| ExportError(Box::new(error)))?;
        let resource = Resource::builder_empty()
            .with_service_name(service.name)
            .with_attributes([
                KeyValue::new("service.version", service.version),
                KeyValue::new("service.instance.id", service.instance.to_owned()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(AskedFor(Sampler::TraceIdRatioBased(traces.sample)))
            .with_resource(resource)
            .build();
        Ok(Some(Self {
            provider,
            service: service.name,
        }))
    }

    /// What turns spans of the log into those of the collector.
    pub(crate) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer(self.service))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// See [`crate::join`].
pub(crate) fn join(span: &Span, parent: Option<&TraceParent>) -> Option<TraceParent> {
    if let Some(parent) = parent.and_then(remote) {
        let parent = Context::new().with_remote_span_context(parent);
        // It fails where no layer of ours is, and then nothing is exported.
        span.set_parent(parent).ok();
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    let flags = own.trace_flags().to_u8();
    let text = format!("00-{}-{}-{flags:02x}", own.trace_id(), own.span_id());
    // Ids of zeros are no trace: nothing is exported.
    text.parse().ok()
}

fn remote(parent: &TraceParent) -> Option<SpanContext> {
    let trace = TraceId::from_hex(parent.trace_id()).ok()?;
    let span = SpanId::from_hex(parent.span_id()).ok()?;
    let flags = TraceFlags::default().with_sampled(parent.is_sampled());
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

/// Sends what somebody asked for: changes over HTTP, and what belongs to a trace that is sent. Everything else goes on
/// all day long, such as beats and people looking.
#[derive(Debug, Clone)]
struct AskedFor(Sampler);

impl ShouldSample for AskedFor {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone());
        let decision = match parent.filter(SpanContext::is_valid) {
            Some(parent) if parent.is_sampled() => SamplingDecision::RecordAndSample,
            None if name == "request" && is_change(attributes) => {
                return self.0.should_sample(None, trace, name, kind, attributes, links);
            }
            Some(_) | None => SamplingDecision::Drop,
        };
        SamplingResult {
            decision,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

fn is_change(attributes: &[KeyValue]) -> bool {
    let method = attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == "http.method");
    method.is_some_and(|method| !matches!(method.value.as_str().as_ref(), "GET" | "HEAD" | "OPTIONS"))
}

/// Sends batches through the runtime of the service; the thread that makes them has none. It says when the collector
/// goes away and when it is back; the exporter's own words are left out at compile time.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    away: Arc<AtomicBool>,
}

impl Sender {
    fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: reqwest::Client::builder().timeout(PATIENCE).build()?,
            runtime: Handle::current(),
            away: Arc::default(),
        })
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let response = client.execute(request.try_into()?).await?.error_for_status()?;
    let status = response.status();
    Ok(Response::builder().status(status).body(response.bytes().await?)?)
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, away) = (self.client.clone(), Arc::clone(&self.away));
        let sending = self.runtime.spawn(async move {
            let sent = send(&client, request).await;
            match &sent {
                Ok(_) if away.swap(false, Ordering::Relaxed) => tracing::info!("traces are sent again"),
                Err(error) if !away.swap(true, Ordering::Relaxed) => {
                    tracing::warn!(%error, "traces are not sent: see traces.otlp_url");
                }
                Ok(_) | Err(_) => {}
            }
            sent
        });
        sending.await?
    }
}
