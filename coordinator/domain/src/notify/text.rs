//! The words of a notification, the same on every channel: a title that stays while a deployment goes on, a line for each
//! thing that happened, and how long it took.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use pointsman_shared::api::notifications::{DeploymentNotice, Notice, Turn};

/// What it is about: `shop@production #812: 1.9.1, asked for by ann`; without a deployment what happened to what.
pub fn title(notice: &Notice) -> String {
    let place = notice.target.as_ref().or(notice.project.as_ref());
    let place = place.or(notice.host.as_ref()).unwrap_or(&notice.installation);
    match &notice.deployment {
        Some(deployment) => {
            let back = match deployment.kind.as_str() {
                "rollback" => "back to ",
                _ => "",
            };
            let DeploymentNotice {
                number, release, by, ..
            } = deployment;
            format!("{place} #{number}: {back}{release}, asked for by {by}")
        }
        None => format!("{place}: {}", words(notice)),
    }
}

/// What happened, in a sentence that begins with its mark.
pub fn line(notice: &Notice) -> String {
    let mark = match notice.turn {
        Turn::Failure => "✗",
        Turn::Recovery => "✓",
        Turn::News => "·",
    };
    let (message, word) = (plain(notice), words(notice));
    let mut line = match &notice.deployment {
        Some(_) if !message.starts_with(&word) => format!("{mark} {word}: {message}"),
        Some(_) | None => format!("{mark} {message}"),
    };
    if let Some(took) = notice.deployment.as_ref().and_then(took) {
        // A text in memory takes whatever is written to it.
        write!(line, " ({took})").ok();
    }
    line
}

/// The last word of the topic, for people: `rolled back`.
fn words(notice: &Notice) -> String {
    let word = notice.topic.rsplit('.').next().unwrap_or_default();
    let word = word.replace('_', " ");
    match (notice.topic.split('.').next(), notice.deployment.is_some()) {
        (Some(family), false) if family != word => format!("{family} {word}"),
        _ => word,
    }
}

/// The message without the place that the title names already.
fn plain(notice: &Notice) -> &str {
    let full = notice.message.as_str();
    let (Some(target), Some(deployment)) = (&notice.target, &notice.deployment) else {
        return full;
    };
    full.strip_prefix(&format!("{target} #{}: ", deployment.number))
        .unwrap_or(full)
}

/// How long a deployment took: `4m02`.
fn took(deployment: &DeploymentNotice) -> Option<String> {
    let seconds = (deployment.ended_at? - deployment.started_at?)
        .num_seconds()
        .max(0);
    Some(match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}"),
    })
}

/// A moment, for people who may sit anywhere.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%F %T UTC").to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn notice(topic: &str, turn: Turn) -> Notice {
        Notice {
            topic: topic.to_owned(),
            turn,
            at: DateTime::UNIX_EPOCH,
            cursor: Some(7),
            installation: "main".to_owned(),
            project: Some("shop".to_owned()),
            environment: Some("production".to_owned()),
            target: Some("shop@production".to_owned()),
            deployment: None,
            job: None,
            host: None,
            message: "something happened".to_owned(),
            url: "https://pointsman.example.org/".to_owned(),
        }
    }

    fn deployment(kind: &str, seconds: Option<i64>) -> DeploymentNotice {
        DeploymentNotice {
            number: 812,
            kind: kind.to_owned(),
            release: "1.9.1".to_owned(),
            commit: "3f9c1e20".to_owned(),
            from: None,
            by: "ann".to_owned(),
            reason: None,
            started_at: Some(DateTime::UNIX_EPOCH),
            ended_at: seconds.map(|seconds| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds)),
        }
    }

    #[test]
    fn a_deployment_keeps_its_title_and_gets_a_line_for_each_thing() {
        let mut notice = notice("deploy.finished", Turn::News);
        notice.deployment = Some(deployment("deploy", Some(242)));
        notice.message = "shop@production #812: live".to_owned();
        assert_eq!(title(&notice), "shop@production #812: 1.9.1, asked for by ann");
        assert_eq!(line(&notice), "· finished: live (4m02)");
        notice.topic = "deploy.rolled_back".to_owned();
        notice.turn = Turn::Failure;
        notice.deployment = Some(deployment("rollback", None));
        notice.message = "shop@production #812: failed on web-1: disk full".to_owned();
        assert_eq!(
            title(&notice),
            "shop@production #812: back to 1.9.1, asked for by ann"
        );
        assert_eq!(line(&notice), "✗ rolled back: failed on web-1: disk full");
        notice.topic = "deploy.failed".to_owned();
        assert_eq!(line(&notice), "✗ failed on web-1: disk full");
    }

    #[test]
    fn what_is_no_deployment_says_what_it_is() {
        let table = [
            (
                notice("drift.found", Turn::Failure),
                "shop@production: drift found",
            ),
            (
                Notice {
                    target: None,
                    ..notice("build.failed", Turn::Failure)
                },
                "shop: build failed",
            ),
            (
                Notice {
                    target: None,
                    project: None,
                    host: Some("web-1".to_owned()),
                    ..notice("agent.back", Turn::Recovery)
                },
                "web-1: agent back",
            ),
            (
                Notice {
                    target: None,
                    project: None,
                    ..notice("test", Turn::News)
                },
                "main: test",
            ),
        ];
        for (notice, expected) in table {
            assert_eq!(title(&notice), expected);
            assert!(line(&notice).ends_with(" something happened"));
        }
    }

    #[test]
    fn times_are_short() {
        let took = |seconds| took(&deployment("deploy", Some(seconds))).unwrap();
        assert_eq!(
            [took(0), took(59), took(60), took(4_000)],
            ["0s", "59s", "1m00", "1h06"]
        );
    }
}
