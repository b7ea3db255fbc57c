//! Looks at every host after a step: what `current` says, and what the web server answers.

use std::path::Path;
use std::time::Duration;

use pointsman_shared::api::deployments::Deployment;

use super::narrator::Narrator;
use super::summary::{LiveRelease, ReadBack, TreeCheck};
use super::tree::{TreeEntry, compare};
use pointsman_sandbox::Result;
use pointsman_sandbox::Sandbox;
use pointsman_sandbox::fleet::Host;
use pointsman_sandbox::http;
use pointsman_sandbox::web::RELEASE_HEADER;

/// What should be found.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) project: &'a str,
    pub(crate) release: &'a LiveRelease,
    /// A text of the site's first page.
    pub(crate) page: Option<&'a str>,
    /// What git says of the tree, where the tree is the release.
    pub(crate) tree: Option<&'a [TreeEntry]>,
    /// The deployment that just ended, for its times per host.
    pub(crate) deployment: Option<&'a Deployment>,
}

/// Reads every host and tells what it shows.
pub(crate) async fn all(
    sandbox: &Sandbox,
    narrator: &Narrator,
    expected: &Expected<'_>,
) -> Result<Vec<ReadBack>> {
    let mut read = Vec::new();
    for host in sandbox.web_hosts() {
        let back = one(host, expected).await?;
        narrator.say("read back", &sentence(&back));
        if let Some(tree) = &back.tree {
            narrator.quote(&tree_sentence(tree));
        }
        back.faults.iter().for_each(|fault| narrator.say("WRONG", fault));
        read.push(back);
    }
    Ok(read)
}

async fn one(host: &Host, expected: &Expected<'_>) -> Result<ReadBack> {
    let mut faults = Vec::new();
    let folder = expected.release.folder.as_str();
    let current = host
        .current(expected.project)
        .map(|link| link.display().to_string());
    if current.as_deref() != Some(&format!("releases/{folder}")) {
        faults.push(format!("current should be releases/{folder}"));
    }
    let (mut status, mut answered_by) = (None, None);
    match http::client(None)
        .get(host.site(expected.project)?.url())
        .send()
        .await
    {
        Err(error) => faults.push(format!("the web server does not answer: {}", error.without_url())),
        Ok(answer) => {
            status = Some(answer.status().as_u16());
            answered_by = answer
                .headers()
                .get(RELEASE_HEADER)
                .and_then(|name| name.to_str().ok())
                .map(str::to_owned);
            if answered_by.as_deref() != Some(folder) {
                faults.push(format!("the answer should come from {folder}"));
            }
            let page = answer.text().await.unwrap_or_default();
            if let Some(text) = expected.page
                && !page.contains(text)
            {
                faults.push(format!("the page should say {text:?}"));
            }
        }
    }
    let root = host.root(expected.project);
    let tree = match expected.tree {
        None => None,
        Some(entries) => Some(compare(&root.join("current"), entries)?),
    };
    if let Some(check) = &tree {
        faults.extend(check.differences.iter().cloned());
    }
    let progress = expected.deployment.and_then(|deployment| {
        deployment
            .hosts
            .iter()
            .find(|progress| progress.host.as_str() == host.id())
    });
    Ok(ReadBack {
        host: host.id().to_owned(),
        root: root.display().to_string(),
        current,
        status,
        answered_by,
        duration_ms: progress.and_then(|progress| progress.duration_ms),
        tree,
        faults,
    })
}

fn sentence(back: &ReadBack) -> String {
    let mut parts = vec![format!("{:<6}", back.host)];
    parts.push(format!(
        "current -> {}",
        back.current.as_deref().unwrap_or("(none)")
    ));
    parts.extend(back.status.map(|status| format!("answers {status}")));
    parts.extend(
        back.duration_ms
            .map(|ms| format!("in {:.1}s", Duration::from_millis(ms).as_secs_f64())),
    );
    parts.join("  ")
}

fn tree_sentence(tree: &TreeCheck) -> String {
    let TreeCheck {
        files,
        executables,
        links,
        gitlinks,
        bytes,
        differences,
    } = tree;
    let verdict = if differences.is_empty() {
        "as `git ls-tree -rz` says"
    } else {
        "NOT as `git ls-tree -rz` says"
    };
    format!(
        "{files} files ({executables} executable, {bytes} bytes), {links} links, {gitlinks} gitlinks: {verdict}"
    )
}

/// Leaves a word in the shared folder through the live release, or finds it there: it outlives releases.
pub(crate) fn shared_word(root: &Path, word: Option<&str>) -> Result<String> {
    let file = root.join("current/storage/guestbook.txt");
    if let Some(word) = word {
        fs_err::write(&file, word)?;
    }
    Ok(fs_err::read_to_string(file)?)
}
