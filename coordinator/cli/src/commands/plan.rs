//! `plan`: what a deployment would do, with the hash that a deployment may insist on.

use pointsman_shared::api::plans::{CommitLine, NewPlan, Plan, PlannedCommits, PlannedRelease, Usual};

use crate::args::MakePlan;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::{text, wording};

/// Makes a plan and shows it.
pub async fn plan(session: &Session, args: MakePlan) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let wish = NewPlan {
        target: args.target,
        release: args.release,
        waves: args.waves,
        on_failure: args.on_failure,
    };
    let plan = session.client()?.plan(&wish).await?;
    let printer = &session.printer;
    printer.show_fields(&plan, &fields(&plan))?;
    if printer.format() == Format::Table {
        for (title, commits) in [("come", &plan.commits.coming), ("go", &plan.commits.going)] {
            if !commits.is_empty() {
                printer.line(&format!("\nCommits that {title}"))?;
                printer.show(commits, &table(commits))?;
            }
        }
        if let Some(newer) = &plan.newer {
            let more = if newer.more { " and more" } else { "" };
            let count = newer.commits.len();
            printer.line(&format!(
                "\nNot included: {count}{more} newer on {}",
                newer.branch
            ))?;
            printer.show(&newer.commits, &table(&newer.commits))?;
        }
    }
    for obstacle in &plan.obstacles {
        printer.warn(obstacle);
    }
    let Plan { agreed, hash, .. } = &plan;
    let next = format!(
        "pointsman deploy {} {} --plan {hash}",
        agreed.target, agreed.release.label
    );
    if plan.obstacles.is_empty() {
        printer.say(Tone::Busy, "Next", &next);
    } else {
        printer.note(&format!("it would be refused or wait right now; later: {next}"));
    }
    Ok(Exit::Ok)
}

fn fields(plan: &Plan) -> Vec<(&'static str, Cell)> {
    let agreed = &plan.agreed;
    let release = |release: &PlannedRelease| {
        let PlannedRelease {
            number,
            label,
            digest,
            ..
        } = release;
        Cell::Text(format!("{label} (#{number}, {})", digest.short()))
    };
    let told = plan
        .notes
        .iter()
        .map(|note| (note.host.to_string(), note.note.clone()));
    let notes: Vec<String> = wording::told_once(told)
        .into_iter()
        .map(|(hosts, note)| format!("{hosts}: {note}"))
        .collect();
    vec![
        ("target", Cell::Text(agreed.target.to_string())),
        ("release", release(&agreed.release)),
        ("live now", agreed.from.as_ref().map_or(Cell::Nothing, release)),
        ("commits", Cell::Text(commits(&plan.commits))),
        ("before", Cell::list(&agreed.pre_migrations)),
        ("later", Cell::list(&plan.post_migrations)),
        ("waves", Cell::Text(waves(plan))),
        (
            "on failure",
            wording::on_failure(agreed.strategy.on_failure).into(),
        ),
        (
            "usually",
            plan.expected
                .map_or(Cell::Nothing, |usual| Cell::Text(usually(usual))),
        ),
        ("way back", Cell::Text(way_back(plan))),
        (
            "hosts",
            Cell::maybe((!notes.is_empty()).then(|| notes.join("; "))),
        ),
        ("plan", Cell::Text(plan.hash.to_string())),
    ]
}

/// `7 come, none goes`
fn commits(commits: &PlannedCommits) -> String {
    if let Some(why) = &commits.unknown {
        return why.clone();
    }
    let more = if commits.more { ", and more" } else { "" };
    format!("{} come, {} go{more}", commits.coming.len(), commits.going.len())
}

/// `web-1 | web-2, web-3`
fn waves(plan: &Plan) -> String {
    let wave = |hosts: &Vec<pointsman_shared::name::HostId>| {
        let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let waves: Vec<_> = plan.agreed.waves.iter().map(wave).collect();
    waves.join(" | ")
}

/// `3m40 (2m50 to 5m10 in 12 runs)`
pub fn usually(usual: Usual) -> String {
    let time = |milliseconds| text::duration(std::time::Duration::from_millis(milliseconds));
    let runs = usize::try_from(usual.runs).unwrap_or(usize::MAX);
    format!(
        "{} ({} to {} in {})",
        time(usual.median_ms),
        time(usual.low_ms),
        time(usual.high_ms),
        text::counted(runs, "run")
    )
}

fn way_back(plan: &Plan) -> String {
    let hosts: usize = plan.agreed.waves.iter().map(Vec::len).sum();
    let back = &plan.way_back;
    match (&back.to, &back.note) {
        (Some(to), None) => format!("{to}, ready on {}/{hosts} hosts", back.ready_on),
        (Some(to), Some(note)) => format!("{to}, ready on {}/{hosts} hosts; {note}", back.ready_on),
        (None, note) => note.clone().unwrap_or_else(|| "none".to_owned()),
    }
}

fn table(commits: &[CommitLine]) -> Table {
    let mut table = Table::new([
        ("COMMIT", Narrow::Keep),
        ("SUBJECT", Narrow::Cut(16)),
        ("AUTHOR", Narrow::Drop(1)),
        ("AGE", Narrow::Drop(2)),
    ]);
    for commit in commits {
        table.row([
            commit.id.get(..10).unwrap_or(&commit.id).into(),
            commit.subject.as_str().into(),
            commit.author.as_str().into(),
            Cell::At(commit.at),
        ]);
    }
    table
}
