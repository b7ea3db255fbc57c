//! What files a release has added, removed and changed against another, and the lines of one that changed.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::files::{FileChange, FileFate, ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::name::{ProjectName, ReleaseLabel};
use pointsman_store::releases::ReleaseRow;
use pointsman_store::views;
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query};
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::release_files::{Span, in_address};
use super::shown::{Place, Shown};
use super::viewer::Viewer;
use crate::error::OperationError;
use crate::operations::{compare_releases, find_release};

/// Releases that can be chosen for a comparison.
const MOST: i64 = 200;

/// `?against=1.9.0&from=200&file=app/main.js`
#[derive(Debug, Deserialize)]
pub(super) struct DiffQuery {
    #[serde(default)]
    against: String,
    #[serde(default)]
    from: usize,
    #[serde(default)]
    file: String,
}

#[derive(Serialize)]
struct Whole {
    diff: Option<ReleaseDiff>,
    text: Option<TextChange>,
}

#[derive(Template)]
#[template(path = "release_diff.html")]
struct Page<'a> {
    project: &'a ProjectName,
    number: u32,
    label: &'a ReleaseLabel,
    others: Vec<(&'a Release, bool)>,
    against: Option<u32>,
    diff: Option<&'a ReleaseDiff>,
    rows: Vec<Row<'a>>,
    shown: Span,
    sizes: String,
    may_read: bool,
}

struct Row<'a> {
    change: &'a FileChange,
    standing: Standing,
    was: String,
    is: String,
    /// Address of its lines.
    lines: Option<String>,
}

#[derive(Template)]
#[template(path = "release_text.html")]
struct Lines<'a> {
    file: &'a str,
    refused: Option<String>,
    unified: Vec<(&'static str, &'a str)>,
}

/// `GET /r/{project}/{release}/diff`
pub(super) async fn show(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
    Query(query): Query<DiffQuery>,
) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
    let mut others = views::releases::page(&mut conn, &project, None, MOST).await?;
    others.retain(|other| other.state == ReleaseState::Built && other.number != release.number);
    let wanted = match query.against.trim() {
        // The one that was built before it.
        "" => others
            .iter()
            .find(|other| other.number < release.number)
            .map(|before| format!("#{}", before.number)),
        named => Some(named.to_owned()),
    };
    let against = match wanted {
        Some(wanted) => Some(find_release::to_look_at(&mut conn, &project, &wanted).await?),
        None => None,
    };
    drop(conn);
    let (whole, shown, refused) = read(&viewer, against.as_ref(), &release, &query).await?;
    let number = against.as_ref().map(|against| against.number);
    let changes = || whole.diff.iter().flat_map(|diff| &diff.items);
    let page = Page {
        project: &project,
        number: release.number,
        label: &release.label,
        others: others
            .iter()
            .map(|other| (other, Some(other.number) == number))
            .collect(),
        against: number,
        diff: whole.diff.as_ref(),
        rows: changes().map(|change| row(change, number)).collect(),
        shown,
        sizes: whole.diff.as_ref().map(sizes).unwrap_or_default(),
        may_read: viewer.may_in(&project, Action::Build),
    };
    let label = &release.label;
    let other = whole.diff.as_ref().map_or("OTHER", |diff| diff.against.as_str());
    let mut drawn = Shown::new(
        format!("{project} {label} against {other}"),
        Place::Projects,
        &whole,
    )?
    .with("diff", &page)?
    .like(format!("pointsman versions {project} {label} --against {other}"));
    if !query.file.is_empty() {
        let unified = whole.text.iter().flat_map(|text| text.unified.lines());
        let lines = Lines {
            file: &query.file,
            refused,
            unified: unified.map(line).collect(),
        };
        drawn = drawn.with("text", &lines)?;
    }
    Ok(drawn)
}

/// What differs, which of it is shown, and why a file's lines are not.
async fn read(
    viewer: &Viewer,
    against: Option<&ReleaseRow>,
    release: &ReleaseRow,
    query: &DiffQuery,
) -> Answer<(Whole, Span, Option<String>)> {
    let Some(against) = against else {
        let nothing = Whole {
            diff: None,
            text: None,
        };
        return Ok((nothing, Span::of(0, 0), None));
    };
    let mut diff = compare_releases::diff(viewer.app(), against, release).await?;
    let shown = Span::of(query.from, diff.items.len());
    diff.items = shown.cut(std::mem::take(&mut diff.items));
    let (mut text, mut refused) = (None, None);
    if !query.file.is_empty() {
        let actor = &viewer.caller.actor;
        match compare_releases::text(viewer.app(), actor, against, release, &query.file).await {
            Ok(read) => text = Some(read),
            Err(OperationError::Refused(refusal)) => refused = Some(refusal.what),
            Err(error) => return Err(error.into()),
        }
    }
    let diff = Some(diff);
    Ok((Whole { diff, text }, shown, refused))
}

fn sizes(diff: &ReleaseDiff) -> String {
    let (before, after) = (diff.bytes_before, diff.bytes_after);
    let grown = format::bytes(after.abs_diff(before));
    let all = format!("{} → {}", format::bytes(before), format::bytes(after));
    match after.cmp(&before) {
        std::cmp::Ordering::Greater => format!("{all}, {grown} more"),
        std::cmp::Ordering::Less => format!("{all}, {grown} less"),
        std::cmp::Ordering::Equal => all,
    }
}

fn row(change: &FileChange, against: Option<u32>) -> Row<'_> {
    let standing = match change.fate {
        FileFate::Added => ("+", "added", "ok"),
        FileFate::Removed => ("−", "removed", "bad"),
        FileFate::Changed => ("~", "changed", "warn"),
    };
    let address = |against: u32| format!("?against=%23{against}&file={}#text", in_address(&change.path));
    Row {
        change,
        standing: Standing {
            sign: standing.0,
            word: standing.1,
            tone: standing.2,
        },
        was: side(change.before.as_ref(), change.after.as_ref()),
        is: side(change.after.as_ref(), change.before.as_ref()),
        lines: against
            .filter(|_| compare_releases::is_readable(change))
            .map(address),
    }
}

/// A side of a change: its size, and what else is not as on the other one.
fn side(this: Option<&ReleaseFile>, other: Option<&ReleaseFile>) -> String {
    let Some(this) = this else {
        return String::new();
    };
    let mut told = match &this.link {
        Some(link) => format!("→ {link}"),
        None => format::bytes(this.size),
    };
    if other.is_some_and(|other| other.mode != this.mode) {
        told.push_str(", mode ");
        told.push_str(&this.mode);
    }
    told
}

/// A line of a unified diff with its class.
fn line(text: &str) -> (&'static str, &str) {
    match text.as_bytes().first() {
        Some(b'+') => ("add", text),
        Some(b'-') => ("del", text),
        Some(b'@') => ("quiet", text),
        Some(_) | None => ("", text),
    }
}
