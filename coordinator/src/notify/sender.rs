//! Sends one delivery once, to whatever kind of receiver its channel has, and says how that went.

use std::time::Duration;

use pointsman_shared::api::notifications::{Notice, Place};
use pointsman_shared::ids::DeliveryId;
use pointsman_store::StoreResult;
use pointsman_store::channels::{ChannelRow, Sealed};
use pointsman_store::deliveries::{self, Due};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::seal::{self, Part};
use super::{door, email, slack, webhook};
use crate::app::App;

/// Slack's own API.
const SLACK: &str = "https://slack.com/api/";

/// How a try went.
#[derive(Debug)]
pub struct Sent {
    /// What was sent.
    pub request: String,
    /// Status of the answer.
    pub status: Option<u16>,
    /// The answer's beginning.
    pub answer: Option<String>,
    /// What it means.
    pub verdict: Verdict,
    /// How the receiver knows the message, when it is to be edited.
    pub handle: Option<Value>,
}

/// What a try means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver took it.
    Taken,
    /// It did not.
    Refused {
        /// Why, in words that hold no secret.
        why: String,
        /// How long it wants to be left alone.
        after: Option<Duration>,
    },
    /// It will never take anything again.
    Gone,
}

impl Verdict {
    fn refused(why: impl Into<String>) -> Self {
        Self::Refused {
            why: why.into(),
            after: None,
        }
    }
}

/// The id of a message, the same at every try.
pub fn message_id(id: DeliveryId) -> String {
    format!("msg_{}", id.0.simple())
}

/// Sends a delivery.
pub async fn send(app: &App, channel: &ChannelRow, due: &Due) -> StoreResult<Sent> {
    Ok(match &channel.place {
        Place::Webhook { .. } => webhook(app, channel, due).await,
        Place::Slack { .. } => incoming(app, channel, due).await,
        Place::SlackBot { channel: to } => bot(app, channel, to, due).await?,
        Place::Email { to } => email(app, channel, to, due).await?,
    })
}

impl Sent {
    /// Nothing was sent.
    fn unsent(request: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            request: request.into(),
            status: None,
            answer: None,
            verdict: Verdict::refused(why),
            handle: None,
        }
    }

    /// What became of an HTTP request.
    fn answered(request: String, answer: Result<door::Answer, String>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return Self::unsent(request, why),
        };
        let verdict = match (answer.status, answer.complaint()) {
            (_, None) => Verdict::Taken,
            (410, Some(_)) => Verdict::Gone,
            (_, Some(why)) => Verdict::Refused {
                why,
                after: answer.retry_after,
            },
        };
        Self {
            request,
            status: Some(answer.status),
            answer: Some(answer.text),
            verdict,
            handle: None,
        }
    }
}

/// What is sealed of a channel, opened.
fn opened(
    app: &App,
    channel: &ChannelRow,
    part: Part,
    sealed: Option<&Sealed>,
) -> Result<Zeroizing<String>, String> {
    let sealed = sealed.ok_or("the channel has nothing sealed")?;
    seal::open(app, channel.id, part, sealed)
}

fn address(app: &App, channel: &ChannelRow) -> Result<Url, String> {
    let text = opened(app, channel, Part::Address, channel.address.as_ref())?;
    Url::parse(&text).map_err(|error| format!("the channel's address cannot be read: {error}"))
}

async fn webhook(app: &App, channel: &ChannelRow, due: &Due) -> Sent {
    let body = match webhook::body(&due.notice) {
        Ok(body) => body,
        Err(error) => return Sent::unsent("", format!("it cannot be written as JSON: {error}")),
    };
    let now = app.clock.now();
    let prepared = (|| {
        let newest = opened(app, channel, Part::Secret, channel.secret.as_ref())?;
        let before = channel.previous.as_ref().filter(|(_, until)| *until > now);
        let before = before.map(|(sealed, _)| opened(app, channel, Part::Secret, Some(sealed)));
        let before = before.transpose()?;
        let secrets: Vec<&str> = [Some(&newest), before.as_ref()]
            .into_iter()
            .flatten()
            .map(|secret| secret.as_str())
            .collect();
        let headers = webhook::headers(&secrets, &message_id(due.id), now.timestamp(), &body);
        Ok((
            address(app, channel)?,
            headers.ok_or("the channel's secret is none")?,
        ))
    })();
    match prepared {
        Ok((url, headers)) => {
            let answer = door::post(&app.config.notify, &url, headers, body.clone()).await;
            Sent::answered(body, answer)
        }
        Err::<_, String>(why) => Sent::unsent(body, why),
    }
}

fn json() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(CONTENT_TYPE, json);
    headers
}

async fn incoming(app: &App, channel: &ChannelRow, due: &Due) -> Sent {
    let body = slack::content(std::slice::from_ref(&due.notice)).to_string();
    match address(app, channel) {
        Ok(url) => {
            let answer = door::post(&app.config.notify, &url, json(), body.clone()).await;
            Sent::answered(body, answer)
        }
        Err(why) => Sent::unsent(body, why),
    }
}

/// Posts the message of a deployment, or edits it.
async fn bot(app: &App, channel: &ChannelRow, to: &str, due: &Due) -> StoreResult<Sent> {
    let (story, handle) = story(app, channel, due, slack::LINES).await?;
    let (method, body) = slack::call(to, handle.as_ref(), &story);
    let body = body.to_string();
    let prepared = (|| {
        let token = opened(app, channel, Part::Address, channel.address.as_ref())?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", *token))
            .map_err(|_| "the token holds what no header can")?;
        bearer.set_sensitive(true);
        let mut headers = json();
        headers.insert(AUTHORIZATION, bearer);
        let base = app.config.notify.slack_api.as_ref().map_or(SLACK, Url::as_str);
        let url = Url::parse(base).and_then(|base| base.join(method));
        Ok((
            url.map_err(|error| format!("notify.slack_api: {error}"))?,
            headers,
        ))
    })();
    let mut sent = match prepared {
        Ok((url, headers)) => {
            let answer = door::post(&app.config.notify, &url, headers, body.clone()).await;
            Sent::answered(body, answer)
        }
        Err::<_, String>(why) => Sent::unsent(body, why),
    };
    if sent.verdict == Verdict::Taken {
        match slack::read(sent.answer.as_deref().unwrap_or_default()) {
            Ok(known) => sent.handle = known.and_then(|known| serde_json::to_value(known).ok()),
            Err(why) => sent.verdict = Verdict::refused(why),
        }
    }
    Ok(sent)
}

/// What was told of the deployment so far, and the message that stands there.
async fn story(
    app: &App,
    channel: &ChannelRow,
    due: &Due,
    most: i64,
) -> StoreResult<(Vec<Notice>, Option<slack::Handle>)> {
    let Some(thread) = &due.thread else {
        return Ok((vec![due.notice.clone()], None));
    };
    let mut conn = app.store.read().await?;
    let story = deliveries::told(&mut conn, channel.id, thread, due.number, most).await?;
    let handle = deliveries::message(&mut conn, channel.id, thread).await?;
    Ok((
        story,
        handle.and_then(|handle| serde_json::from_value(handle).ok()),
    ))
}

/// Sends a mail into the thread of its deployment.
async fn email(app: &App, channel: &ChannelRow, to: &[String], due: &Due) -> StoreResult<Sent> {
    let (story, _) = story(app, channel, due, 2).await?;
    let root = due
        .thread
        .as_ref()
        .map(|thread| format!("{}.{}", thread.replace(' ', "-"), channel.id.0.simple()));
    let Some(section) = &app.config.notify.smtp else {
        return Ok(Sent::unsent(
            "",
            "this coordinator knows no mail server; set notify.smtp",
        ));
    };
    let domain = app.config.http.public_url.host_str().unwrap_or("localhost");
    let mail = email::Mail {
        from: &section.from,
        to,
        notice: &due.notice,
        id: &message_id(due.id),
        thread: root.as_deref().map(|root| (root, story.len() < 2)),
        domain,
    };
    let message = match email::written(&mail) {
        Ok(message) => message,
        Err(why) => return Ok(Sent::unsent("", why)),
    };
    let request = String::from_utf8_lossy(&message.formatted()).into_owned();
    Ok(match email::send(section, domain, message).await {
        Ok((status, answer)) => Sent {
            request,
            status: Some(status),
            answer: Some(answer),
            verdict: Verdict::Taken,
            handle: None,
        },
        Err((status, why)) => Sent {
            status,
            ..Sent::unsent(request, why)
        },
    })
}
