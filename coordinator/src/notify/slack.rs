//! Messages as Slack and Mattermost take them: to an incoming webhook, or through a bot that edits what it posted, so that
//! one deployment stays one message.

use pointsman_domain::notify::text;
use pointsman_shared::api::notifications::{Notice, Turn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// As many lines of a deployment's story stand in a message.
pub(super) const LINES: i64 = 20;

/// What is under `text` and `attachments`: a title that leads to the dashboard, and a line for each thing that happened.
pub(super) fn content(story: &[Notice]) -> Value {
    let Some(newest) = story.last() else {
        return json!({ "text": "" });
    };
    let title = format!("<{}|{}>", newest.url, escaped(&text::title(newest)));
    let lines: Vec<String> = story.iter().map(|notice| escaped(&text::line(notice))).collect();
    json!({
        "text": title,
        "attachments": [{
            "color": colour(newest.turn),
            "fallback": text::line(newest),
            "text": lines.join("\n"),
        }],
    })
}

const fn colour(turn: Turn) -> &'static str {
    match turn {
        Turn::Failure => "#c0392b",
        Turn::Recovery => "#2e8b57",
        Turn::News => "#5b6770",
    }
}

/// The three signs that mean something to Slack; nobody can be called by a commit's message.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// How Slack knows a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handle {
    pub(super) channel: String,
    pub(super) ts: String,
}

/// The method of the API and its body: a new message, or another text for the one that stands there.
pub(super) fn call(channel: &str, handle: Option<&Handle>, story: &[Notice]) -> (&'static str, Value) {
    let mut body = content(story);
    let Some(handle) = handle else {
        body["channel"] = json!(channel);
        return ("chat.postMessage", body);
    };
    body["channel"] = json!(handle.channel);
    body["ts"] = json!(handle.ts);
    ("chat.update", body)
}

/// What Slack's API says with status 200.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

/// How the message is known, or why there is none.
pub(super) fn read(answer: &str) -> Result<Option<Handle>, String> {
    let Ok(said) = serde_json::from_str::<Said>(answer) else {
        return Err("the answer is not one of Slack's API".to_owned());
    };
    if !said.ok {
        let error = said.error.unwrap_or_else(|| "no reason".to_owned());
        return Err(format!("Slack refused it: {error}"));
    }
    let handle = said.channel.zip(said.ts);
    Ok(handle.map(|(channel, ts)| Handle { channel, ts }))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn notice(topic: &str, turn: Turn, message: &str) -> Notice {
        Notice {
            topic: topic.to_owned(),
            turn,
            at: DateTime::UNIX_EPOCH,
            cursor: None,
            installation: "main".to_owned(),
            project: Some("shop".to_owned()),
            environment: None,
            target: None,
            deployment: None,
            job: None,
            host: None,
            message: message.to_owned(),
            url: "https://pointsman.example.org/".to_owned(),
        }
    }

    #[test]
    fn a_message_holds_the_story_and_calls_nobody() {
        let story = [
            notice("build.failed", Turn::Failure, "<!channel> & co"),
            notice("build.finished", Turn::Recovery, "built"),
        ];
        let expected = json!({
            "text": "<https://pointsman.example.org/|shop: build finished>",
            "attachments": [{
                "color": "#2e8b57",
                "fallback": "✓ built",
                "text": "✗ &lt;!channel&gt; &amp; co\n✓ built",
            }],
        });
        assert_eq!(content(&story), expected);
    }

    #[test]
    fn a_bot_posts_first_and_edits_then() {
        let story = [notice("deploy.started", Turn::News, "it starts")];
        let (method, body) = call("#deploys", None, &story);
        assert_eq!(
            (method, &body["channel"]),
            ("chat.postMessage", &json!("#deploys"))
        );
        let handle = read(r#"{"ok":true,"channel":"C1","ts":"17.1"}"#)
            .unwrap()
            .unwrap();
        let (method, body) = call("#deploys", Some(&handle), &story);
        assert_eq!(
            (method, &body["channel"], &body["ts"]),
            ("chat.update", &json!("C1"), &json!("17.1"))
        );
    }

    #[test]
    fn a_refusal_of_the_api_is_a_failure_though_its_status_is_200() {
        assert_eq!(
            read(r#"{"ok":false,"error":"not_in_channel"}"#).unwrap_err(),
            "Slack refused it: not_in_channel"
        );
        assert!(read("<html>").is_err());
    }
}
