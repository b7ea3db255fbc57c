//! `build` and `versions`

use pointsman_shared::api::releases::{NewRelease, Release};

use super::{files, listing};
use crate::args::{Build, Versions};
use crate::error::CliError;
use crate::exit::Exit;
use crate::follow::{self, Waiter};
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::wording;

/// Asks for a release of a ref.
pub async fn build(session: &Session, args: Build) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let waiter = if args.follow {
        Some(Waiter::subscribe(session, &client).await?)
    } else {
        None
    };
    let wish = NewRelease {
        reference: args.reference,
    };
    let release = client.build(&args.project, &wish).await?;
    let Release {
        project,
        number,
        label,
        reference,
        ..
    } = &release;
    let sentence = format!("build of {project} {reference} as {label} (release #{number})");
    session.printer.step(Tone::Good, "Requested", &sentence);
    if let Some(warning) = without_recipe(&release) {
        session.printer.warn(&warning);
    }
    if let Some(waiter) = waiter {
        return follow::release(session, &client, waiter, release).await;
    }
    session.printer.say(
        Tone::Busy,
        "Next",
        &format!("pointsman logs -f {project} '#{number}'"),
    );
    if let Some(job) = release.job {
        session.printer.undo(&format!("pointsman cancel --job {job}"));
    }
    session
        .printer
        .show(&release, &release_table(std::slice::from_ref(&release)))?;
    Ok(Exit::Ok)
}

/// Lists releases, or shows one.
pub async fn versions(session: &Session, args: Versions) -> Result<Exit, CliError> {
    let client = session.client()?;
    if let Some(spec) = args.release {
        if args.files {
            let wanted = files::Wanted {
                under: args.under.as_deref(),
                deep: args.deep,
            };
            return files::list(session, &args.project, &spec, wanted, args.rows.most()).await;
        }
        if let Some(against) = args.against {
            return match args.file {
                Some(file) => files::lines(session, &args.project, &spec, &against, &file).await,
                None => files::diff(session, &args.project, &spec, &against, args.rows.most()).await,
            };
        }
        let release = client.release(&args.project, &spec).await?;
        session.printer.show_fields(&release, &fields(&release))?;
        return Ok(Exit::Ok);
    }
    let releases = client.releases(&args.project, args.rows.most()).await?;
    let empty = format!("no releases yet; pointsman build {} --follow", args.project);
    listing::show(session, &releases, &release_table(&releases.items), &empty)
}

/// Releases as a table.
pub fn release_table(releases: &[Release]) -> Table {
    let mut table = Table::new([
        ("NO", Narrow::Keep),
        ("RELEASE", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("COMMIT", Narrow::Keep),
        ("SIZE", Narrow::Drop(1)),
        ("AGE", Narrow::Drop(2)),
        ("LIVE ON", Narrow::Cut(16)),
        ("SUBJECT", Narrow::Cut(16)),
        ("AUTHOR", Narrow::Drop(4)),
        ("ASKED BY", Narrow::Drop(3)),
    ]);
    for release in releases {
        table.row([
            Cell::Number(release.number.into()),
            release.label.as_str().into(),
            wording::release_state(release.state),
            short(&release.commit).into(),
            release.total_bytes.map_or(Cell::Nothing, Cell::Bytes),
            Cell::At(release.created_at),
            Cell::list(&release.live_on),
            Cell::Text(release.failure.clone().unwrap_or_else(|| release.subject.clone())),
            release.author.as_str().into(),
            release.requested_by.as_str().into(),
        ]);
    }
    table
}

fn fields(release: &Release) -> Vec<(&'static str, Cell)> {
    let mut fields = vec![
        (
            "release",
            Cell::Text(format!("{} {}", release.project, release.label)),
        ),
        ("number", Cell::Number(release.number.into())),
        ("state", wording::release_state(release.state)),
        ("failure", Cell::maybe(release.failure.as_ref())),
        ("ref", release.reference.as_str().into()),
        ("commit", release.commit.as_str().into()),
        ("subject", release.subject.as_str().into()),
        ("author", release.author.as_str().into()),
        ("digest", Cell::maybe(release.digest.as_ref())),
        ("folder", Cell::maybe(release.folder.as_ref())),
        ("size", release.total_bytes.map_or(Cell::Nothing, Cell::Bytes)),
        (
            "entries",
            release
                .entries
                .and_then(|entries| entries.try_into().ok())
                .map_or(Cell::Nothing, Cell::Number),
        ),
        ("live on", Cell::list(&release.live_on)),
        ("job", release.job.map_or(Cell::Nothing, Cell::Number)),
        ("asked by", release.requested_by.as_str().into()),
        ("asked", Cell::At(release.created_at)),
        ("built", Cell::when(release.built_at)),
    ];
    if let Some(warning) = without_recipe(release) {
        fields.insert(4, ("recipe", Cell::Text(warning)));
    }
    fields
}

/// What a release is that no recipe describes; easily a forgotten file.
fn without_recipe(release: &Release) -> Option<String> {
    (!release.has_recipe).then(|| {
        format!(
            "no pointsman.toml at {}: the commit's tree is the release, nothing is built or checked",
            short(&release.commit)
        )
    })
}

/// The first digits of a commit.
fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
