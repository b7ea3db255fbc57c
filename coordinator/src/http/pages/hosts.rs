//! The fleet: which hosts are there, what is wanted of each, what is wrong with it, and how another one comes in.

use std::collections::BTreeMap;

use askama::Template;
use pointsman_domain::presence::Absence;
use pointsman_domain::{Action, Refusal};
use pointsman_shared::api::fleet::{Host, NewJoinToken};
use pointsman_shared::api::projects::Placement;
use pointsman_shared::name::{HostId, PoolName, TargetName};
use pointsman_store::join_tokens::{self, OpenInvitation};
use pointsman_store::views::hosts::{Examined, Problem};
use pointsman_store::{StoreResult, views};
use serde::{Deserialize, Serialize};

use super::super::extract::{Form, Query};
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::once::Once;
use super::shown::{Mood, Place, Shown};
use super::viewer::Viewer;
use crate::app::App;
use crate::operations::{doctor, invite_host};

/// Hosts on one page.
const ROWS: i64 = 50;
/// Hosts with something wrong that are shown at once.
const SUSPECTS: usize = 500;

/// `?show=problems&after=web-50`
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "hosts.html")]
struct Fleet<'a> {
    rows: Vec<Row<'a>>,
    all: i64,
    well: i64,
    only_problems: bool,
    next: Option<&'a HostId>,
    invited: &'a [OpenInvitation],
    proof: &'a str,
    may: bool,
}

struct Row<'a> {
    host: &'a Host,
    standing: Standing,
    disk: Option<Disk>,
    clock: Option<String>,
    lag: Option<String>,
    /// Targets that want something else of it than what is live.
    apart: Vec<Slot<'a>>,
    targets: usize,
    there: usize,
    troubles: Vec<(String, String)>,
}

/// The filesystem below a host's fullest root.
pub(super) struct Disk {
    pub(super) words: String,
    /// Percent that are in use, where the agent says how large it is.
    pub(super) used: Option<u64>,
}

impl Disk {
    /// As a host last said.
    pub(super) fn of(host: &Host) -> Option<Self> {
        let free = host.free_bytes?;
        // Another root may be the fullest one since the size was told.
        let total = host.total_bytes.filter(|total| *total > 0 && *total >= free);
        Some(Self {
            words: total.map_or_else(
                || format!("{} free", format::bytes(free)),
                |total| format!("{} of {} free", format::bytes(free), format::bytes(total)),
            ),
            used: total.map(|total| 100 - free.saturating_mul(100) / total),
        })
    }
}

/// How far a host's clock is from ours; below a second it is the way that counts.
pub(super) fn clock(offset_ms: i64) -> String {
    let ms = offset_ms.unsigned_abs();
    match offset_ms {
        -999..=999 => "clock within 1s".to_owned(),
        1000.. => format!("clock {} ahead", format::duration(ms)),
        _ => format!("clock {} behind", format::duration(ms)),
    }
}

/// How long it took from an offer to its claim.
pub(super) fn lag(host: &Host) -> Option<String> {
    host.answer_ms.map(|ms| format::brief(ms.into()))
}

/// What a target wants of a host.
pub(super) struct Slot<'a> {
    pub(super) target: &'a TargetName,
    pub(super) placement: &'a Placement,
    pub(super) there: bool,
    pub(super) health: Standing,
}

/// What the page's data are.
#[derive(Serialize)]
struct Data<'a> {
    hosts: Vec<&'a Host>,
    invited: Vec<&'a HostId>,
}

/// `GET /hosts`
pub(super) async fn list(viewer: Viewer, Query(query): Query<ListQuery>) -> Answer<Shown> {
    let found = read(viewer.app(), &query).await?;
    let mut of_host: BTreeMap<&HostId, Vec<_>> = BTreeMap::new();
    for (target, placement) in &found.placements {
        of_host
            .entry(&placement.host)
            .or_default()
            .push(slot(target, placement));
    }
    let rows: Vec<_> = found
        .members
        .iter()
        .map(|member| row(member, of_host.remove(&member.host.id).unwrap_or_default()))
        .collect();
    let data = Data {
        hosts: found.members.iter().map(|member| &member.host).collect(),
        invited: found.invited.iter().map(|open| &open.host).collect(),
    };
    let fleet = Fleet {
        rows,
        all: found.all,
        well: found.all - found.ill,
        only_problems: query.show == "problems",
        next: found.next.as_ref(),
        invited: &found.invited,
        proof: &viewer.proof,
        may: viewer.may(Action::ManageHosts),
    };
    let mood = if found.ill > 0 { Mood::Bad } else { Mood::Good };
    Ok(Shown::new("Fleet", Place::Fleet, &data)?
        .with("fleet", &fleet)?
        .in_mood(mood)
        .like("pointsman hosts"))
}

fn row<'a>(member: &'a Examined, slots: Vec<Slot<'a>>) -> Row<'a> {
    let targets = slots.len();
    let (there, apart): (Vec<_>, Vec<_>) = slots.into_iter().partition(|slot| slot.there);
    Row {
        host: &member.host,
        standing: standing(member),
        disk: Disk::of(&member.host),
        clock: member.host.clock_offset_ms.map(clock),
        lag: lag(&member.host),
        apart,
        targets,
        there: there.len(),
        troubles: troubles(member),
    }
}

/// What the page shows.
struct Found {
    members: Vec<Examined>,
    placements: Vec<(TargetName, Placement)>,
    invited: Vec<OpenInvitation>,
    all: i64,
    ill: i64,
    next: Option<HostId>,
}

async fn read(app: &App, query: &ListQuery) -> StoreResult<Found> {
    let rhythm = app.config.timing.rhythm();
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let suspects = views::hosts::suspects(&mut conn, SUSPECTS, &rhythm).await?;
    let ill = i64::try_from(suspects.len()).unwrap_or_default();
    let rows = usize::try_from(ROWS).unwrap_or_default();
    let after = Some(query.after.as_str()).filter(|after| !after.is_empty());
    let mut members = if query.show == "problems" {
        let mut suspects = suspects;
        suspects.retain(|member| after.is_none_or(|after| member.host.id.as_str() > after));
        suspects
    } else {
        views::hosts::examined(&mut conn, after, ROWS + 1, &rhythm).await?
    };
    let more = members.len() > rows;
    members.truncate(rows);
    let ids: Vec<String> = members.iter().map(|member| member.host.id.to_string()).collect();
    Ok(Found {
        placements: views::placements::on_hosts(&mut conn, &ids, &rhythm).await?,
        invited: join_tokens::open(&mut conn, now).await?,
        all: views::hosts::count(&mut conn).await?,
        ill,
        next: members.last().filter(|_| more).map(|last| last.host.id.clone()),
        members,
    })
}

/// What a target wants of a host, beside what the host says.
pub(super) fn slot<'a>(target: &'a TargetName, placement: &'a Placement) -> Slot<'a> {
    Slot {
        target,
        placement,
        there: placement.desired.is_some() && placement.confirmed == placement.desired,
        health: format::health(&placement.health),
    }
}

/// What is wrong with a host that is a member, each with its cure; a revoked one is nobody's trouble.
pub(super) fn troubles(member: &Examined) -> Vec<(String, String)> {
    if member.host.revoked_at.is_some() {
        return Vec::new();
    }
    doctor::troubles(member)
}

const fn say(sign: &'static str, word: &'static str, tone: &'static str) -> Standing {
    Standing { sign, word, tone }
}

/// Whether a host is there, in a word.
pub(super) fn standing(member: &Examined) -> Standing {
    if member.host.revoked_at.is_some() {
        return say("–", "revoked", "unknown");
    }
    let not_there = member.problems.iter().find_map(|problem| match problem {
        Problem::Absent(Absence::NotJoined) => Some(say("…", "not joined", "wait")),
        Problem::Absent(Absence::Paused(_)) if member.host.running > 0 => Some(say("‖", "draining", "warn")),
        Problem::Absent(Absence::Paused(_)) => Some(say("‖", "paused", "warn")),
        Problem::Absent(Absence::NeverHeard) => Some(say("?", "never heard", "bad")),
        Problem::Absent(Absence::Silent { .. }) => Some(say("✕", "silent", "bad")),
        Problem::Stopped(_) => Some(say("–", "stopped", "warn")),
        Problem::Late(_) => Some(say("!", "late", "warn")),
        Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Disk(_)
        | Problem::Survivors(_)
        | Problem::Root(_)
        | Problem::Drift(_) => None,
    });
    not_there.unwrap_or_else(|| say("✓", "seen", "ok"))
}

/// The form of an invitation.
#[derive(Debug, Deserialize)]
pub(super) struct Invite {
    host: HostId,
    #[serde(default)]
    labels: String,
    #[serde(default)]
    pools: String,
    #[serde(default)]
    minutes: String,
}

/// `POST /hosts/invitations`; the one page that shows the token.
pub(super) async fn invite(viewer: Viewer, Form(form): Form<Invite>) -> Answer<Shown> {
    let wish = NewJoinToken {
        host: form.host,
        labels: labels(&form.labels)?,
        pools: pools(&form.pools)?,
        kinds: Vec::new(),
        ttl_seconds: seconds(&form.minutes)?,
    };
    let made = invite_host::execute(viewer.app(), &viewer.caller.actor, wish).await?;
    let once = Once {
        title: format!("{} may join once", made.host),
        what: format!(
            "On {}, with coordinator.url = \"{}\" and agent.host = \"{}\" in its agent.toml, run this as the agent's user:",
            made.host,
            viewer.app().config.http.public_url,
            made.host
        ),
        lines: vec![(
            "The command, with the token in it",
            format!("pointsman-agent join --token {}", made.token),
        )],
        until: Some(made.expires_at),
        way_back: "Revoking the host on its page, or here while it has not joined, withdraws it.",
        back: "/hosts",
    };
    once.page(Place::Fleet)
}

fn labels(text: &str) -> Answer<BTreeMap<String, String>> {
    let pair = |word: &str| {
        let split = word.split_once('=');
        split
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .ok_or_else(|| {
                let what = format!("{word:?} is no label");
                Refusal::invalid("invalid_labels", what)
                    .hint("write role=web zone=a")
                    .into()
            })
    };
    words(text).map(pair).collect()
}

fn pools(text: &str) -> Answer<Vec<PoolName>> {
    let pool = |word: &str| {
        word.parse().map_err(|error| {
            let what = format!("{word:?} is no pool: {error}");
            Refusal::invalid("pools_and_kinds", what)
                .hint("write default")
                .into()
        })
    };
    words(text).map(pool).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\t', '\r'])
        .filter(|word| !word.is_empty())
}

fn seconds(minutes: &str) -> Answer<Option<u32>> {
    let minutes = minutes.trim();
    if minutes.is_empty() {
        return Ok(None);
    }
    let seconds = minutes
        .parse::<u32>()
        .ok()
        .and_then(|minutes| minutes.checked_mul(60));
    let refusal = || {
        let what = format!("{minutes:?} is no number of minutes");
        Refusal::invalid("invalid_ttl", what).hint("1 to 10080, or nothing for 15")
    };
    Ok(Some(seconds.ok_or_else(refusal)?))
}
