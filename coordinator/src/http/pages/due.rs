//! The banner of due post-migrations, on every page of those who may run them: they wait for somebody, and until they ran
//! the release before is still a way back.

use askama::Template;
use pointsman_domain::Action;
use pointsman_store::views::migrations::Due;
use pointsman_store::{StoreResult, views};

use super::shown::Region;
use super::viewer::Viewer;

/// Its id in the document.
const ID: &str = "due";
/// Targets that are named.
const NAMED: usize = 3;

#[derive(Template)]
#[template(path = "due.html")]
struct Banner<'a> {
    named: &'a [Due],
    more: usize,
}

/// The banner as it is now; empty while nothing is due for this person, and while nobody can say.
pub(super) async fn region(viewer: &Viewer) -> Region {
    match read(viewer).await {
        Ok(due) if due.is_empty() => none(),
        Ok(due) => {
            let named = due.get(..NAMED.min(due.len())).unwrap_or_default();
            let more = due.len() - named.len();
            Region::draw(ID, &Banner { named, more }).unwrap_or_else(|_| none())
        }
        Err(error) => {
            tracing::debug!("due post-migrations were not read for a page: {error}");
            none()
        }
    }
}

/// No banner.
pub(super) fn none() -> Region {
    Region::empty(ID)
}

async fn read(viewer: &Viewer) -> StoreResult<Vec<Due>> {
    let rights = &viewer.caller.actor.rights;
    let own = (!viewer.may(Action::Deploy)).then(|| {
        let may = rights
            .projects
            .keys()
            .filter(|project| viewer.may_in(project, Action::Deploy));
        may.map(ToString::to_string).collect::<Vec<_>>()
    });
    if own.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut conn = viewer.app().store.read().await?;
    let now = viewer.app().clock.now();
    views::migrations::due(&mut conn, own.as_deref(), now).await
}
