//! Who else looks at the same page right now, so that two people do not press at once without knowing of each other.
//!
//! Known from open streams of this process, and lost with it: with several coordinators each knows its own. It decides
//! nothing: a second press lands on the same deployment with or without it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use pointsman_shared::digest::Digest;
use tokio::sync::watch;

use super::shown::Region;
use super::viewer::Viewer;

/// Everybody who looks, by page.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Company(Arc<Mutex<HashMap<String, Page>>>);

#[derive(Debug)]
struct Page {
    changed: watch::Sender<u64>,
    people: Vec<Person>,
}

#[derive(Debug)]
struct Person {
    seat: u64,
    session: Digest,
    name: String,
}

/// A place before a page; it is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    company: Company,
    page: String,
    place: u64,
    session: Digest,
    changed: watch::Receiver<u64>,
}

#[derive(Template)]
#[template(path = "company.html")]
struct Others {
    names: Vec<String>,
}

impl Company {
    /// Takes a place. Whoever is not signed in has no name, and takes none.
    pub(super) fn sit(&self, path: &str, viewer: &Viewer) -> Option<Seat> {
        if viewer.is_stranger() || !shows_people(path, viewer) {
            return None;
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(path.to_owned()).or_insert_with(|| Page {
            changed: watch::Sender::new(0),
            people: Vec::new(),
        });
        page.changed.send_modify(|seat| *seat += 1);
        let changed = page.changed.subscribe();
        let seat = *changed.borrow();
        page.people.push(Person {
            seat,
            session: viewer.session,
            name: viewer.caller.actor.name.clone(),
        });
        Some(Seat {
            company: self.clone(),
            page: path.to_owned(),
            place: seat,
            session: viewer.session,
            changed,
        })
    }

    /// Who else looks at a page, each once.
    pub(super) fn seen_by(&self, path: &str, viewer: &Viewer) -> Region {
        if shows_people(path, viewer) {
            self.others(path, &viewer.session)
        } else {
            nobody()
        }
    }

    fn others(&self, path: &str, session: &Digest) -> Region {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let people = pages.get(path).into_iter().flat_map(|page| &page.people);
        let mut names: Vec<String> = people
            .filter(|person| person.session != *session)
            .map(|person| person.name.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        Region::draw("company", &Others { names }).unwrap_or_else(|_| nobody())
    }
}

/// Whether those who have this page open look at the same as the viewer does. Somebody who sees some projects alone sees
/// another list under the same address, and is told of nobody by it.
fn shows_people(path: &str, viewer: &Viewer) -> bool {
    let is_of_one = ["/p/", "/r/", "/t/", "/d/", "/jobs/", "/plans/"]
        .iter()
        .any(|page| path.strip_prefix(page).is_some_and(|thing| !thing.is_empty()));
    is_of_one || viewer.sees_everything() && !path.starts_with("/profile")
}

/// Nobody else.
pub(super) fn nobody() -> Region {
    Region::empty("company")
}

impl Seat {
    /// Who else looks at this page.
    pub(super) fn others(&self) -> Region {
        self.company.others(&self.page, &self.session)
    }

    /// Waits until somebody comes or goes.
    pub(super) async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut pages = self.company.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(page) = pages.get_mut(&self.page) else {
            return;
        };
        page.people.retain(|person| person.seat != self.place);
        if page.people.is_empty() {
            pages.remove(&self.page);
        } else {
            page.changed.send_modify(|seat| *seat += 1);
        }
    }
}
