//! Logs in the dashboard without scripts: pages, search, steps, raw.

use pointsman_shared::ids::{Epoch, StreamId};
use pointsman_shared::wire::logs::{LogContent, LogLine, LogSource};
use pointsman_shared::wire::{LogChunk, VERSION};
use pointsman_store::logs;
use uuid::Uuid;

use crate::browser::Browser;
use crate::logs::Log;
use crate::world::World;

/// Stores lines as the agent's arrive.
pub async fn arrive(world: &World, seq: u64, first_line: u64, texts: &[&str]) {
    let stream: Uuid = sqlx::query_scalar("SELECT log_stream_id FROM job")
        .fetch_one(world.pool())
        .await
        .unwrap();
    let line = |text: &&str| LogLine {
        at: world.app.clock.now().timestamp_millis(),
        source: if text.starts_with("! ") {
            LogSource::Err
        } else {
            LogSource::Out
        },
        text: (*text).to_owned(),
    };
    let chunk = LogChunk {
        v: VERSION,
        host: "b".parse().unwrap(),
        stream: StreamId(stream),
        epoch: Epoch(1),
        seq,
        stage: if seq == 1 { "checkout" } else { "npm ci" }.to_owned(),
        first_line,
        offset: 0,
        content: LogContent::Lines(texts.iter().map(line).collect()),
    };
    let mut tx = world.app.store.begin().await.unwrap();
    let now = world.app.clock.now();
    let kept = logs::append(&mut tx, &chunk, now).await.unwrap();
    assert_eq!(kept, logs::Stored::Kept);
    tx.commit().await.unwrap();
}

/// A log of 1206 lines: two pieces as they arrive now, one as older coordinators kept it.
async fn long_log(world: &World) -> (Browser, String) {
    let log = Log::new(world).await;
    log.ends(120, Some(1206)).await;
    let first = ["Cloning", "\u{1b}[31mERROR\u{1b}[0m: </script>", "a\0b"];
    arrive(world, 1, 1, &first).await;
    arrive(world, 2, 4, &["! warn one", "! error: two", "fine"]).await;
    log.lines(3, 7, 1200).await;
    let browser = Browser::with_role(world, "viewer").await;
    (browser, format!("/jobs/{}", log.number))
}

#[tokio::test]
async fn a_log_is_read_by_pages_and_searched() {
    let world = World::new().await;
    let (browser, page) = long_log(&world).await;
    let first = browser.get(&page).await;
    first.holds("<span class=\"f1\">ERROR</span>: &#60;/script&#62;");
    first.holds("a\u{2400}b");
    first.holds("1206 lines</span> in all");
    first.holds("<li id=\"L500\"");
    first.lacks("<li id=\"L501\"");
    first.holds("?from=501");
    let end = browser.get(&format!("{page}?from=707")).await;
    end.holds("<li id=\"L1206\"");
    end.lacks("Lines after");

    // A search goes through everything, by what is seen, whatever its case; pieces of older coordinators as well.
    let found = browser.get(&format!("{page}?find=error%3A")).await;
    found.holds("1 to 2 of 2 lines");
    let found = browser.get(&format!("{page}?find=LINE+120")).await;
    found.holds("1 to 8 of 8 lines");
    found.holds("from=1186#L1206");
    let found = browser.get(&format!("{page}?source=err")).await;
    found.holds("1 to 2 of 2 lines that come from standard error");
    let found = browser.get(&format!("{page}?find=error&stage=checkout")).await;
    found.holds("1 to 1 of 1 line");
    browser
        .get(&format!("{page}?find=%3Cnothing%3E"))
        .await
        .holds("No line hold “&#60;nothing&#62;”");
    let stage = browser.get(&format!("{page}?stage=checkout")).await;
    stage.holds("3 lines</span> in all");
    stage.lacks("id=\"L4\"");
}

#[tokio::test]
async fn steps_lead_to_errors_and_lines_found_and_raw_has_the_bytes() {
    let world = World::new().await;
    let (browser, page) = long_log(&world).await;
    let step = browser.get(&format!("{page}/step?what=error")).await;
    assert!(step.leads_to().ends_with("#L2"), "{}", step.leads_to());
    let step = browser.get(&format!("{page}/step?what=error&line=2")).await;
    assert!(step.leads_to().ends_with("#L5"), "{}", step.leads_to());
    let step = browser
        .get(&format!("{page}/step?what=error&way=back&line=5&as=json"))
        .await;
    step.holds("\"line\":2");
    let step = browser
        .get(&format!("{page}/step?what=hit&find=line+1200&line=9&as=json"))
        .await;
    step.holds("{\"line\":1200,\"nth\":1,\"of\":1}");

    let rows = browser.get(&format!("{page}/lines?from=1200&to=1203")).await;
    assert_eq!(rows.html.matches("<li").count(), 4);
    assert_eq!(rows.headers["pointsman-last-line"], "1206");
    let raw = browser.get(&format!("{page}/raw?line=2")).await;
    assert_eq!(raw.html, "\u{1b}[31mERROR\u{1b}[0m: </script>\n");
    assert!(
        raw.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let raw = browser.get(&format!("{page}/raw")).await;
    assert_eq!(raw.html.lines().count(), 1206);
    browser
        .get("/jobs/99/lines?from=1&to=2")
        .await
        .holds("there is no job #99");
}
