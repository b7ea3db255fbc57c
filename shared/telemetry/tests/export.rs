//! Spans arrive at a collector: those of what was asked for, and no others. With the feature `otlp` alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use pointsman_shared::wire::TraceParent;
use pointsman_telemetry::{LogFormat, Service, Telemetry, TracesSection, join};

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Got = Arc<Mutex<Vec<u8>>>;

async fn take(State(got): State<Got>, body: Bytes) {
    got.lock().unwrap().extend_from_slice(&body);
}

async fn collector(got: Got) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take)).with_state(got);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn holds(got: &Got, bytes: &[u8]) -> bool {
    got.lock()
        .unwrap()
        .windows(bytes.len())
        .any(|found| found == bytes)
}

/// One test, because a process has one subscriber.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_sent_and_continues_its_trace() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let got = Got::default();
    let traces = TracesSection {
        otlp_url: collector(Arc::clone(&got)).await.parse().ok(),
        ..TracesSection::default()
    };
    let service = Service {
        name: "pointsman-test",
        version: "1",
        instance: "here",
        usual: "info",
    };
    let telemetry = Telemetry::start(&service, LogFormat::Json, &traces).unwrap();
    let given: TraceParent = GIVEN.parse().unwrap();

    // As libraries ask for every statement they run; it must not change what is sent and logged after it.
    assert!(!tracing::enabled!(tracing::Level::TRACE));
    let job = tracing::info_span!(target: "pointsman_test", "job", kind = "build");
    let inner = join(&job, Some(&given)).unwrap();
    assert_eq!(inner.trace_id(), given.trace_id());
    assert_ne!(
        inner.span_id(),
        given.span_id(),
        "what follows belongs to the new span"
    );
    job.in_scope(|| drop(tracing::info_span!(target: "pointsman_test", "a step inside").entered()));
    drop(job);
    let change =
        tracing::info_span!(target: "pointsman_test", "request", http.method = "POST", what = "a change");
    let fresh = join(&change, None).unwrap();
    assert!(fresh.is_sampled() && fresh.trace_id() != given.trace_id());
    drop(change);
    let look = tracing::info_span!(target: "pointsman_test", "request", http.method = "GET", what = "a look");
    assert!(!join(&look, None).unwrap().is_sampled());
    drop(look);
    let library = tracing::info_span!(target: "somebody_else", "not our own");
    library.in_scope(|| tracing::info!(target: "pointsman_test", "every line is logged all the same"));
    drop(library);
    tokio::task::spawn_blocking(|| telemetry.end()).await.unwrap();

    let trace = u128::from_str_radix(given.trace_id(), 16).unwrap();
    assert!(holds(&got, &trace.to_be_bytes()));
    for sent in ["pointsman-test", "job", "a step inside", "a change"] {
        assert!(holds(&got, sent.as_bytes()), "{sent} was not sent");
    }
    for kept in ["a look", "not our own"] {
        assert!(!holds(&got, kept.as_bytes()), "{kept} was sent");
    }
}
