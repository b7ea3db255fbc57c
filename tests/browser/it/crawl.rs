//! No look changes anything: every link of every page is followed by somebody who is signed in, and no row of any table
//! is another one afterwards.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context as _, Result, ensure};
use pointsman_sandbox::{InventedFleet, InventedPast, Options, Sandbox, http};
use pointsman_tests::shared;
use sqlx::Row as _;

use crate::told::database;

/// Addresses of one kind that are followed; the others differ in numbers and names alone.
const ALIKE: usize = 4;

/// A digest of each table, apart from when somebody was seen.
async fn digests(sandbox: &Sandbox) -> Result<BTreeMap<String, String>> {
    let mut conn = database(sandbox).await?;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut conn).await?;
    let mut digests = BTreeMap::new();
    for table in tables {
        let query = format!(
            "SELECT count(*) || ' ' || md5(coalesce(string_agg(row, ',' ORDER BY row), '')) FROM
             (SELECT (to_jsonb(t) - 'seen_at' - 'last_used_at')::text AS row FROM \"{table}\" t) rows"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut conn)
            .await?;
        digests.insert(table, row.try_get(0)?);
    }
    Ok(digests)
}

/// What an address is about, whatever it names.
fn kind(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut parts = path.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let is_name = |part: &str| {
        ![
            "lines",
            "raw",
            "files",
            "diff",
            "badge",
            "badge.svg",
            "qr.svg",
            "recipe",
            "dead",
            "chain",
        ]
        .contains(&part)
    };
    let fixed = matches!(first, "settings" | "profile" | "assets");
    let rest = parts.map(|part| if is_name(part) && !fixed { "*" } else { part });
    let keys: BTreeSet<_> = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default())
        .collect();
    format!("/{first}/{} {keys:?}", rest.collect::<Vec<_>>().join("/"))
}

/// Where the links of a page lead, among ours.
fn links(html: &str) -> Vec<String> {
    let of = |attribute: &str| {
        let parts = html.split(attribute).skip(1);
        parts
            .filter_map(|part| part.split('"').next())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let found = [of(" href=\""), of(" src=\"")].concat().into_iter();
    found
        .map(|link| {
            link.replace("&amp;", "&")
                .replace("&#38;", "&")
                .replace("&#x26;", "&")
        })
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

/// An invented fleet with a past, behind a coordinator that serves pages alone: nobody else changes anything.
async fn start() -> Result<Sandbox> {
    let sandbox = Sandbox::start(Options {
        hosts: 0,
        builders: 0,
        roles: vec!["http".to_owned()],
        ..shared().await?
    })
    .await?;
    let fleet = InventedFleet {
        projects: 6,
        environments: 3,
        hosts: 8,
    };
    let past = InventedPast {
        days: 12,
        releases: 4,
        pace: 1.0,
        live: true,
    };
    sandbox.invent_fleet(fleet).await?;
    sandbox.invent_past(past).await?;
    Ok(sandbox)
}

/// The cookie of somebody who signed in.
async fn signed_in(sandbox: &Sandbox) -> Result<String> {
    let form = [("token", sandbox.token())];
    let address = format!("{}/sign-in", sandbox.url().trim_end_matches('/'));
    let entered = http::client(None).post(address).form(&form).send().await?;
    let cookie = entered.headers().get("set-cookie").context("a session")?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
    Ok(cookie.to_owned())
}

/// Whether a page may answer so. Without the other roles a coordinator is not ready, and says so; an invented release has
/// no archive, so its files are nowhere.
fn is_right(address: &str, status: u16) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let is_bare = ["/files", "/diff", "/raw"].iter().any(|end| path.ends_with(end));
    match status {
        200 | 303 => true,
        503 => path == "/readyz" || is_bare,
        _ => is_bare && status < 500,
    }
}

/// Follows every link from the overview on, some of each kind; returns how many of each kind there are.
async fn follow(sandbox: &Sandbox, cookie: &str) -> Result<BTreeMap<String, usize>> {
    let client = http::client(None);
    let url = sandbox.url();
    let mut waiting = VecDeque::from(["/".to_owned()]);
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(address) = waiting.pop_front() {
        let whole = format!("{}{address}", url.trim_end_matches('/'));
        let answer = client.get(whole).header("cookie", cookie).send().await?;
        let status = answer.status().as_u16();
        ensure!(is_right(&address, status), "{address} answers {status}");
        let path = address.split('?').next().unwrap_or_default();
        for link in links(&answer.text().await.unwrap_or_default()) {
            let link = if link.starts_with('?') {
                format!("{path}{link}")
            } else {
                link
            };
            if !link.starts_with('/') || link.starts_with("//") || !seen.insert(link.clone()) {
                continue;
            }
            let alike = kinds.entry(kind(&link)).or_default();
            *alike += 1;
            if *alike <= ALIKE {
                waiting.push_back(link);
            }
        }
    }
    Ok(kinds)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_of_any_page_changes_a_row() -> Result<()> {
    let sandbox = start().await?;
    // Signing in is a press.
    let cookie = signed_in(&sandbox).await?;
    let before = digests(&sandbox).await?;
    ensure!(before.len() > 40, "{before:?}");
    let kinds = follow(&sandbox, &cookie).await?;
    let followed: usize = kinds.values().map(|alike| (*alike).min(ALIKE)).sum();
    println!("{followed} links of {} kinds were followed", kinds.len());
    ensure!(followed > 80 && kinds.len() > 25, "{kinds:#?}");
    let after = digests(&sandbox).await?;
    for (table, digest) in &before {
        ensure!(after.get(table) == Some(digest), "a look changed {table}");
    }
    Ok(())
}
