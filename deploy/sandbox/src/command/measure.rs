//! `measure`: how long the dashboard's pages take over a large invented fleet with a long invented past.
//!
//! Times are printed beside those of a static file of the same process, because a ratio can be compared between machines
//! and a time cannot. Nothing is judged here: the tests hold sizes, and nobody holds a clock.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use pointsman_sandbox::{Error, InventedFleet, InventedPast, Options, Result, Sandbox, http};
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};

use super::ending::Ending;

/// Arguments of `measure`.
#[derive(Debug, Args)]
pub(crate) struct Measure {
    /// Projects.
    #[arg(long, default_value_t = 200)]
    projects: u32,
    /// Environments of each project.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=5))]
    environments: u32,
    /// Hosts.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=999))]
    hosts: u32,
    /// Releases of each project within ninety days.
    #[arg(long, default_value_t = 45)]
    releases: u32,
    /// Requests of each page.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(20..))]
    requests: u32,
    /// Only pages whose address holds this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Stay up afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// One page, measured.
struct Row {
    path: String,
    median: Duration,
    p95: Duration,
    bytes: usize,
    elements: usize,
}

impl Measure {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let mut ending = Ending::listen()?;
        tokio::select! {
            measured = self.measure() => {
                let sandbox = measured?;
                if self.keep {
                    let mut out = std::io::stdout();
                    writeln!(out, "\n{}  {}", sandbox.url(), sandbox.token())?;
                    ending.requested().await;
                }
                sandbox.end()?;
                Ok(ExitCode::SUCCESS)
            }
            code = ending.requested() => Ok(ExitCode::from(code)),
        }
    }

    async fn measure(&self) -> Result<Sandbox> {
        let options = Options {
            hosts: 0,
            builders: 0,
            // Nobody sweeps hosts away that nobody runs.
            roles: vec!["http".to_owned()],
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await?;
        let begun = Instant::now();
        sandbox
            .invent_fleet(InventedFleet {
                projects: self.projects,
                environments: self.environments,
                hosts: self.hosts,
            })
            .await?;
        sandbox
            .invent_past(InventedPast {
                days: 90,
                releases: self.releases,
                pace: 1.0,
                live: true,
            })
            .await?;
        sandbox.beat_for_invented_hosts().await?;
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{} projects x {} environments x {} hosts, {} releases each in 90 days; invented in {:.0} s\n",
            self.projects,
            self.environments,
            self.hosts,
            self.releases,
            begun.elapsed().as_secs_f64()
        )?;
        let browser = Browser::sign_in(&sandbox).await?;
        let floor = self.time(&browser, &browser.static_file().await?).await?;
        writeln!(
            out,
            "{:<52} {:>8} {:>8} {:>7} {:>9} {:>8}",
            "page", "median", "p95", "ratio", "bytes", "elements"
        )?;
        show(&floor, &floor)?;
        for path in pages().into_iter().filter(|path| path.contains(&self.only)) {
            sandbox.beat_for_invented_hosts().await?;
            show(&self.time(&browser, &path).await?, &floor)?;
        }
        Ok(sandbox)
    }

    async fn time(&self, browser: &Browser, path: &str) -> Result<Row> {
        let mut times = Vec::new();
        let mut text = String::new();
        for _ in 0..self.requests {
            let begun = Instant::now();
            text = browser.get(path).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
        let opens = |pair: &[u8]| pair[0] == b'<' && pair[1].is_ascii_alphabetic();
        Ok(Row {
            path: path.to_owned(),
            median: at(50),
            p95: at(95),
            bytes: text.len(),
            elements: text.as_bytes().windows(2).filter(|pair| opens(pair)).count(),
        })
    }
}

/// Pages with much on them. Numbers are from the middle of the past.
fn pages() -> Vec<String> {
    [
        "/",
        "/p",
        "/p/accounts-010",
        "/t/accounts-010@production",
        "/r/accounts-010/40",
        "/d",
        "/d?target=accounts-010%40production",
        "/d/1000",
        "/jobs",
        "/jobs?state=failed",
        "/jobs/5000",
        "/hosts",
        "/h/node-010",
        "/migrations",
        "/gc",
        "/locks",
        "/audit",
        "/audit?action=deployment",
        "/settings/accounts",
        "/settings/tokens",
        "/settings/environments",
        "/settings/variables",
        "/settings/channels",
        "/settings/deliveries",
        "/settings/webhooks",
        "/profile",
    ]
    .map(str::to_owned)
    .into()
}

fn show(row: &Row, floor: &Row) -> Result<()> {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    writeln!(
        std::io::stdout(),
        "{:<52} {:>5.1} ms {:>5.1} ms {:>6.1}x {:>9} {:>8}",
        row.path,
        ms(row.median),
        ms(row.p95),
        row.p95.as_secs_f64() / floor.p95.as_secs_f64(),
        row.bytes,
        row.elements
    )?;
    Ok(())
}

/// What a browser keeps: an address and a session.
struct Browser {
    url: String,
    cookie: String,
    client: reqwest::Client,
}

impl Browser {
    async fn sign_in(sandbox: &Sandbox) -> Result<Self> {
        let (url, client) = (sandbox.url(), http::client(None));
        let there = format!("{url}/sign-in");
        let form = [("token", sandbox.token()), ("next", "/")];
        let request = client.post(&there).header(ORIGIN, &url).form(&form);
        let answer = request.send().await.map_err(|source| Error::Http {
            url: there.clone(),
            source: source.without_url(),
        })?;
        let cookie = answer
            .headers()
            .get(SET_COOKIE)
            .filter(|_| answer.headers().contains_key(LOCATION))
            .and_then(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned));
        let refused = || Error::Unexpected(format!("{there} gave no session ({})", answer.status()));
        let cookie = cookie.ok_or_else(refused)?;
        Ok(Self { url, cookie, client })
    }

    async fn get(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.url);
        let request = self.client.get(&url).header(COOKIE, &self.cookie);
        let answer = http::answer(&url, request).await?;
        let unread = |source: reqwest::Error| Error::Http {
            url: url.clone(),
            source: source.without_url(),
        };
        answer.text().await.map_err(unread)
    }

    /// The address of the style sheet, as pages name it.
    async fn static_file(&self) -> Result<String> {
        let page = self.get("/locks").await?;
        let found = page
            .split('"')
            .find(|part| part.starts_with("/assets/app.") && part.contains(".css"));
        found
            .map(str::to_owned)
            .ok_or_else(|| Error::Unexpected("no page names a style sheet".to_owned()))
    }
}
