//! The rule of each route, kept before its handler: who may use it, how long it may take, that a change can be
//! repeated, and that a refused change is audited.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_domain::Action;
use pointsman_shared::api::Problem;

use super::caller::{self, Caller};
use super::problem::{Answer, Failed, Unread};
use super::reach::Reach;
use super::router::Api;
use super::{edge, pages, repeat};
use crate::app::App;
use crate::operations::act;

/// Longest time for an answer that changes nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever has a token that allows this.
    May(Action),
    /// The same, for a change: repeatable, carried to its end, and audited under this name when it is refused.
    Does(Action, &'static str),
    /// Whoever is signed in to the dashboard with a role that allows this; others are led to the sign-in.
    Page(Action),
    /// The same, for a press: it must come from a page of the session.
    Press(Action),
    /// Agents; they sign, and the handler checks the signature against the database.
    Agent,
    /// Forges; they sign with a webhook's secret, and the handler checks the signature.
    Forge,
}

/// The state of the guard: the application, the rule, and what the rule is about.
pub(super) type Guarded = (Api, Access, Reach);

/// Keeps the rule.
pub(super) async fn guard(
    State((api, access, reach)): State<Guarded>,
    request: Request,
    next: Next,
) -> Response {
    let kept = match access {
        // Bytes take as long as they take; the handlers watch that they flow.
        Access::Open | Access::Agent | Access::Forge => Ok(next.run(request).await),
        Access::Page(action) => pages::look(&api, action, reach, request, next).await,
        Access::Press(action) => pages::press(&api, action, reach, request, next).await,
        Access::May(action) => look(&api.app, action, reach, request, next).await,
        Access::Does(action, name) => change(&api.app, (action, reach), name, request, next).await,
    };
    kept.unwrap_or_else(IntoResponse::into_response)
}

async fn look(app: &App, action: Action, reach: Reach, mut request: Request, next: Next) -> Answer<Response> {
    let caller = caller::authenticate(app, request.headers(), request.extensions()).await?;
    let subject = reach.subject(app, &mut request).await?;
    subject.judge(&caller.actor, action, request.uri().path())?;
    request.extensions_mut().insert(caller);
    tokio::time::timeout(PATIENCE, next.run(request))
        .await
        .map_err(|_| timed_out(PATIENCE))
}

async fn change(
    app: &App,
    (action, reach): (Action, Reach),
    name: &'static str,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    let caller = caller::authenticate(app, request.headers(), request.extensions()).await?;
    let object = request.uri().path().to_owned();
    let subject = reach.subject(app, &mut request).await?;
    if let Err(refusal) = subject.judge(&caller.actor, action, &object) {
        act::refused(app, &caller.actor, name, &object, refusal.code, &refusal.what).await?;
        return Err(refusal.into());
    }
    // A git server may take its time to tell what a ref means.
    let patience = PATIENCE + Duration::from_secs(app.config.git.timeout_s);
    let span = tracing::Span::current();
    let work = work(app.clone(), caller, name, object, request, next);
    // In a task of its own: a client that goes away does not leave a change half done or an answer unkept.
    let task = tokio::spawn(tracing::Instrument::instrument(work, span));
    match tokio::time::timeout(patience, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(died)) => Ok(edge::panicked(&died.to_string())),
        Err(_) => Err(timed_out(patience)),
    }
}

async fn work(
    app: App,
    caller: Caller,
    name: &'static str,
    object: String,
    request: Request,
    next: Next,
) -> Answer<Response> {
    let actor = caller.actor.clone();
    let response = repeat::once(&app, caller, request, next).await?;
    if response.extensions().get::<Unread>().is_some() {
        let why = format!("the request could not be read: {}", response.status());
        act::refused(&app, &actor, name, &object, "unreadable", &why).await?;
    }
    Ok(response)
}

pub(super) fn timed_out(after: Duration) -> Failed {
    let what = format!(
        "no answer within {} s; what was asked for may still happen",
        after.as_secs()
    );
    Failed::new(Problem::new(504, "timed_out", what))
}
