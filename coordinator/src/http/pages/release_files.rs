//! What a release holds, folder by folder. Every folder has an address, and a folder with very many files has pages.

use askama::Template;
use pointsman_shared::api::files::{FileKind, ReleaseFile};
use pointsman_shared::name::{ProjectName, ReleaseLabel};
use serde::{Deserialize, Serialize};

use super::super::extract::{Path, Query};
use super::super::problem::Answer;
use super::filters;
use super::format;
use super::shown::{Place, Shown};
use super::viewer::Viewer;
use crate::operations::{find_release, list_files};

/// Rows of a page.
pub(super) const ROWS: usize = 100;

/// `?under=app/&from=200`
#[derive(Debug, Deserialize)]
pub(super) struct FilesQuery {
    #[serde(default)]
    under: String,
    #[serde(default)]
    from: usize,
}

#[derive(Serialize)]
struct Whole {
    release: ReleaseLabel,
    under: String,
    all: usize,
    items: Vec<ReleaseFile>,
}

#[derive(Template)]
#[template(path = "release_files.html")]
struct Page<'a> {
    project: &'a ProjectName,
    number: u32,
    label: &'a ReleaseLabel,
    /// Each folder on the way here with its address.
    way: Vec<(String, &'a str)>,
    rows: Vec<Row<'a>>,
    total: String,
    files: usize,
    shown: Span,
    under: String,
}

/// Which rows of a longer list are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) of: usize,
}

impl Span {
    /// The rows from one on, of so many.
    pub(super) fn of(from: usize, of: usize) -> Self {
        let from = from.min(of.saturating_sub(1)) / ROWS * ROWS;
        Self {
            from,
            to: from.saturating_add(ROWS).min(of),
            of,
        }
    }

    /// Where the rows before these begin.
    pub(super) fn earlier(self) -> Option<usize> {
        (self.from > 0).then(|| self.from.saturating_sub(ROWS))
    }

    /// Where the rows after these begin.
    pub(super) fn later(self) -> Option<usize> {
        (self.to < self.of).then_some(self.to)
    }

    /// Cuts a list to them.
    pub(super) fn cut<T>(self, items: Vec<T>) -> Vec<T> {
        items
            .into_iter()
            .skip(self.from)
            .take(self.to - self.from)
            .collect()
    }
}

struct Row<'a> {
    file: &'a ReleaseFile,
    name: &'a str,
    size: String,
    /// Where a folder leads.
    folder: Option<String>,
}

/// A value in an address.
pub(super) fn in_address(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// `GET /r/{project}/{release}/files`
pub(super) async fn show(
    viewer: Viewer,
    Path((project, spec)): Path<(ProjectName, String)>,
    Query(query): Query<FilesQuery>,
) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let release = find_release::to_look_at(&mut conn, &project, &spec).await?;
    drop(conn);
    let (built, manifest) = list_files::manifest(viewer.app(), &release).await?;
    let under = query.under.trim_matches('/').to_owned();
    let items = list_files::folder(&manifest, &under)?;
    let shown = Span::of(query.from, items.len());
    let whole = Whole {
        release: release.label.clone(),
        under: under.clone(),
        all: items.len(),
        items: shown.cut(items),
    };
    let ends = under.match_indices('/').map(|(at, _)| at).chain([under.len()]);
    let way = ends
        .filter(|end| *end > 0)
        .filter_map(|end| under.get(..end))
        .map(|path| (in_address(path), path.rsplit('/').next().unwrap_or(path)))
        .collect();
    let page = Page {
        project: &project,
        number: release.number,
        label: &release.label,
        way,
        rows: whole.items.iter().map(row).collect(),
        total: format::bytes(built.total_bytes),
        files: manifest.files(),
        shown,
        under: in_address(&under),
    };
    let title = format!("{project} {} {under}", release.label);
    let command = if under.is_empty() {
        format!("pointsman versions {project} {} --files", release.label)
    } else {
        format!(
            "pointsman versions {project} {} --files --under {under}",
            release.label
        )
    };
    Ok(Shown::new(title.trim_end(), Place::Projects, &whole)?
        .with("files", &page)?
        .like(command))
}

fn row(file: &ReleaseFile) -> Row<'_> {
    Row {
        file,
        name: file.path.rsplit('/').next().unwrap_or(&file.path),
        size: format::bytes(file.size),
        folder: (file.kind == FileKind::Folder).then(|| in_address(&file.path)),
    }
}
