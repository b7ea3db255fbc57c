//! Targets: which hosts, where on them, how a deployment goes over them, what it asks for first and what stays behind. The
//! form says all of a target, so that what it does not show cannot be lost by it.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::projects::{
    Document, Gate, NewTarget, OnFailure, PushPattern, Retention, Strategy, WhenBusy,
};
use pointsman_shared::name::{EnvironmentName, ProjectName, RootPath, TargetName};
use pointsman_store::targets::TargetRow;
use serde::Deserialize;

use super::super::super::extract::{Form, Path, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::shown::{Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, named};
use crate::operations::{apply_document, create_target, known};

/// A target as an applied file would describe it.
pub(super) fn described(row: TargetRow) -> NewTarget {
    NewTarget {
        project: row.name.project,
        environment: row.name.environment,
        hosts: row.labels,
        root: Some(row.root),
        strategy: row.strategy,
        retention: row.retention,
        gates: row.gates,
        when_busy: row.when_busy,
        on_push: row.on_push,
    }
}

/// What the form begins with.
pub(super) struct Fields {
    pub(super) hosts: String,
    pub(super) root: String,
    pub(super) waves: String,
    pub(super) strategy: Strategy,
    pub(super) retention: Retention,
    pub(super) gates: String,
    pub(super) when_busy: WhenBusy,
    pub(super) on_push: String,
}

impl Fields {
    /// Of a target that does not exist yet.
    pub(super) fn usual() -> Self {
        let strategy = Strategy::default();
        Self {
            hosts: String::new(),
            root: String::new(),
            waves: strategy.waves.join(" "),
            strategy,
            retention: Retention::default(),
            gates: String::new(),
            when_busy: WhenBusy::default(),
            on_push: String::new(),
        }
    }

    fn of(target: &NewTarget) -> Self {
        let hosts = target.hosts.iter().map(|(name, value)| format!("{name}={value}"));
        Self {
            hosts: joined(hosts),
            root: target.root.as_ref().map(ToString::to_string).unwrap_or_default(),
            waves: target.strategy.waves.join(" "),
            strategy: target.strategy.clone(),
            retention: target.retention.clone(),
            gates: joined(target.gates.iter().map(ToString::to_string)),
            when_busy: target.when_busy,
            on_push: joined(target.on_push.iter().map(ToString::to_string)),
        }
    }
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#[derive(Template)]
#[template(path = "settings/target.html")]
struct One<'a> {
    target: &'a TargetName,
    f: Fields,
    proof: &'a str,
    may: bool,
}

/// `GET /settings/targets/{target}`
pub(super) async fn show(viewer: Viewer, Path(name): Path<TargetName>) -> Answer<Shown> {
    let row = known::target(&mut *viewer.app().store.read().await?, &name).await?;
    let target = described(row);
    let one = One {
        target: &name,
        f: Fields::of(&target),
        proof: &viewer.proof,
        may: viewer.may_in(&name.project, Action::Configure),
    };
    Ok(
        named(&viewer, Part::Projects, &format!("Settings of {name}"), &target)?
            .with("target", &one)?
            .like(format!("pointsman target show {name}")),
    )
}

/// A target as its form says it; words are set apart by blanks or commas.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    /// Of a new one; the other has its own.
    #[serde(default, deserialize_with = "filled")]
    environment: Option<EnvironmentName>,
    hosts: String,
    #[serde(default, deserialize_with = "filled")]
    root: Option<RootPath>,
    #[serde(default)]
    waves: String,
    #[serde(default)]
    max_unavailable: String,
    #[serde(default)]
    max_failures: String,
    on_failure: OnFailure,
    #[serde(default)]
    keep: String,
    #[serde(default)]
    min_age_hours: String,
    #[serde(default)]
    gates: String,
    when_busy: WhenBusy,
    #[serde(default)]
    on_push: String,
}

impl Said {
    fn read(self, project: ProjectName, environment: EnvironmentName) -> Answer<NewTarget> {
        let usual = Retention::default();
        Ok(NewTarget {
            project,
            environment,
            hosts: labels(&self.hosts)?,
            root: self.root,
            strategy: Strategy {
                waves: words(&self.waves).map(str::to_owned).collect(),
                max_unavailable: number("hosts at once", &self.max_unavailable, 0)?,
                max_failures: number("failed hosts", &self.max_failures, 0)?,
                on_failure: self.on_failure,
            },
            retention: Retention {
                keep: number("releases", &self.keep, usual.keep)?,
                min_age_hours: number("hours", &self.min_age_hours, usual.min_age_hours)?,
            },
            gates: parsed("invalid_body", &self.gates, |word| {
                Gate::try_from(word.to_owned())
            })?,
            when_busy: self.when_busy,
            on_push: parsed("invalid_on_push", &self.on_push, str::parse::<PushPattern>)?,
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\t', '\r'])
        .filter(|word| !word.is_empty())
}

fn labels(text: &str) -> Answer<BTreeMap<String, String>> {
    let pair = |word: &str| {
        let pair = word
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| {
            let what = format!("{word:?} is no label");
            Refusal::invalid("invalid_labels", what)
                .hint("write role=web zone=a")
                .into()
        })
    };
    words(text).map(pair).collect()
}

fn number(of: &str, text: &str, absent: u32) -> Answer<u32> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(absent);
    }
    text.parse().map_err(|_| {
        let what = format!("{text:?} is no number of {of}");
        Refusal::invalid("invalid_body", what)
            .hint("a whole number from 0")
            .into()
    })
}

fn parsed<T>(code: &'static str, text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Answer<Vec<T>> {
    let read = |word| parse(word).map_err(|why| Refusal::invalid(code, why).into());
    words(text).map(read).collect()
}

/// `POST /settings/projects/{project}/targets`
pub(super) async fn create(
    viewer: Viewer,
    Path(project): Path<ProjectName>,
    Form(form): Form<Said>,
) -> Answer<Went> {
    let environment = form.environment.clone().ok_or_else(|| {
        Refusal::invalid("invalid_body", "the form names no environment")
            .hint("make one first: pointsman environment create production")
    })?;
    let wish = form.read(project, environment)?;
    let made = create_target::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    Ok(Went(format!("/t/{}", made.name)))
}

/// `POST /settings/targets/{target}`
pub(super) async fn change(
    viewer: Viewer,
    Path(name): Path<TargetName>,
    Form(form): Form<Said>,
) -> Answer<Went> {
    // A document makes what does not exist, and a press here is about what does.
    let before = known::target(&mut *viewer.app().store.read().await?, &name).await?;
    let mut wish = form.read(name.project.clone(), name.environment.clone())?;
    wish.root.get_or_insert(before.root);
    let document = Document {
        targets: vec![wish],
        ..Document::default()
    };
    apply_document::execute(viewer.app(), &viewer.caller.actor, document).await?;
    Ok(Went::telling(&format!("/settings/targets/{name}"), Done::Target))
}
