//! How an agent ends, and how the next one begins.

use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::FromAgent;
use pointsman_shared::wire::from_agent::{Fault, Report, ReportContent};
use rustix::process::Signal;

use crate::agent::Host;
use crate::jobs::{build_of, build_until};
use crate::neighbour::About;

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_agent_finishes_its_work_and_takes_no_more() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    let job = neighbour.offer("build", build_until(&host, "go")).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    host.signal(Signal::TERM);
    let late = neighbour.offer("build", build_of(&host, &["true"])).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(host.is_alive(), "it works");
    fs_err::write(host.path("go"), "").unwrap();
    assert!(host.ended().await.success());
    let outcome = neighbour.result(job).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    assert!(neighbour.memory().claims(late).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_beyond_the_grace_is_given_back_without_a_result() {
    let mut host = Host::joined_with("drain_grace_s = 1").await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    let job = neighbour.offer("build", build_until(&host, "never")).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    host.signal(Signal::TERM);
    assert!(host.ended().await.success());
    assert!(neighbour.memory().results(job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_and_the_successor_names_whom_it_follows() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    let first = neighbour.hello(0).await;
    assert_eq!(first.previous, None);
    let job = neighbour.offer("build", build_until(&host, "never")).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    host.signal(Signal::TERM);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(1));

    host.start().await;
    let second = neighbour.hello(1).await;
    assert_eq!(second.previous, Some(first.instance));
    assert!(
        second.processes.is_empty(),
        "what its predecessor started is gone: {:?}",
        second.processes
    );
    host.kill().await;
    host.start().await;
    assert_eq!(neighbour.hello(2).await.previous, Some(second.instance));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_was_sent_and_not_acknowledged_outlives_the_agent() {
    let mut host = Host::joined().await;
    host.start_with(&[("POINTSMAN_CRASH", "C16")]).await;
    let neighbour = host.neighbour.clone();
    neighbour.be_silent(About::Reports);
    let job = neighbour.offer("build", build_of(&host, &["true"])).await;
    host.ended().await;
    neighbour.speak();
    neighbour.memory().heard.clear();
    host.start().await;
    let outcome = neighbour.result(job).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    let heard = neighbour.memory().heard.clone();
    let first = |wanted: fn(&FromAgent) -> bool| heard.iter().position(wanted);
    let result = first(
        |message| matches!(message, FromAgent::Report(report) if matches!(report.content, ReportContent::Result(_))),
    );
    let hello = first(|message| matches!(message, FromAgent::Hello(_)));
    assert!(result < hello, "with the hello the old epoch is over: {heard:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_was_not_acked_comes_again_to_the_next_agent() {
    for point in ["C4", "C6"] {
        let mut host = Host::joined().await;
        host.start_with(&[("POINTSMAN_CRASH", point)]).await;
        let neighbour = host.neighbour.clone();
        let job = neighbour.offer("build", build_of(&host, &["true"])).await;
        assert_eq!(host.ended().await.code(), None, "{point}: a signal ends it");
        assert!(neighbour.memory().results(job).is_empty(), "{point}");
        host.start().await;
        let outcome = neighbour.result(job).await;
        assert!(
            matches!(outcome, Outcome::Succeeded { .. }),
            "{point}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_manager_is_told_when_it_runs_and_when_it_drains() {
    let mut host = Host::joined().await;
    let place = host.path("manager");
    let manager = std::os::unix::net::UnixDatagram::bind(&place).unwrap();
    manager
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let told = || {
        let mut words = [0; 200];
        let length = manager.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    host.start_with(&[("NOTIFY_SOCKET", place.to_str().unwrap())])
        .await;
    assert_eq!(told(), "READY=1\nSTATUS=running\n");
    host.signal(Signal::TERM);
    let end = told();
    assert!(end.starts_with("STOPPING=1\nSTATUS=draining"), "{end}");
    assert!(host.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_asked_to_end_says_goodbye() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = host.neighbour.clone();
    // It says goodbye to whom has heard it: work that was granted is a sign that its hello was answered.
    let job = neighbour.offer("build", build_of(&host, &["true"])).await;
    neighbour.result(job).await;
    host.signal(Signal::TERM);
    assert!(host.ended().await.success());
    let is_goodbye = |report: &Report| match &report.content {
        ReportContent::Fault(fault) => fault.code == Fault::STOPPING,
        _ => false,
    };
    // The broker has it when the agent ends; the neighbour reads it a moment later.
    neighbour
        .until("the goodbye", |memory| {
            memory.reports().iter().any(is_goodbye).then_some(())
        })
        .await;
}
