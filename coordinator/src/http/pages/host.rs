//! One host: what is wanted of it and what it says, what is wrong and what to do, what it did, and its end.

use std::collections::HashMap;

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::fleet::{Host, NewHostPause};
use pointsman_shared::name::HostId;
use pointsman_store::views;
use pointsman_store::views::host_jobs::{self, HostJob};
use pointsman_store::views::host_versions::{self, Version};
use pointsman_store::views::hosts::Examined;
use serde::{Deserialize, Serialize};

use super::super::extract::{Form, Path};
use super::super::hosts::one;
use super::super::problem::Answer;
use super::format::{self, Standing};
use super::hosts::{Disk, Slot, clock, lag, slot, standing, troubles};
use super::shown::{Mood, Place, Shown, Went};
use super::versions::{self, Versions};
use super::viewer::Viewer;
use super::why::{self, Apart};
use crate::operations::{pause_host, revoke_host};

/// Jobs that are shown.
const JOBS: i64 = 20;

#[derive(Template)]
#[template(path = "host_head.html")]
struct Head<'a> {
    host: &'a Host,
    standing: Standing,
    troubles: &'a [(String, String)],
    disk: Option<Disk>,
    clock: Option<String>,
    lag: Option<String>,
    proof: &'a str,
    may: bool,
    live: usize,
}

#[derive(Template)]
#[template(path = "host_placements.html")]
struct Placements<'a> {
    slots: Vec<(Slot<'a>, Option<Apart>)>,
}

#[derive(Template)]
#[template(path = "host_jobs.html")]
struct Jobs<'a> {
    host: &'a Host,
    jobs: Vec<(&'a HostJob, Standing)>,
}

#[derive(Serialize)]
struct Data<'a> {
    host: &'a Host,
    troubles: &'a [(String, String)],
    jobs: &'a [HostJob],
    versions: &'a [Version],
}

/// `GET /h/{host}`
pub(super) async fn show(viewer: Viewer, Path(id): Path<HostId>) -> Answer<Shown> {
    let rhythm = viewer.app().config.timing.rhythm();
    let mut conn = viewer.app().store.read().await?;
    let Some(member) = views::hosts::examine(&mut conn, &id, &rhythm).await? else {
        drop(conn);
        // Its refusal says what there is instead.
        one(viewer.caller.clone(), Path(id)).await?;
        return Shown::new("Host", Place::Fleet, &());
    };
    let placements = views::placements::on_hosts(&mut conn, &[id.to_string()], &rhythm).await?;
    let jobs = host_jobs::newest(&mut conn, &id, JOBS).await?;
    let now = pointsman_store::now(&mut conn).await?;
    let versions = host_versions::of(&mut conn, &id, versions::since(now), versions::MOST).await?;
    let under_way: HashMap<_, _> = views::placements::under_way(&mut conn, &id)
        .await?
        .into_iter()
        .collect();
    let slots: Vec<_> = placements
        .iter()
        .map(|(target, placement)| {
            let open = under_way.get(target).copied();
            (slot(target, placement), why::apart(target, open, placement))
        })
        .collect();
    let troubles = troubles(&member);
    let head = Head {
        host: &member.host,
        standing: standing(&member),
        troubles: &troubles,
        disk: Disk::of(&member.host),
        clock: member.host.clock_offset_ms.map(clock),
        lag: lag(&member.host),
        proof: &viewer.proof,
        may: viewer.may(Action::ManageHosts) && member.host.revoked_at.is_none(),
        live: slots
            .iter()
            .filter(|(slot, _)| slot.placement.confirmed.is_some())
            .count(),
    };
    let mood = mood(&member, &troubles);
    let data = Data {
        host: &member.host,
        troubles: &troubles,
        jobs: &jobs,
        versions: &versions,
    };
    let list = Jobs {
        host: &member.host,
        jobs: jobs.iter().map(|job| (job, format::job(job.state))).collect(),
    };
    Ok(
        Shown::new(format!("{id} {}", head.standing.word), Place::Fleet, &data)?
            .with("head", &head)?
            .with("placements", &Placements { slots })?
            .with("versions", &Versions::of(&versions, now))?
            .with("jobs", &list)?
            .in_mood(mood)
            .like(format!("pointsman hosts show {id}")),
    )
}

fn mood(member: &Examined, troubles: &[(String, String)]) -> Mood {
    if !troubles.is_empty() {
        Mood::Bad
    } else if member.host.running > 0 {
        Mood::Running
    } else {
        Mood::Good
    }
}

/// Why it rests.
#[derive(Debug, Deserialize)]
pub(super) struct Why {
    reason: String,
}

/// `POST /h/{host}/pause`
pub(super) async fn pause(viewer: Viewer, Path(id): Path<HostId>, Form(why): Form<Why>) -> Answer<Went> {
    let wish = NewHostPause { reason: why.reason };
    pause_host::pause(viewer.app(), &viewer.caller.actor, &id, &wish).await?;
    Ok(Went(format!("/h/{id}")))
}

/// `POST /h/{host}/resume`
pub(super) async fn resume(viewer: Viewer, Path(id): Path<HostId>) -> Answer<Went> {
    pause_host::resume(viewer.app(), &viewer.caller.actor, &id).await?;
    Ok(Went(format!("/h/{id}")))
}

/// `POST /h/{host}/revoke`
pub(super) async fn revoke(viewer: Viewer, Path(id): Path<HostId>) -> Answer<Went> {
    revoke_host::execute(viewer.app(), &viewer.caller.actor, &id).await?;
    Ok(Went("/hosts".to_owned()))
}
