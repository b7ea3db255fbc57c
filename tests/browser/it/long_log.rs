//! A log of a million lines: opened anywhere, searched, stepped through, and never more of it in the page than one can
//! see soon.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pointsman_browser_tests::{Tab, Window};

use crate::logged::Logged;
use crate::world::{signed_in, world};

const LINES: u64 = 1_000_000;
/// Rows that may stand in the page.
const ROWS: i64 = 2_000;
/// Bytes that the scripts of a page may hold.
const HEAP: u64 = 60_000_000;
/// What no program should write.
const EVIL: [&str; 4] = [
    "</script><img src=x onerror=\"document.title='taken'\">",
    "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7} \u{1b}]8;;javascript:alert(1)\u{7}here\u{1b}]8;;\u{7}",
    "turned \u{202e}txt.exe and \u{0}nothing",
    "\u{fffd}\u{fffd}\u{7f}bytes",
];

fn text(line: u64) -> String {
    match line {
        500_000 => "error: the needle lies here".to_owned(),
        700_000..=700_003 => EVIL[usize::try_from(line % 4).unwrap_or_default()].to_owned(),
        700_005 => "x".repeat(1_000_000),
        _ if line.is_multiple_of(10_000) => format!("step {line} \u{1b}[32mdone\u{1b}[0m"),
        _ => format!("compiling unit {line} of the shop, all is well"),
    }
}

async fn rows(tab: &Tab) -> Result<i64> {
    let rows = tab
        .run("document.querySelectorAll('#log-lines li').length")
        .await?;
    let rows = rows.as_i64().unwrap_or(i64::MAX);
    ensure!(rows <= ROWS, "{rows} rows stand in the page");
    Ok(rows)
}

/// Waits until a line is seen in the box, not only somewhere in the page.
async fn sees(tab: &Tab, line: u64) -> Result<()> {
    let seen = format!(
        "(() => {{ const row = document.getElementById('L{line}'), box = document.getElementById('log-lines');
         if (!row || !box) return false;
         const [r, b] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
         return r.bottom > b.top && r.top < b.bottom; }})()"
    );
    tab.until(&format!("line {line} is seen"), &seen).await
}

fn told(what: &str, since: Instant) -> String {
    format!("{what}: {} ms\n", since.elapsed().as_millis())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_are_opened_searched_and_stepped_through() -> Result<()> {
    let world = world().await?;
    let mut job = Logged::begun(world).await?;
    let begun = Instant::now();
    job.writes("compile", LINES, text).await?;
    job.fails().await?;
    let mut times = told("a million lines were stored", begun);
    let page = format!("/jobs/{}", job.number);
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    times += &opens(&tab, &page).await?;
    times += &searches(&tab, &page).await?;
    shows_evil_as_text(&tab, &page).await?;
    println!("{times}");
    window.close().await
}

/// Opens it at its end, at a line of an address, and by the bar.
async fn opens(tab: &Tab, page: &str) -> Result<String> {
    let begun = Instant::now();
    tab.load(page).await?;
    sees(tab, LINES).await?;
    let mut times = told("the page of a failed job, at its end", begun);
    tab.shows("1000000 lines in all").await?;

    tab.load("/").await?;
    let begun = Instant::now();
    tab.load(&format!("{page}#L900000")).await?;
    sees(tab, 900_000).await?;
    times += &told("#L900000", begun);
    rows(tab).await?;

    // The bar leads anywhere, and rows near it stand there soon.
    for part in [0.25, 0.9, 0.1] {
        let begun = Instant::now();
        tab.run(&format!(
            "(() => {{ const box = document.getElementById('log-lines'); box.scrollIntoView({{ block: 'center' }});
             box.scrollTop = box.scrollHeight * {part}; }})()"
        ))
        .await?;
        let near = format!(
            "(() => {{ const box = document.getElementById('log-lines').getBoundingClientRect();
             const row = document.elementFromPoint(box.left + 60, box.top + box.height / 2)?.closest('li');
             const line = Number(row?.id.slice(1)); return Math.abs(line / {LINES} - {part}) < 0.02; }})()"
        );
        tab.until("the rows of that place are seen", &near).await?;
        times += &told(&format!("{part} of the way by the bar"), begun);
        rows(tab).await?;
    }
    Ok(times)
}

/// Finds one line, nearly all lines, and the next error.
async fn searches(tab: &Tab, page: &str) -> Result<String> {
    let begun = Instant::now();
    tab.load(&format!("{page}?find=NEEDLE")).await?;
    tab.shows("1 to 1 of 1 line").await?;
    let mut times = told("a search that finds one line", begun);
    tab.run("document.querySelector('.card [data-line]').click()")
        .await?;
    sees(tab, 500_000).await?;
    let begun = Instant::now();
    tab.load(&format!("{page}?find=all+is+well&source=out")).await?;
    tab.shows(" of 998996 lines").await?;
    times += &told("a search that finds nearly all", begun);
    let begun = Instant::now();
    tab.run("document.querySelector('[data-step=\"hit on\"]').click()")
        .await?;
    tab.shows("1 of 998996, line 1").await?;
    times += &told("a step to the next of them", begun);

    tab.load(&format!("{page}?from=1")).await?;
    let begun = Instant::now();
    tab.press("Next error").await?;
    sees(tab, 500_000).await?;
    times += &told("the next error", begun);
    rows(tab).await?;
    Ok(times)
}

async fn shows_evil_as_text(tab: &Tab, page: &str) -> Result<()> {
    tab.load(&format!("{page}?from=699990#L700000")).await?;
    sees(tab, 700_000).await?;
    let evil = tab
        .run(
            "[700000, 700001, 700002, 700003].map(n => document.getElementById('L' + n)).map(row =>
             row.textContent.slice(7) + '|' + [...row.querySelectorAll('*')].map(e => e.tagName).join())",
        )
        .await?;
    let wanted = [
        "</script><img src=x onerror=\"document.title='taken'\">|A",
        "red here|A,SPAN",
        "turned [U+202E]txt.exe and \u{2400}nothing|A",
        "\u{fffd}\u{fffd}bytes|A",
    ];
    ensure!(evil == serde_json::json!(wanted), "{evil}");
    let long = tab
        .run("document.getElementById('L700005').textContent.length")
        .await?;
    ensure!(long.as_i64().is_some_and(|long| long < 5_000), "{long}");
    let title = tab.run("document.title").await?;
    ensure!(
        title.as_str().is_some_and(|title| title.contains("failed")),
        "{title}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_until_one_reads_elsewhere_and_again_at_its_end() -> Result<()> {
    let world = world().await?;
    let mut job = Logged::begun(world).await?;
    job.writes("build", 5_000, |line| format!("line {line}")).await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load(&format!("/jobs/{}", job.number)).await?;
    sees(&tab, 5_000).await?;
    job.writes("build", 100, |line| format!("more {line}")).await?;
    sees(&tab, 5_100).await?;

    tab.run("document.getElementById('log-lines').scrollTop -= 2000")
        .await?;
    tab.until(
        "it lets go",
        "document.getElementById('log-lines').dataset.let === 'go'",
    )
    .await?;
    let before = tab.run(TOP).await?;
    job.writes("build", 3_000, |line| format!("more {line}")).await?;
    tab.shows("8100 lines, more below").await?;
    let after = tab.run(TOP).await?;
    ensure!(
        before == after,
        "what was read moved from line {before} to {after}"
    );

    tab.press("End").await?;
    sees(&tab, 8_100).await?;
    job.writes("build", 20_000, |line| format!("much {line}")).await?;
    sees(&tab, 28_100).await?;
    rows(&tab).await?;
    job.fails().await?;
    window.close().await
}

/// How long lines pour in, in seconds: `POINTSMAN_TEST_BURST` asks for more.
fn burst() -> Result<u64> {
    Ok(std::env::var("POINTSMAN_TEST_BURST").map_or(Ok(6), |seconds| seconds.parse())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_lines_a_second_are_followed_with_a_bounded_page() -> Result<()> {
    const TENTHS: u64 = 10;
    const A_TENTH: u64 = 500;
    let world = world().await?;
    let mut job = Logged::begun(world).await?;
    job.writes("build", A_TENTH, |line| format!("line {line}"))
        .await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    tab.load(&format!("/jobs/{}", job.number)).await?;
    sees(&tab, A_TENTH).await?;
    tab.run(
        "globalThis.tasks = []; new PerformanceObserver(list => { for (const one of list.getEntries())
         tasks.push(one.duration); }).observe({ type: 'longtask' }); true",
    )
    .await?;
    let seconds = burst()?;
    let mut beat = tokio::time::interval(Duration::from_millis(1000 / TENTHS));
    let begun = Instant::now();
    for _ in 0..seconds * TENTHS {
        beat.tick().await;
        job.writes("build", A_TENTH, |line| {
            format!("\u{1b}[32mok\u{1b}[0m unit {line} of the shop, all is well")
        })
        .await?;
        rows(&tab).await?;
    }
    let poured = begun.elapsed();
    let last = A_TENTH * (seconds * TENTHS + 1);
    let begun = Instant::now();
    sees(&tab, last).await?;
    let behind = begun.elapsed();
    job.fails().await?;
    let heap = tab.run("performance.memory.usedJSHeapSize").await?.as_u64();
    ensure!(
        heap.is_some_and(|heap| heap < HEAP),
        "{heap:?} bytes of scripts' memory"
    );
    let tasks = tab
        .run("tasks.map(Math.round).sort((a, b) => b - a).join(' ')")
        .await?;
    println!(
        "{last} lines in {poured:.1?}: the last was seen {} ms after it was written; tasks above 50 ms: {tasks}; {} kB of memory",
        behind.as_millis(),
        heap.unwrap_or_default() / 1000
    );
    window.close().await
}

/// The line at the top of the box.
const TOP: &str = "(() => { const box = document.getElementById('log-lines').getBoundingClientRect();
    return document.elementFromPoint(box.left + 60, box.top + 30)?.closest('li')?.id; })()";

#[tokio::test(flavor = "multi_thread")]
async fn groups_fold_when_good_and_lines_are_marked_by_range() -> Result<()> {
    let world = world().await?;
    let mut job = Logged::begun(world).await?;
    let text = |line| match line {
        1 => "--- Setting up".to_owned(),
        51 => "+++ Tests".to_owned(),
        101 => "--- Linking".to_owned(),
        120 => "error: undefined symbol".to_owned(),
        _ => format!("line {line}"),
    };
    job.writes("build", 150, text).await?;
    job.fails().await?;
    let window = Window::open().await?;
    let tab = signed_in(&window, world).await?;
    let page = format!("/jobs/{}", job.number);
    tab.load(&page).await?;
    let hidden = |line| format!("document.getElementById('L{line}').hidden");
    for (line, folded) in [
        (1, false),
        (2, true),
        (50, true),
        (51, false),
        (52, false),
        (110, false),
    ] {
        tab.until(
            &format!("line {line} is folded: {folded}"),
            &format!("{} === {folded}", hidden(line)),
        )
        .await?;
    }
    tab.run("document.querySelector('#L1 .fold').click()").await?;
    tab.until("it is unfolded", &format!("{} === false", hidden(2)))
        .await?;
    tab.run("document.querySelector('#L60 .no').click()").await?;
    tab.run("document.querySelector('#L64 .no').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: true }))")
        .await?;
    ensure!(
        tab.run("location.hash").await? == "#L60-L64",
        "the range is in the address"
    );
    ensure!(
        tab.run("document.querySelectorAll('#log-lines .on').length")
            .await?
            == 5,
        "five lines are marked"
    );
    // A link to a folded line unfolds it.
    tab.load("/").await?;
    tab.load(&format!("{page}#L30")).await?;
    sees(&tab, 30).await?;
    window.close().await
}
