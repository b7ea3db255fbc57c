//! The audit trail: who did what to what, when and from where, as a page, as JSON and as CSV; and whether it is as it was
//! written.

use askama::Template;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::tokens::{AuditChain, AuditEntry};
use pointsman_store::views::audit::{Wanted, page};
use serde::{Deserialize, Serialize};

use super::super::extract::{Query, filled};
use super::super::problem::Answer;
use super::audited;
use super::csv::Csv;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;
use crate::operations::verify_audit;

/// Rows of a page.
const ROWS: i64 = 90;
/// Rows of a file.
const MOST: i64 = 100_000;

/// `?who=lucy&what=deployment&object=shop&since=2026-11-20&until=2026-11-27&before=812`
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default, deserialize_with = "filled")]
    who: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    what: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    object: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    since: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    until: Option<String>,
    #[serde(default)]
    before: Option<i64>,
}

impl Which {
    fn wanted(&self) -> Answer<Wanted<'_>> {
        Ok(Wanted {
            before: self.before,
            who: self.who.as_deref(),
            principal: None,
            what: self.what.as_deref(),
            object: self.object.as_deref(),
            since: self.since.as_deref().map(moment).transpose()?,
            until: self.until.as_deref().map(end).transpose()?,
        })
    }

    /// The same filters again, for links.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let filters = [
            ("who", &self.who),
            ("what", &self.what),
            ("object", &self.object),
            ("since", &self.since),
            ("until", &self.until),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// A moment, or the begin of a day.
fn moment(text: &str) -> Answer<DateTime<Utc>> {
    let moment = text.parse::<DateTime<Utc>>().ok();
    let day = day(text).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let refusal = || {
        let what = format!("{text:?} is no day");
        Refusal::invalid("invalid_time", what).hint("write 2026-11-20 or 2026-11-20T08:00:00Z")
    };
    Ok(moment.or(day).ok_or_else(refusal)?)
}

/// A moment, or the end of a day: the day itself is meant, too.
fn end(text: &str) -> Answer<DateTime<Utc>> {
    moment(
        &day(text)
            .and_then(|day| day.succ_opt())
            .map_or_else(|| text.to_owned(), |day| day.to_string()),
    )
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Trail<'a> {
    which: &'a Which,
    rows: Vec<Row<'a>>,
    next: Option<i64>,
    query: String,
}

struct Row<'a> {
    act: &'a AuditEntry,
    refused: bool,
    way: &'static str,
    link: Option<String>,
    details: String,
}

/// Pages of admins, which nobody else is led to.
const OF_ADMINS: [&str; 2] = ["/settings/accounts", "/settings/tokens"];

fn row<'a>(act: &'a AuditEntry, viewer: &Viewer) -> Row<'a> {
    let refused = act.result == "refused";
    let may_go = |link: &String| viewer.may(Action::ManageTokens) || !OF_ADMINS.contains(&link.as_str());
    Row {
        act,
        refused,
        way: way(act),
        // What was refused may be about something that does not exist.
        link: audited::page_of(&act.action, &act.object)
            .filter(|_| !refused)
            .filter(may_go),
        details: details(&act.detail),
    }
}

/// As what somebody came: the trail knows whose key it was, not which program held it.
fn way(act: &AuditEntry) -> &'static str {
    match act.kind.as_str() {
        "user" => "signed in",
        "token" => "token",
        "agent" => "agent",
        "schedule" => "schedule",
        _ => "Pointsman",
    }
}

/// The data of a page of the trail.
#[derive(Serialize)]
struct Data<'a> {
    items: &'a [AuditEntry],
    /// Pass it as `before` to get the next page; none on the last.
    next: Option<i64>,
}

/// `GET /audit`
pub(super) async fn show(viewer: Viewer, Query(which): Query<Which>) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let mut acts = page(&mut conn, which.wanted()?, ROWS + 1).await?;
    let shown = usize::try_from(ROWS).unwrap_or_default();
    let more = acts.len() > shown;
    acts.truncate(shown);
    let next = acts.last().filter(|_| more).map(|last| last.number);
    let trail = Trail {
        which: &which,
        rows: acts.iter().map(|act| row(act, &viewer)).collect(),
        next,
        query: which.query(),
    };
    let data = Data { items: &acts, next };
    Ok(Shown::new("Audit", Place::Audit, &data)?
        .with("audit", &trail)?
        .in_mood(Mood::Quiet)
        .like("pointsman audit"))
}

/// What an act says of itself, in a line: names and values, nothing that is empty.
fn details(detail: &serde_json::Value) -> String {
    let Some(fields) = detail.as_object() else {
        return String::new();
    };
    let line = fields
        .iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(name, value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            format!("{name}: {value}")
        });
    line.collect::<Vec<_>>().join(", ")
}

fn is_empty(value: &serde_json::Value) -> bool {
    value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// `GET /audit.csv`
pub(super) async fn csv(viewer: Viewer, Query(which): Query<Which>) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    let acts = page(&mut conn, which.wanted()?, MOST).await?;
    let columns = [
        "number", "at", "actor", "address", "action", "object", "result", "detail", "kind",
    ];
    let mut file = Csv::new("audit.csv", columns);
    for act in acts {
        file.row([
            act.number.to_string(),
            act.at.to_rfc3339(),
            act.actor,
            act.address.unwrap_or_default(),
            act.action,
            act.object,
            act.result,
            act.detail.to_string(),
            act.kind,
        ]);
    }
    Ok(file.into_answer())
}

#[derive(Template)]
#[template(path = "audit_chain.html")]
struct Chain<'a> {
    chain: &'a AuditChain,
}

/// `GET /audit/chain`; recomputes all of it, so nothing repeats it by itself.
pub(super) async fn chain(viewer: Viewer) -> Answer<Shown> {
    let chain = verify_audit::execute(viewer.app(), &viewer.caller.actor).await?;
    let mood = if chain.broken.is_some() {
        Mood::Bad
    } else {
        Mood::Good
    };
    Ok(Shown::new("Audit chain", Place::Audit, &chain)?
        .with("chain", &Chain { chain: &chain })?
        .in_mood(mood)
        .once()
        .like("pointsman audit --verify"))
}
