//! Who looks at a page: the session behind the cookie, and the proof that a press came from one of our own pages.
//!
//! A page without a session leads to the sign-in. A press needs three things: a session, a token in the form that only
//! a page of this session can hold, and, where the browser says it, that it came from this very origin.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use pointsman_domain::{Action, Actor, ActorKind};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::ProjectName;
use pointsman_store::sessions;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::super::caller::{self, Caller, Credential, address, trace};
use super::super::problem::{Answer, Failed};
use super::super::reach::Reach;
use super::super::router::Api;
use super::origin::{came_across, came_from_here, is_of_ours, sign_in_first};
use super::{cookies, kept, live, text};
use crate::app::App;
use crate::operations::{act, begin_session};

/// Longest time for a page.
const PATIENCE: Duration = Duration::from_secs(30);
/// Name of the field that proves where a form came from.
pub(super) const PROOF: &str = "proof";

/// Marks a request that an open page's stream makes, and no person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redrawn;

/// Whoever looks.
#[derive(Debug, Clone)]
pub(in super::super) struct Viewer {
    /// Who, and the application.
    pub(super) caller: Caller,
    /// What every form of this session holds.
    pub(super) proof: String,
    /// Digest of the session's secret.
    pub(super) session: Digest,
    /// When the session began; none where there is none.
    began_at: Option<DateTime<Utc>>,
}

impl Viewer {
    /// Whether nobody is signed in.
    pub(super) fn is_stranger(&self) -> bool {
        self.proof.is_empty()
    }

    /// Whether this person signed in lately enough to start something that is not started by accident, or by whoever
    /// finds an open screen.
    pub(super) fn is_fresh(&self) -> bool {
        let age = i64::from(self.app().config.http.fresh_sign_in_s);
        let since = self.app().clock.now() - TimeDelta::seconds(age);
        age == 0 || self.began_at.is_some_and(|began| began > since)
    }

    /// The application.
    pub(super) const fn app(&self) -> &App {
        &self.caller.app
    }

    /// Whether this person may do something everywhere; buttons for the rest are not drawn.
    pub(super) fn may(&self, action: Action) -> bool {
        self.caller.actor.rights.role >= action.least_role()
    }

    /// Whether this person may do something in a project.
    pub(super) fn may_in(&self, project: &ProjectName, action: Action) -> bool {
        self.caller.actor.rights.role_in(project) >= action.least_role()
    }

    /// The names of the projects that this person sees; none = every project.
    pub(super) fn sight(&self) -> Option<Vec<String>> {
        self.caller.actor.rights.sight()
    }

    /// Whether nothing is hidden from this person.
    pub(super) fn sees_everything(&self) -> bool {
        self.sight().is_none()
    }

    /// Whether this person may do something in any project.
    pub(super) fn may_somewhere(&self, action: Action) -> bool {
        self.caller.actor.authorize_somewhere(action, "").is_ok()
    }

    /// Whether this person sees a project.
    pub(super) fn sees(&self, project: &ProjectName) -> bool {
        self.caller.actor.rights.sees(project)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Viewer {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failed> {
        // The guard of the route puts it there; without a guard nobody gets in.
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Failed::unauthenticated("this page has no rule who may look at it"))
    }
}

/// Lets those look who are signed in, and leads everybody else to the sign-in.
pub(in super::super) async fn look(
    api: &Api,
    action: Action,
    reach: Reach,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    let mut found = find(&api.app, request.headers(), request.extensions()).await?;
    // A stream asks its page again as a browser would, by its cookie.
    if found.is_none() && request.uri().path() != "/live" {
        found = by_token(&api.app, request.headers(), request.extensions()).await?;
    }
    if found.is_none() && came_across(request.headers()) {
        return Ok(sign_in_first(&request));
    }
    let Some(viewer) = found.or_else(|| stranger(&api.app, &request)) else {
        // A stream cannot be led anywhere: its page is told.
        let streams = request.uri().path() == "/live";
        return Ok(if streams {
            live::gone()
        } else if text::is_wanted(request.headers()) {
            let what = "a page is shown as text to whoever sends a valid API token: \
                        curl -H \"Authorization: Bearer $POINTSMAN_TOKEN\"";
            return Err(Failed::unauthenticated(what));
        } else {
            sign_in_first(&request)
        });
    };
    let subject = reach.subject(&api.app, &mut request).await?;
    subject.judge(&viewer.caller.actor, action, request.uri().path())?;
    request.extensions_mut().insert(viewer.clone());
    let answered = tokio::time::timeout(PATIENCE, next.run(request)).await;
    let mut response = answered.map_err(|_| super::super::guard::timed_out(PATIENCE))?;
    response.extensions_mut().insert(viewer);
    Ok(response)
}

/// Lets those press who may, from a page of ours.
pub(in super::super) async fn press(
    api: &Api,
    action: Action,
    reach: Reach,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    came_from_here(request.headers())?;
    let Some(viewer) = find(&api.app, request.headers(), request.extensions()).await? else {
        let (parts, body) = kept::whole(request).await?;
        return kept::sign_in(api, &parts, &body);
    };
    let object = request.uri().path().to_owned();
    let subject = reach.subject(&api.app, &mut request).await?;
    if let Err(refusal) = subject.judge(&viewer.caller.actor, action, &object) {
        act::refused(
            &api.app,
            &viewer.caller.actor,
            "page.press",
            &object,
            refusal.code,
            &refusal.what,
        )
        .await?;
        return Err(refusal.into());
    }
    let (parts, body) = kept::whole(request).await?;
    let proof = url::form_urlencoded::parse(&body).find(|(name, _)| name == PROOF);
    let proven = proof.is_some_and(|(_, value)| value.as_bytes().ct_eq(viewer.proof.as_bytes()).into());
    if !proven && is_of_ours(&parts.headers) {
        // A page that was left open since another session: whoever pressed sees what would be sent.
        return kept::again(viewer, &parts, &body);
    }
    if !proven {
        let what = "this form does not come from a page of your session; nothing was changed";
        return Err(Failed::unread(StatusCode::FORBIDDEN, "unproven", what));
    }
    // Who could make credentials with a session that was left open could make it fresh.
    if action == Action::ManageTokens && !viewer.is_fresh() {
        return kept::sign_in_again(api, &viewer, &parts, &body);
    }
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(viewer.clone());
    let work = tracing::Instrument::instrument(next.run(request), tracing::Span::current());
    // In a task of its own: a browser that goes away does not leave a change half done.
    let task = tokio::spawn(work);
    let patience = PATIENCE + Duration::from_secs(api.app.config.git.timeout_s);
    match tokio::time::timeout(patience, task).await {
        Ok(Ok(mut response)) => {
            response.extensions_mut().insert(viewer);
            Ok(response)
        }
        Ok(Err(died)) => Ok(super::super::edge::panicked(&died.to_string())),
        Err(_) => Err(super::super::guard::timed_out(patience)),
    }
}

/// Whose session's cookie came along.
pub(super) async fn find(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Answer<Option<Viewer>> {
    match cookies::value(headers, cookies::cookie_name(app)) {
        Some(secret) => of_secret(app, secret, extensions).await,
        None => Ok(None),
    }
}

/// Whose session it is.
pub(super) async fn of_secret(app: &App, secret: &str, extensions: &Extensions) -> Answer<Option<Viewer>> {
    let session = Digest::of(secret.as_bytes());
    let now = app.clock.now();
    let mut conn = app.store.read().await?;
    let Some(known) = sessions::find(&mut conn, &session).await? else {
        return Ok(None);
    };
    let idle = known.seen_at + begin_session::IDLE <= now;
    let over = known.expires_at <= now || known.token_expires_at.is_some_and(|at| at <= now);
    if known.void || idle || over {
        return Ok(None);
    }
    // A page that redraws itself is nobody's use of the session.
    let used = extensions.get::<Redrawn>().is_none();
    if used && now - known.seen_at >= chrono::TimeDelta::minutes(1) {
        sessions::touch(&mut conn, &session, now).await?;
    }
    drop(conn);
    let actor = Actor {
        principal: known.principal,
        kind: known.kind,
        name: known.name,
        rights: known.rights,
        address: address(extensions),
        trace: trace(extensions),
    };
    let caller = Caller {
        app: app.clone(),
        actor,
        credential: Credential::Session,
    };
    Ok(Some(Viewer {
        caller,
        proof: proof(secret),
        session,
        began_at: Some(known.began_at),
    }))
}

/// A program that reads a page with a token, such as `curl`. No browser sends one by itself, and no press takes one.
async fn by_token(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Answer<Option<Viewer>> {
    let header = headers.get(AUTHORIZATION);
    let token = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        // Another's, such as that of a proxy before us, is nothing to us.
        .filter(|token| token.trim().starts_with("pmn_"));
    let Some(token) = token else {
        return Ok(None);
    };
    let known = caller::of_token(app, token.trim(), extensions).await?;
    let (id, actor) = known.map_err(Failed::unauthenticated)?;
    Ok(Some(Viewer {
        caller: Caller {
            app: app.clone(),
            actor,
            credential: Credential::Token(id.clone()),
        },
        proof: "-".to_owned(),
        session: Digest::of(id.as_bytes()),
        began_at: None,
    }))
}

/// Whoever comes by, where `http.public_status` lets everybody see the overview and badges; nothing else.
fn stranger(app: &App, request: &Request) -> Option<Viewer> {
    let path = request.uri().path();
    let small = path.strip_prefix("/t/").and_then(|path| path.split_once('/'));
    let open = matches!(path, "/" | "/live") || matches!(small, Some((_, "badge" | "badge.svg" | "version")));
    let public = app.config.http.public_status && open;
    let actor = Actor {
        principal: PrincipalId(uuid::Uuid::nil()),
        kind: ActorKind::User,
        name: String::new(),
        rights: RoleName::Viewer.into(),
        address: None,
        trace: None,
    };
    let session = Digest::of(b"");
    public.then(|| Viewer {
        caller: Caller {
            app: app.clone(),
            actor,
            credential: Credential::Session,
        },
        proof: String::new(),
        session,
        began_at: None,
    })
}

/// What the forms of a session hold: nobody who does not know the cookie can make it.
fn proof(secret: &str) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(b"form");
    hex::encode(mac.finalize().into_bytes())
}
