//! `jobs ls | show | dead | cancel`

use pointsman_shared::api::jobs::{Job, Step};

use super::{decide, listing};
use crate::args::{JobsCommand, ListJobs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::wording;

/// Runs the command.
pub async fn jobs(session: &Session, command: JobsCommand) -> Result<Exit, CliError> {
    match command {
        JobsCommand::Ls(args) => list(session, &args).await,
        JobsCommand::Dead(rows) => dead(session, rows.most()).await,
        JobsCommand::Show { number } => show(session, number).await,
        JobsCommand::Cancel { number } => decide::cancel_job(session, number).await,
    }
}

async fn list(session: &Session, args: &ListJobs) -> Result<Exit, CliError> {
    let jobs = session
        .client()?
        .jobs(args.state, args.deployment, args.rows.most())
        .await?;
    listing::show(session, &jobs, &job_table(&jobs.items), "no such jobs")
}

async fn dead(session: &Session, most: usize) -> Result<Exit, CliError> {
    let letters = session.client()?.dead_letters(most).await?;
    let mut table = Table::new([
        ("MESSAGE", Narrow::Keep),
        ("AT", Narrow::Keep),
        ("WHY", Narrow::Keep),
        ("HOST", Narrow::Keep),
        ("QUEUE", Narrow::Drop(1)),
        ("BYTES", Narrow::Drop(2)),
        ("BEGINS", Narrow::Cut(12)),
    ]);
    for letter in &letters.items {
        table.row([
            Cell::Number(letter.number),
            Cell::At(letter.at),
            letter.reason.as_str().into(),
            Cell::maybe(letter.host.as_ref()),
            letter.queue.as_str().into(),
            Cell::Number(letter.bytes.into()),
            letter.sample.as_str().into(),
        ]);
    }
    listing::show(session, &letters, &table, "no message was refused")
}

async fn show(session: &Session, number: i64) -> Result<Exit, CliError> {
    let job = session.client()?.job(number).await?;
    let printer = &session.printer;
    printer.show_fields(&job, &fields(&job))?;
    if printer.format() == Format::Table && !job.steps.is_empty() {
        printer.line("")?;
        printer.show(&job.steps, &steps(&job.steps))?;
    }
    Ok(Exit::Ok)
}

/// Jobs as a table.
pub fn job_table(jobs: &[Job]) -> Table {
    let mut table = Table::new([
        ("JOB", Narrow::Keep),
        ("KIND", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("SUBJECT", Narrow::Keep),
        ("HOST", Narrow::Keep),
        ("DEPLOYMENT", Narrow::Drop(2)),
        ("TRY", Narrow::Drop(3)),
        ("AGE", Narrow::Drop(1)),
        ("REASON", Narrow::Cut(12)),
    ]);
    for job in jobs {
        table.row([
            Cell::Number(job.number),
            job.kind.as_str().into(),
            wording::job_state(job.state),
            Cell::Text(subject(job)),
            Cell::maybe(job.host.as_ref()),
            job.deployment.map_or(Cell::Nothing, Cell::Number),
            Cell::Number(job.epoch.into()),
            Cell::At(job.created_at),
            Cell::maybe(job.reason.as_ref()),
        ]);
    }
    table
}

/// What it is about, in a few words.
pub fn subject(job: &Job) -> String {
    let place = job
        .target
        .as_ref()
        .map_or_else(|| job.project.to_string(), ToString::to_string);
    match &job.release {
        Some(release) => format!("{place} {release}"),
        None => place,
    }
}

fn fields(job: &Job) -> Vec<(&'static str, Cell)> {
    vec![
        ("job", Cell::Number(job.number)),
        ("kind", job.kind.as_str().into()),
        ("state", wording::job_state(job.state)),
        ("reason", Cell::maybe(job.reason.as_ref())),
        ("code", Cell::maybe(job.code.as_ref())),
        ("subject", Cell::Text(subject(job))),
        ("deployment", job.deployment.map_or(Cell::Nothing, Cell::Number)),
        ("host", Cell::maybe(job.host.as_ref())),
        ("attempts", Cell::Number(job.epoch.into())),
        ("created", Cell::At(job.created_at)),
        ("started", Cell::when(job.started_at)),
        ("ended", Cell::when(job.ended_at)),
    ]
}

fn steps(steps: &[Step]) -> Table {
    let mut table = Table::new([
        ("TRY", Narrow::Drop(1)),
        ("STEP", Narrow::Cut(12)),
        ("STATE", Narrow::Keep),
        ("TOOK", Narrow::Keep),
    ]);
    for step in steps {
        let tone = match step.state.as_str() {
            "ok" => Tone::Good,
            "running" => Tone::Busy,
            "failed" => Tone::Bad,
            _ => Tone::Plain,
        };
        table.row([
            Cell::Number(step.epoch.into()),
            step.name.as_str().into(),
            Cell::Toned(tone, step.state.clone()),
            step.duration_ms.map_or(Cell::Nothing, Cell::Took),
        ]);
    }
    table
}
