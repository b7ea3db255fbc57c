//! What releases hold, file by file, and what they could be built of.

use pointsman_shared::api::files::{ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::api::refs::{BranchCommits, RepositoryRefs};
use pointsman_shared::name::ProjectName;
use reqwest::Method;

use super::{Client, Listing, PAGE};
use crate::error::CliError;

impl Client {
    pub async fn refs(&self, project: &ProjectName) -> Result<RepositoryRefs, CliError> {
        self.get(&["projects", project.as_str(), "refs"], &[]).await
    }

    /// The newest commits of a branch that are not built.
    pub async fn commits(&self, project: &ProjectName, branch: &str) -> Result<BranchCommits, CliError> {
        let path = ["projects", project.as_str(), "commits"];
        self.get(&path, &[("branch", branch.to_owned())]).await
    }

    pub async fn fetch(&self, project: &ProjectName) -> Result<RepositoryRefs, CliError> {
        let path = ["projects", project.as_str(), "fetch"];
        self.change(Method::POST, &path, None::<&()>).await
    }

    pub async fn release_files(
        &self,
        project: &ProjectName,
        release: &str,
        under: Option<&str>,
        deep: bool,
        most: usize,
    ) -> Result<Listing<ReleaseFile>, CliError> {
        let path = ["projects", project.as_str(), "releases", release, "files"];
        let under = under.map(|under| ("under", under.to_owned()));
        let deep = deep.then(|| ("deep", "true".to_owned()));
        let query: Vec<_> = under.into_iter().chain(deep).collect();
        self.list(&path, &query, most).await
    }

    /// The difference, with at most so many changes.
    pub async fn release_diff(
        &self,
        project: &ProjectName,
        release: &str,
        against: &str,
        most: usize,
    ) -> Result<ReleaseDiff, CliError> {
        let path = ["projects", project.as_str(), "releases", release, "diff"];
        let mut whole: Option<ReleaseDiff> = None;
        loop {
            let have = whole.as_ref().map_or(0, |whole| whole.items.len());
            let wanted = most.saturating_sub(have).clamp(1, PAGE);
            let mut query = vec![("against", against.to_owned()), ("limit", wanted.to_string())];
            let cursor = whole.as_ref().and_then(|whole| whole.next.clone());
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page: ReleaseDiff = self.get(&path, &query).await?;
            let ends = page.next.is_none() || have + page.items.len() >= most;
            whole = Some(match whole {
                Some(mut whole) => {
                    whole.items.extend(page.items);
                    whole.next = page.next;
                    whole
                }
                None => page,
            });
            if ends && let Some(whole) = whole.take() {
                return Ok(whole);
            }
        }
    }

    pub async fn text_diff(
        &self,
        project: &ProjectName,
        release: &str,
        against: &str,
        file: &str,
    ) -> Result<TextChange, CliError> {
        let path = ["projects", project.as_str(), "releases", release, "diff", "text"];
        let query = [("against", against.to_owned()), ("file", file.to_owned())];
        self.get(&path, &query).await
    }
}
