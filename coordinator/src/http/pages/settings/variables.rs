//! Variables: values for build steps and hosts, the narrower scope before the wider. A secret's value is never shown.

use askama::Template;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::projects::{Variable, VariableRef, VariableScope};
use pointsman_shared::name::VariableName;
use pointsman_store::variables;
use serde::Deserialize;

use super::super::super::extract::Form;
use super::super::super::problem::{Answer, Failed};
use super::super::done::Done;
use super::super::shown::{Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::set_variable;

/// Variables at most.
const MOST: i64 = 1000;

#[derive(Template)]
#[template(path = "settings/variables.html")]
struct Variables<'a> {
    rows: Vec<Row<'a>>,
    proof: &'a str,
    may: bool,
}

struct Row<'a> {
    kind: &'static str,
    scope: &'a str,
    variable: &'a Variable,
    may: bool,
}

/// `GET /settings/variables`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let all = variables::list(&mut conn, viewer.sight().as_deref(), None, MOST).await?;
    let scopes: Vec<_> = all.iter().map(|variable| named(&variable.scope)).collect();
    let list = Variables {
        rows: all
            .iter()
            .zip(&scopes)
            .map(|(variable, (kind, scope))| Row {
                kind,
                scope,
                variable,
                may: match &variable.scope {
                    VariableScope::Project(project) => viewer.may_in(project, Action::Configure),
                    VariableScope::Target(target) => viewer.may_in(&target.project, Action::Configure),
                    VariableScope::Environment(_) | VariableScope::Host(_) => viewer.may(Action::Configure),
                },
            })
            .collect(),
        proof: &viewer.proof,
        may: viewer.may_somewhere(Action::Configure),
    };
    Ok(page(&viewer, Part::Variables, &all)?
        .with("variables", &list)?
        .like("pointsman variable ls"))
}

fn named(scope: &VariableScope) -> (&'static str, String) {
    match scope {
        VariableScope::Project(name) => ("project", name.to_string()),
        VariableScope::Environment(name) => ("environment", name.to_string()),
        VariableScope::Target(name) => ("target", name.to_string()),
        VariableScope::Host(name) => ("host", name.to_string()),
    }
}

/// Where, what, and with which value.
#[derive(Debug, Deserialize)]
pub(super) struct Set {
    kind: String,
    scope: String,
    name: VariableName,
    #[serde(default)]
    value: String,
    #[serde(default)]
    secret: Option<String>,
}

impl Set {
    fn scope(&self) -> Answer<VariableScope> {
        let text = self.scope.trim();
        let wrong = |error: &dyn std::fmt::Display| {
            let what = format!("{text:?} is no {}: {error}", self.kind);
            Failed::from(Refusal::invalid("invalid_body", what).hint("name something that exists"))
        };
        Ok(match self.kind.as_str() {
            "project" => VariableScope::Project(text.parse().map_err(|error| wrong(&error))?),
            "environment" => VariableScope::Environment(text.parse().map_err(|error| wrong(&error))?),
            "target" => VariableScope::Target(text.parse().map_err(|error| wrong(&error))?),
            "host" => VariableScope::Host(text.parse().map_err(|error| wrong(&error))?),
            other => {
                let what = format!("{other:?} is no scope");
                return Err(Refusal::invalid("invalid_body", what)
                    .hint("project, environment, target or host")
                    .into());
            }
        })
    }
}

/// `POST /settings/variables/set`
pub(super) async fn set(viewer: Viewer, Form(form): Form<Set>) -> Answer<Went> {
    let wish = Variable {
        scope: form.scope()?,
        name: form.name,
        value: form.value,
        secret: form.secret.is_some(),
    };
    set_variable::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    Ok(Went::telling("/settings/variables", Done::Variable))
}

/// `POST /settings/variables/unset`
pub(super) async fn unset(viewer: Viewer, Form(form): Form<Set>) -> Answer<Went> {
    let wish = VariableRef {
        scope: form.scope()?,
        name: form.name,
    };
    set_variable::remove(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went::telling("/settings/variables", Done::VariableRemoved))
}
