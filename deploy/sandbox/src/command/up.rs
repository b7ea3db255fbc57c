//! `up`: a fleet to play with, until Ctrl-C.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use pointsman_sandbox::{InventedFleet, InventedPast, Options, Progress, Result, Sandbox};

use super::ending::Ending;

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Number of hosts that carry projects; a builder comes on top.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// A new or empty folder; a temporary one, removed at the end, when not given.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Number of coordinators.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    coordinators: u8,
    /// The project that every host gets a web server for.
    #[arg(long, default_value = "shop")]
    project: String,
    /// Add an invented fleet with ninety invented days, so that lists, estimates and trends look alive.
    #[arg(long)]
    seed_history: bool,
    /// Speak TLS everywhere, with a CA of its own.
    #[arg(long)]
    tls: bool,
}

impl Up {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let mut ending = Ending::listen()?;
        let begin = Instant::now();
        let options = Options {
            dir: self.dir,
            hosts: self.hosts,
            coordinators: self.coordinators.into(),
            project: self.project.clone(),
            tls: self.tls,
            ..Options::default()
        };
        let sandbox = tokio::select! {
            sandbox = Sandbox::start_telling(options, |step| say(begin, step)) => sandbox?,
            code = ending.requested() => return Ok(ExitCode::from(code)),
        };
        if self.seed_history {
            invent(&sandbox).await?;
        }
        describe(&sandbox, &self.project)?;
        tokio::select! {
            _ = ending.requested() => {}
            // Hosts that nobody runs would soon be lost.
            failed = beat(&sandbox), if self.seed_history => failed?,
        }
        sandbox.end()?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn invent(sandbox: &Sandbox) -> Result<()> {
    sandbox
        .invent_fleet(InventedFleet {
            projects: 12,
            environments: 3,
            hosts: 24,
        })
        .await?;
    sandbox
        .invent_past(InventedPast {
            days: 90,
            releases: 45,
            pace: 1.0,
            live: true,
        })
        .await
}

async fn beat(sandbox: &Sandbox) -> Result<()> {
    loop {
        sandbox.beat_for_invented_hosts().await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

fn say(begin: Instant, step: Progress) {
    let text = match step {
        Progress::Services => "PostgreSQL and RabbitMQ answer".to_owned(),
        Progress::Coordinators(url) => format!("coordinators are ready, the first at {url}"),
        Progress::Agents => "agents are joined and seen".to_owned(),
    };
    // Progress that nobody reads is no failure.
    drop(writeln!(
        std::io::stderr(),
        "{:6.1}s  {text}",
        begin.elapsed().as_secs_f64()
    ));
}

fn describe(sandbox: &Sandbox, project: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "dashboard and API  {}", sandbox.url())?;
    for host in sandbox.web_hosts() {
        let root = host.root(project);
        writeln!(
            out,
            "{:<17}  {}  {}",
            host.id(),
            host.site(project)?.url(),
            root.display()
        )?;
    }
    writeln!(
        out,
        "for the CLI        set -a; . {}; set +a",
        sandbox.dir().join("env").display()
    )?;
    writeln!(out, "end                Ctrl-C")?;
    out.flush()?;
    Ok(())
}
