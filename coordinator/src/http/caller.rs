//! Who asks: the token's principal, and the application as this attempt at the request may use it.

use axum::extract::ConnectInfo;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use chrono::{DateTime, Utc};
use pointsman_domain::Actor;
use pointsman_shared::digest::Digest;
use pointsman_shared::name::ProjectName;
use pointsman_shared::wire::TraceParent;
use pointsman_store::tokens::{self, KnownToken};
use std::net::SocketAddr;

use super::edge::RequestTrace;
use super::problem::{Answer, Failed};
use crate::app::App;
use crate::error::OperationResult;
use crate::secrets;

/// Prefix of API tokens: `pmn_<id>_<secret>`.
pub const TOKEN_PREFIX: &str = "pmn_";

/// Whoever asks, known and allowed to ask this.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The application; in a request that may be repeated, its transactions belong to this attempt.
    pub(super) app: App,
    /// Who.
    pub(super) actor: Actor,
    /// What lets them in.
    pub(super) credential: Credential,
}

/// What a caller showed.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// An API token, by its public part.
    Token(String),
    /// A browser's session.
    Session,
}

impl Caller {
    /// The names of the projects that the caller sees; none = every project.
    pub(super) fn sight(&self) -> Option<Vec<String>> {
        self.actor.rights.sight()
    }

    /// Whether the caller sees a project.
    pub(super) fn sees(&self, project: &ProjectName) -> bool {
        self.actor.rights.sees(project)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failed> {
        // The guard of the route puts it there; without a guard nobody gets in.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failed::unauthenticated("this route has no rule who may use it"))
    }
}

/// Reads and checks the bearer token.
pub(super) async fn authenticate(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Answer<Caller> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Err(Failed::unauthenticated("no token was sent"));
    };
    let text = header.to_str().unwrap_or_default();
    let Some(token) = text.strip_prefix("Bearer ") else {
        return Err(Failed::unauthenticated(
            "the authorization header is not `Bearer pmn_<id>_<secret>`",
        ));
    };
    let (id, actor) = of_token(app, token.trim(), extensions)
        .await?
        .map_err(Failed::unauthenticated)?;
    Ok(Caller {
        app: app.clone(),
        actor,
        credential: Credential::Token(id),
    })
}

/// Whose a token is, with its public part; or why it lets nobody in.
pub(super) async fn of_token(
    app: &App,
    token: &str,
    extensions: &Extensions,
) -> OperationResult<Result<(String, Actor), &'static str>> {
    let parts = token
        .strip_prefix(TOKEN_PREFIX)
        .and_then(|token| token.split_once('_'));
    let Some((id, secret)) = parts else {
        return Ok(Err("the authorization header is not `Bearer pmn_<id>_<secret>`"));
    };
    let known = check(app, id, secret, app.clock.now()).await?;
    Ok(known.map(|known| (id.to_owned(), actor(known, extensions))))
}

/// Whether a token that was good a while ago still is.
pub(super) async fn is_still_good(app: &App, credential: &Credential) -> bool {
    let Credential::Token(id) = credential else {
        return false;
    };
    let now = app.clock.now();
    let found = match app.store.read().await {
        Ok(mut conn) => tokens::find(&mut conn, id).await,
        Err(error) => Err(error),
    };
    // While the database is away nobody can tell; the stream has nothing new to show then either.
    found.map_or(true, |known| {
        known.is_some_and(|known| void(&known, now).is_none())
    })
}

async fn check(
    app: &App,
    id: &str,
    secret: &str,
    now: DateTime<Utc>,
) -> OperationResult<Result<KnownToken, &'static str>> {
    let mut conn = app.store.read().await?;
    let known = tokens::find(&mut conn, id).await?;
    // One way for known and unknown ids, so that time tells nothing.
    let digest = known.as_ref().map_or(Digest::of(b""), |known| known.secret);
    let right = secrets::is(secret, &digest);
    let Some(known) = known.filter(|_| right) else {
        return Ok(Err("the token is not known"));
    };
    if let Some(why) = void(&known, now) {
        return Ok(Err(why));
    }
    let stale = |at: DateTime<Utc>| now - at >= chrono::TimeDelta::minutes(1);
    if known.last_used_at.is_none_or(stale) {
        tokens::touch(&mut conn, id, now).await?;
    }
    Ok(Ok(known))
}

fn void(token: &KnownToken, now: DateTime<Utc>) -> Option<&'static str> {
    if token.revoked_at.is_some() || token.disabled_at.is_some() {
        return Some("the token was revoked");
    }
    token
        .expires_at
        .is_some_and(|expires_at| expires_at <= now)
        .then_some("the token has expired")
}

fn actor(known: KnownToken, extensions: &Extensions) -> Actor {
    Actor {
        principal: known.principal,
        kind: known.kind,
        name: known.name,
        rights: known.rights,
        address: address(extensions),
        trace: trace(extensions),
    }
}

/// The trace that a request belongs to.
pub(super) fn trace(extensions: &Extensions) -> Option<TraceParent> {
    extensions
        .get::<RequestTrace>()
        .map(|RequestTrace(trace)| trace.clone())
}

/// The address a request came from.
pub(super) fn address(extensions: &Extensions) -> Option<String> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip().to_string())
}
