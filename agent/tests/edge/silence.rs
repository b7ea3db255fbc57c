//! What an agent does when nobody answers, or when the line is cut.

use pointsman_shared::outcome::Outcome;
use pointsman_shared::wire::FromAgent;
use pointsman_shared::wire::to_agent::{Cancel, ToAgent};

use crate::agent::Host;
use crate::jobs::{build_of, build_until};
use crate::neighbour::{About, grant, now};

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_claim_is_repeated_and_a_late_grant_is_not_begun() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    neighbour.be_silent(About::Claims);
    let job = neighbour.offer("build", build_of(&host, &["true"])).await;
    let claims = neighbour
        .until("a repeated claim", |memory| {
            Some(memory.claims(job)).filter(|claims| claims.len() > 1)
        })
        .await;
    assert!(
        claims.iter().all(|claim| claim.nonce == claims[0].nonce),
        "{claims:?}"
    );
    // The first claim was sent more than `stop_ms` ago.
    neighbour.say(&grant(&claims[0])).await;
    neighbour
        .until("not begun", |memory| {
            memory.heard.iter().find_map(|message| match message {
                FromAgent::NotBegun(not_begun) if not_begun.job == job => Some(()),
                _ => None,
            })
        })
        .await;
    assert!(neighbour.memory().results(job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_cannot_renew_stops_its_work_and_asks_over_a_new_connection() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    let step = format!("echo $$ > {0}/pid; sleep 600", host.folder.path().display());
    let job = neighbour.offer("build", build_of(&host, &[&step])).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    let pid = loop {
        match fs_err::read_to_string(host.path("pid")) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    neighbour.be_silent(About::Beats);
    neighbour.hello(1).await;
    let process = std::path::PathBuf::from(format!("/proc/{pid}"));
    neighbour
        .until("the step's end", |_| (!process.exists()).then_some(()))
        .await;
    neighbour.speak();
    let again = neighbour.offer("build", build_of(&host, &["true"])).await;
    let outcome = neighbour.result(again).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    assert!(
        neighbour.memory().results(job).is_empty(),
        "a lost epoch reports nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_costs_neither_the_work_nor_its_result() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    let job = neighbour.offer("build", build_until(&host, "go")).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    // The management API knows a connection a few seconds after it was made.
    while neighbour.broker.cut_agents().await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    neighbour.hello(1).await;
    fs_err::write(host.path("go"), "").unwrap();
    let outcome = neighbour.result(job).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_repeated_until_they_are_acknowledged() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    neighbour.be_silent(About::Reports);
    let job = neighbour.offer("build", build_of(&host, &["true"])).await;
    neighbour.result(job).await;
    neighbour
        .until("the same result again", |memory| {
            (memory.results(job).len() > 1).then_some(())
        })
        .await;
    neighbour.speak();
    let spool = host.path("state/spool/reports");
    let waiting = || {
        let names = fs_err::read_dir(&spool).unwrap();
        names
            .filter(|name| {
                name.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with("0000")
            })
            .count()
    };
    neighbour
        .until("an empty spool", |_| (waiting() == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_says_so() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    let job = neighbour.offer("build", build_until(&host, "never")).await;
    neighbour
        .until("work", |memory| memory.works_on(job).then_some(()))
        .await;
    let cancel = Cancel {
        v: 1,
        host: "web-1".parse().unwrap(),
        instance: neighbour.instance().await,
        job,
        epoch: pointsman_shared::ids::Epoch(1),
        reason: "enough".to_owned(),
        serial: 1,
        expires_at: now() + 60_000,
    };
    neighbour.say(&ToAgent::Cancel(cancel)).await;
    assert_eq!(neighbour.result(job).await, Outcome::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_what_is_over_leaves_the_next_job_alone() {
    let mut host = Host::joined().await;
    host.start().await;
    let neighbour = &host.neighbour;
    let over = neighbour.offer("build", build_of(&host, &["true"])).await;
    neighbour.result(over).await;
    let next = neighbour.offer("build", build_until(&host, "go")).await;
    neighbour
        .until("work", |memory| memory.works_on(next).then_some(()))
        .await;
    neighbour
        .say(&ToAgent::Cancel(Cancel {
            v: 1,
            host: "web-1".parse().unwrap(),
            instance: neighbour.instance().await,
            job: over,
            epoch: pointsman_shared::ids::Epoch(1),
            reason: "too late".to_owned(),
            serial: 1,
            expires_at: now() + 60_000,
        }))
        .await;
    let is_beat = |message: &&FromAgent| matches!(message, FromAgent::Heartbeat(_));
    let beats = |heard: &[FromAgent]| heard.iter().filter(is_beat).count();
    let before = beats(&neighbour.memory().heard);
    neighbour
        .until("two more beats", |memory| {
            (beats(&memory.heard) > before + 1).then_some(())
        })
        .await;
    fs_err::write(host.path("go"), "").unwrap();
    let outcome = neighbour.result(next).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}
