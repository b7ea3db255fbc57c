//! Turns numbered events into deliveries: reads on from the stored cursor, asks the rules, and puts each delivery in the
//! transaction that moves the cursor. So no event is skipped and none is told twice to a channel, however many
//! coordinators do this.
//!
//! Nothing is sent here; a receiver that is down delays no event.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use pointsman_domain::notify::{Bearing, Fact, Topic, turn};
use pointsman_shared::api::notifications::Notice;
use pointsman_shared::ids::{ChannelId, DeliveryId};
use pointsman_store::deliveries::{self, NewDelivery};
use pointsman_store::notices::{self, EventRow, Told};
use pointsman_store::notification_rules::{self, ActiveRule};
use pointsman_store::{StoreResult, Transaction};

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Events read at once.
const PAGE: i64 = 500;

/// How far a pass got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collected {
    /// Every numbered event was read, or another coordinator reads them.
    All,
    /// There may be more.
    Page,
}

/// Reads the next page of events.
pub async fn execute(app: &App) -> OperationResult<Collected> {
    let mut tx = app.store.begin().await?;
    let Some(cursor) = notices::lock_cursor(&mut tx).await? else {
        return Ok(Collected::All);
    };
    let events = notices::events_after(&mut tx, cursor, PAGE).await?;
    let Some(last) = events.last() else {
        return Ok(Collected::All);
    };
    let reached = last.event.cursor;
    let page = i64::try_from(events.len()).is_ok_and(|read| read == PAGE);
    let mut pass = Pass {
        app,
        now: pointsman_store::now(&mut tx).await?,
        rules: notification_rules::active(&mut tx).await?,
        deployments: HashMap::new(),
    };
    for event in &events {
        let topic = Topic::of(Fact {
            kind: &event.event.kind,
            job: event.job_kind,
        });
        if let Some(topic) = topic {
            pass.tell(&mut tx, topic, event).await?;
        }
    }
    notices::move_cursor(&mut tx, reached).await?;
    act::commit(tx).await?;
    Ok(if page { Collected::Page } else { Collected::All })
}

/// One pass over a page.
struct Pass<'a> {
    app: &'a App,
    now: DateTime<Utc>,
    rules: Vec<ActiveRule>,
    deployments: HashMap<i64, Option<Told>>,
}

impl Pass<'_> {
    async fn tell(&mut self, tx: &mut Transaction, topic: Topic, row: &EventRow) -> StoreResult<()> {
        let event = &row.event;
        if let Some(number) = event.deployment
            && !self.deployments.contains_key(&number)
        {
            let told = notices::deployment(tx, number).await?;
            self.deployments.insert(number, told);
        }
        let deployment = event
            .deployment
            .and_then(|number| self.deployments.get(&number)?.as_ref());
        let target = event.target.as_deref();
        let (project, environment) = match target.and_then(|target| target.split_once('@')) {
            Some((project, environment)) => (Some(project), Some(environment)),
            None => (event.project.as_deref(), None),
        };
        let subject = topic.subject(project, target, event.host.as_deref());
        let bearing = topic.bearing(deployment.and_then(|told| told.paused));
        let in_trouble = match bearing {
            Bearing::Begins => {
                notices::begin_trouble(tx, &subject, event.at).await?;
                true
            }
            Bearing::Ends => notices::end_trouble(tx, &subject).await?,
            Bearing::Fault | Bearing::None => false,
        };
        if topic.needs_trouble() && !in_trouble {
            return Ok(());
        }
        let notice = Notice {
            topic: topic.as_str().to_owned(),
            turn: turn(bearing, in_trouble),
            at: event.at,
            cursor: Some(event.cursor),
            installation: self.app.config.installation.name.clone(),
            project: project.map(str::to_owned),
            environment: environment.map(str::to_owned),
            target: event.target.clone(),
            deployment: deployment.map(|told| told.notice.clone()),
            job: event.job,
            host: event.host.clone(),
            message: event.message.clone(),
            url: page_of(self.app, event.deployment, target, project, event.host.as_deref()),
        };
        self.put(tx, &notice).await
    }

    async fn put(&self, tx: &mut Transaction, notice: &Notice) -> StoreResult<()> {
        let takers = self.rules.iter().filter(|active| active.rule.takes(notice));
        let channels: BTreeSet<ChannelId> = takers.map(|active| active.channel).collect();
        let thread = notice
            .deployment
            .as_ref()
            .map(|deployment| format!("deployment {}", deployment.number));
        for channel in channels {
            let delivery = NewDelivery {
                id: DeliveryId(self.app.ids.next()),
                channel,
                thread: thread.as_deref(),
                notice,
                at: self.now,
            };
            deliveries::put(tx, &delivery).await?;
        }
        Ok(())
    }
}

/// Where a browser finds the thing.
pub(super) fn page_of(
    app: &App,
    deployment: Option<i64>,
    target: Option<&str>,
    project: Option<&str>,
    host: Option<&str>,
) -> String {
    let number = deployment.map(|number| number.to_string());
    let path = match (number.as_deref(), target, project, host) {
        (Some(number), ..) => Some(["deployments", number]),
        (None, Some(target), ..) => Some(["targets", target]),
        (None, None, Some(project), _) => Some(["projects", project]),
        (None, None, None, Some(host)) => Some(["hosts", host]),
        (None, None, None, None) => None,
    };
    let mut url = app.config.http.public_url.clone();
    if let (Some(path), Ok(mut parts)) = (path, url.path_segments_mut()) {
        parts.pop_if_empty().extend(path);
    }
    url.into()
}
