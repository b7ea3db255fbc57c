//! The trace of an offer goes on in everything its job says and writes.

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Consumer};
use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::topology::{JOBS, REPORTS};
use pointsman_shared::wire::{TRACE_HEADER, ToAgent, TraceParent};
use serde_json::Value;

use crate::agent::Host;
use crate::jobs::build_of;
use crate::neighbour::{Neighbour, make_offer};

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Everything that goes to the reports from now on, a second time.
async fn eavesdrop(neighbour: &Neighbour) -> Consumer {
    let channel = &neighbour.broker.channel;
    let name = ShortString::from("eavesdropper");
    let nothing = FieldTable::default;
    channel
        .queue_declare(name.clone(), QueueDeclareOptions::default(), nothing())
        .await
        .unwrap();
    let (exchange, all) = (REPORTS.name.into(), "#".into());
    channel
        .queue_bind(
            name.clone(),
            exchange,
            all,
            QueueBindOptions::default(),
            nothing(),
        )
        .await
        .unwrap();
    channel
        .basic_consume(name.clone(), name, BasicConsumeOptions::default(), nothing())
        .await
        .unwrap()
}

/// The key and the trace of the next message.
async fn overheard(consumer: &mut Consumer) -> (String, Option<TraceParent>) {
    let next = tokio::time::timeout(std::time::Duration::from_secs(40), consumer.next()).await;
    let delivery = next.expect("nothing came").unwrap().unwrap();
    delivery.acker.ack(BasicAckOptions::default()).await.unwrap();
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    let trace = headers.inner().get(TRACE_HEADER).and_then(|value| {
        let AMQPValue::LongString(text) = value else {
            return None;
        };
        TraceParent::read(text.as_bytes())
    });
    (delivery.routing_key.to_string(), trace)
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_steps_and_result_belong_to_the_offers_trace() {
    let mut host = Host::joined().await;
    host.start_with(&[("POINTSMAN_AGENT_LOG_FORMAT", "json")]).await;
    let neighbour = host.neighbour.clone();
    let mut said = eavesdrop(&neighbour).await;
    let offer = make_offer("build", build_of(&host, &["true"]));
    let mut headers = FieldTable::default();
    headers.insert(TRACE_HEADER.into(), AMQPValue::LongString(GIVEN.into()));
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_headers(headers);
    let bytes = neighbour
        .key
        .sign_to_agent(&ToAgent::Offer(offer.clone()))
        .to_bytes();
    let (exchange, pool) = (JOBS.name.into(), "pool.default.jobs".into());
    let publishing = neighbour.broker.channel.basic_publish(
        exchange,
        pool,
        BasicPublishOptions::default(),
        &bytes,
        properties,
    );
    assert!(publishing.await.unwrap().await.unwrap().is_ack());

    let given = GIVEN.parse::<TraceParent>().unwrap();
    let mut traced = Vec::new();
    while traced.last().is_none_or(|key| key != "web-1.result") {
        let (key, trace) = overheard(&mut said).await;
        match trace {
            Some(trace) => assert_eq!(trace.trace_id(), given.trace_id(), "{key}"),
            None => assert!(key.ends_with(".heartbeat"), "{key} belongs to no trace"),
        }
        if !key.ends_with(".heartbeat") {
            traced.push(key);
        }
    }
    assert_eq!(traced.first().map(String::as_str), Some("web-1.claim"));
    assert!(traced.iter().any(|key| key == "web-1.progress"), "{traced:?}");
    let outcome = neighbour.result(offer.job).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    let log = fs_err::read_to_string(host.path("agent.log")).unwrap();
    let of_trace = log.lines().filter(|line| line.contains(given.trace_id()));
    let lines: Vec<Value> = of_trace.map(|line| serde_json::from_str(line).unwrap()).collect();
    for message in ["an offer is claimed", "work begins", "a step ended", "work ended"] {
        let found = lines.iter().any(|line| line["fields"]["message"] == message);
        assert!(found, "{message:?} is not among {lines:#?}");
    }
}
