//! Rules: which notifications a channel gets.

use pointsman_shared::api::notifications::{Notice, Turn};
use pointsman_shared::name::{EnvironmentName, ProjectName};

use super::Topic;
use crate::Refusal;
use crate::nearest::nearest;

/// Which topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// What went wrong, and what is right again.
    FailuresAndRecoveries,
    /// These: `deploy.failed`, `deploy.*` or `*`.
    Topics(Vec<String>),
}

impl Selection {
    /// Patterns that were read before; none of them is the default. One that is known only to a newer coordinator
    /// meets nothing here.
    pub fn stored(patterns: Vec<String>) -> Self {
        if patterns.is_empty() {
            return Self::FailuresAndRecoveries;
        }
        Self::Topics(patterns)
    }

    /// Reads patterns as people write them.
    pub fn read(patterns: &[String]) -> Result<Self, Refusal> {
        for pattern in patterns {
            if !Topic::ALL.iter().any(|topic| matches(pattern, topic.as_str())) {
                let what = format!("there is no event {pattern:?} to be told of");
                let known = Topic::ALL.iter().map(|topic| topic.as_str());
                let hint = match nearest(pattern, known.clone()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                };
                return Err(Refusal::invalid("unknown_event", what).hint(hint));
            }
        }
        Ok(Self::stored(patterns.to_vec()))
    }

    fn takes(&self, notice: &Notice) -> bool {
        match self {
            Self::FailuresAndRecoveries => match notice.turn {
                Turn::Failure | Turn::Recovery => true,
                Turn::News => false,
            },
            Self::Topics(patterns) => patterns.iter().any(|pattern| matches(pattern, &notice.topic)),
        }
    }
}

fn matches(pattern: &str, topic: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(family) => family.ends_with('.') && topic.starts_with(family),
        None => pattern == topic,
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Only of this project; what belongs to none, such as a host, is left out then.
    pub project: Option<ProjectName>,
    /// Only in these environments, when there are any; what belongs to none, such as a build, is left out then.
    pub environments: Vec<EnvironmentName>,
    /// Which topics.
    pub selection: Selection,
}

impl Rule {
    /// Whether a notification is for its channel.
    pub fn takes(&self, notice: &Notice) -> bool {
        let is = |wanted: &str, given: &Option<String>| given.as_deref() == Some(wanted);
        let of_project = self
            .project
            .as_ref()
            .is_none_or(|project| is(project.as_str(), &notice.project));
        let in_environment = self.environments.is_empty()
            || self
                .environments
                .iter()
                .any(|environment| is(environment.as_str(), &notice.environment));
        of_project && in_environment && self.selection.takes(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::notice;
    use super::*;

    fn rule(project: Option<&str>, environments: &[&str], events: &[&str]) -> Rule {
        let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        Rule {
            project: project.map(|project| project.parse().unwrap()),
            environments: environments.iter().map(|name| name.parse().unwrap()).collect(),
            selection: Selection::read(&events).unwrap(),
        }
    }

    #[test]
    fn rules_take_what_they_name_and_nothing_else() {
        let failed = notice("deploy.failed", Turn::Failure);
        let started = notice("deploy.started", Turn::News);
        let built = Notice {
            target: None,
            environment: None,
            ..notice("build.failed", Turn::Failure)
        };
        let host = Notice {
            project: None,
            ..built.clone()
        };
        let table: [(Rule, [bool; 4]); 9] = [
            (rule(None, &[], &[]), [true, false, true, true]),
            (rule(Some("shop"), &[], &[]), [true, false, true, false]),
            (rule(Some("blog"), &[], &["*"]), [false; 4]),
            (rule(None, &["production"], &["*"]), [true, true, false, false]),
            (rule(None, &["beta"], &["*"]), [false; 4]),
            (
                rule(None, &["beta", "production"], &[]),
                [true, false, false, false],
            ),
            (rule(None, &[], &["deploy.*"]), [true, true, false, false]),
            (
                rule(None, &[], &["deploy.started", "build.*"]),
                [false, true, true, true],
            ),
            (
                rule(Some("shop"), &["production"], &["deploy.started"]),
                [false, true, false, false],
            ),
        ];
        for (rule, expected) in table {
            let taken = [&failed, &started, &built, &host].map(|notice| rule.takes(notice));
            assert_eq!(taken, expected, "{rule:?}");
        }
    }

    #[test]
    fn a_recovery_is_taken_by_default() {
        let back = notice("deploy.finished", Turn::Recovery);
        assert!(rule(None, &[], &[]).takes(&back));
    }

    #[test]
    fn a_pattern_that_meets_nothing_is_refused() {
        let read = |pattern: &str| Selection::read(&[pattern.to_owned()]);
        for wrong in ["deploy.fails", "deploy", "dep*", "", "nothing.*"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let refusal = read("deploy.faild").unwrap_err();
        assert_eq!(refusal.hint.as_deref(), Some("did you mean deploy.failed?"));
    }
}
