//! Values as people type them, parsed once, with an error that says what to type.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pointsman_shared::api::projects::Gate;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::digest::Digest;
use pointsman_shared::name::{HostId, ProjectName, TargetName};
use serde::de::DeserializeOwned;
use url::Url;

/// A project or one of its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every target of a project.
    Project(ProjectName),
    /// One target.
    Target(TargetName),
}

impl Scope {
    /// The project.
    pub fn project(&self) -> &ProjectName {
        match self {
            Self::Project(project) => project,
            Self::Target(target) => &target.project,
        }
    }
}

/// What logs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSubject {
    /// A deployment's jobs.
    Deployment(i64),
    /// The open or newest deployment of a target.
    Target(TargetName),
    /// The build of a release of a project.
    Project(ProjectName),
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A deployment.
    Deployment(i64),
    /// A target.
    Target(TargetName),
    /// A host.
    Host(HostId),
}

/// What has an address of its own.
pub type Thing = LogSubject;

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Before the first `=`.
    pub name: String,
    /// After it.
    pub value: String,
}

/// `shop` or `shop@production`.
pub fn scope(text: &str) -> Result<Scope, String> {
    if text.contains('@') {
        return text.parse().map(Scope::Target).map_err(|error| words(&error));
    }
    text.parse().map(Scope::Project).map_err(|error| words(&error))
}

/// `812`, `#812`, `shop@production` or `shop`.
pub fn log_subject(text: &str) -> Result<LogSubject, String> {
    if let Ok(number) = number(text) {
        return Ok(LogSubject::Deployment(number));
    }
    match scope(text)? {
        Scope::Project(project) => Ok(LogSubject::Project(project)),
        Scope::Target(target) => Ok(LogSubject::Target(target)),
    }
}

/// `812`, `#812`, `shop@production` or `web-1`. A number is a deployment, even where a host is called so.
pub fn subject(text: &str) -> Result<Subject, String> {
    if let Ok(number) = number(text) {
        return Ok(Subject::Deployment(number));
    }
    if text.contains('@') {
        return text.parse().map(Subject::Target).map_err(|error| words(&error));
    }
    text.parse().map(Subject::Host).map_err(|error| words(&error))
}

/// `812`, `#812`, `shop@production` or `shop`, as for logs.
pub fn thing(text: &str) -> Result<Thing, String> {
    log_subject(text)
}

/// `812` or `#812` (the shell takes an unquoted `#` for a comment).
pub fn number(text: &str) -> Result<i64, String> {
    text.strip_prefix('#')
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "write a number, such as 812".to_owned())
}

/// `90s`, `10m`, `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write a time such as 90s, 10m or 1h"))
}

/// A point in time, or so long from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Then.
    At(DateTime<Utc>),
    /// So long from now.
    In(Duration),
    /// So long ago.
    Ago(Duration),
}

impl Moment {
    /// The point in time, seen from `now`.
    pub fn from(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::In(wait) => now + wait,
            Self::Ago(length) => now - length,
        }
    }
}

/// `2026-12-24T03:00Z`, `2026-12-24 03:00` (UTC too), with seconds or without, or `+2h`.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Some(wait) = text.strip_prefix('+') {
        return duration(wait).map(Moment::In);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Moment::At(time.to_utc()));
    }
    let plain = text.trim_end_matches('Z').replace('T', " ");
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&plain, form).ok())
        .map(|time| Moment::At(time.and_utc()))
        .ok_or_else(|| "write a time such as 2026-12-24T03:00Z (in UTC) or +2h".to_owned())
}

/// A moment as [`moment`] takes it, or so long ago: `2h`.
pub fn since(text: &str) -> Result<Moment, String> {
    if let Ok(length) = duration(text) {
        return Ok(Moment::Ago(length));
    }
    moment(text)
        .map_err(|_| "write a time such as 2026-12-24T03:00Z (in UTC), or 2h for two hours ago".to_owned())
}

/// `shop=maintainer`.
pub fn project_role(text: &str) -> Result<(ProjectName, RoleName), String> {
    let form = || "write a project and a role, such as shop=maintainer".to_owned();
    let (project, role) = text.split_once('=').ok_or_else(form)?;
    let role = [RoleName::Viewer, RoleName::Deployer, RoleName::Maintainer]
        .into_iter()
        .find(|known| known.as_str() == role)
        .ok_or_else(|| format!("{role:?} is no role in a project; viewer, deployer or maintainer"))?;
    let project = project
        .parse()
        .map_err(|error: pointsman_shared::name::InvalidName| words(&error))?;
    Ok((project, role))
}

/// 64 hex digits.
pub fn digest(text: &str) -> Result<Digest, String> {
    text.parse()
        .map_err(|_| "write all 64 hex digits that `pointsman plan` printed".to_owned())
}

/// `previous_live` or `mark:tested`.
pub fn gate(text: &str) -> Result<Gate, String> {
    Gate::try_from(text.to_owned())
}

/// An address of a coordinator.
pub fn url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|_| ADDRESS.to_owned())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(ADDRESS.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave user and password out; `pointsman login` keeps a token".to_owned());
    }
    Ok(url)
}

const ADDRESS: &str = "write an address such as https://pointsman.example";

/// `role=web`.
pub fn pair(text: &str) -> Result<Pair, String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| Pair {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

/// One of the words that the API knows, as its own type.
pub fn word<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    words: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<T>(serde_json::Value::String(word)))
}

fn words(error: &pointsman_shared::name::InvalidName) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_carry_their_sign() {
        assert_eq!(number("812"), Ok(812));
        assert_eq!(number("#812"), Ok(812));
        assert!(number("-3").is_err());
        assert!(number("shop").is_err());
    }

    #[test]
    fn times_are_in_utc_or_from_now() {
        let at = |text: &str| match moment(text) {
            Ok(Moment::At(time)) => time.to_rfc3339(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at("2026-12-24T03:00Z"), "2026-12-24T03:00:00+00:00");
        assert_eq!(at("2026-12-24 03:00"), "2026-12-24T03:00:00+00:00");
        assert_eq!(at("2026-12-24T03:00:10+01:00"), "2026-12-24T02:00:10+00:00");
        assert_eq!(moment("+2h"), Ok(Moment::In(Duration::from_hours(2))));
        assert!(moment("tomorrow").is_err());
        assert!(moment("2026-13-24 03:00").is_err());
    }

    #[test]
    fn logs_know_what_they_are_asked_for() {
        assert_eq!(log_subject("#812"), Ok(LogSubject::Deployment(812)));
        assert!(matches!(
            log_subject("shop@production"),
            Ok(LogSubject::Target(_))
        ));
        assert!(matches!(log_subject("shop"), Ok(LogSubject::Project(_))));
        assert!(log_subject("Shop!").is_err());
    }

    #[test]
    fn addresses_carry_no_credentials() {
        assert!(url("https://pointsman.example").is_ok());
        assert!(url("http://127.0.0.1:8080/").is_ok());
        assert!(url("https://lucy:secret@pointsman.example").is_err());
        assert!(url("pointsman.example").is_err());
        assert!(url("file:///tmp").is_err());
    }
}
