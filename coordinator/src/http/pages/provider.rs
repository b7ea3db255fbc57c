//! Signing in by the OpenID provider: the way there, and the way back. What goes wrong is a page that says what to do.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pointsman_domain::{Refusal, RefusalKind};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use url::Url;
use zeroize::Zeroizing;

use super::super::extract::Query;
use super::super::problem::Answer;
use super::super::router::Api;
use super::cookies;
use super::shown::{Place, Shown};
use super::sign_in::{SignInQuery, browser, local};
use crate::app::App;
use crate::config::OidcSection;
use crate::error::OperationError;
use crate::oidc::{Begun, OidcError};
use crate::operations::begin_session::Browser;
use crate::operations::enter_by_provider;

/// How long somebody may be with the provider, in seconds.
const AWAY: u32 = 600;
/// Where it sends them back to.
const BACK: &str = "sign-in/provider/back";

#[derive(Template)]
#[template(path = "provider.html")]
struct Failed<'a> {
    provider: &'a str,
    refusal: &'a Refusal,
    next: String,
}

/// `GET /sign-in/provider`
pub(super) async fn go(State(api): State<Api>, Query(query): Query<SignInQuery>) -> Answer<Response> {
    let section = section(&api.app)?;
    let next = local(query.next.as_deref().unwrap_or("/")).to_owned();
    let age = api.app.config.http.fresh_sign_in_s;
    let max_age_s = query.fresh.filter(|_| age > 0).map(|_| age);
    let wish = (next.as_str(), max_age_s);
    match api.provider.begin(section, &back(&api.app)?, wish).await {
        Ok((url, begun)) => {
            let kept = serde_json::to_vec(&begun)
                .map_err(|error| OperationError::internal("beginning to sign in", error))?;
            // The way back comes from another site, which a strict cookie would not.
            let cookie = format!(
                "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={AWAY}",
                cookie_name(&api.app),
                URL_SAFE_NO_PAD.encode(kept)
            );
            Ok(cookies::with_cookie(&api.app, &cookie, url.as_str()))
        }
        Err(error) => failed(&api.app, section, &told(&error), &next),
    }
}

/// What the provider sends back.
#[derive(Deserialize)]
pub(super) struct BackQuery {
    #[serde(default)]
    code: Option<Zeroizing<String>>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// `GET /sign-in/provider/back`
pub(super) async fn come_back(
    State(api): State<Api>,
    Query(query): Query<BackQuery>,
    headers: HeaderMap,
    request: Request,
) -> Answer<Response> {
    let section = section(&api.app)?;
    let browser = browser(&headers, request.extensions());
    let begun = begun(&api.app, &headers);
    let next = begun.as_ref().map_or("/", |begun| local(&begun.next)).to_owned();
    let entered = match begun {
        Some(begun) => enter(&api, section, &query, &begun, &browser).await,
        // Anybody can call this address: what nobody began is not written down.
        None => Err(expired().into()),
    };
    match entered {
        Ok(secret) => {
            let mut response = cookies::signed_in(&api.app, &secret, &next);
            forget(&api.app, &mut response);
            Ok(response)
        }
        Err(OperationError::Refused(refusal)) => failed(&api.app, section, &refusal, &next),
        Err(other) => Err(other.into()),
    }
}

async fn enter(
    api: &Api,
    section: &OidcSection,
    query: &BackQuery,
    begun: &Begun,
    browser: &Browser,
) -> Result<Zeroizing<String>, OperationError> {
    let state = query.state.as_deref().unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(begun.state.as_bytes())) {
        return Err(expired().into());
    }
    if let Some(error) = &query.error {
        let why = query.error_description.as_deref().unwrap_or(error);
        let what = format!("the provider did not sign you in: {}", short(why));
        let refusal = Refusal::new(RefusalKind::Forbidden, "provider_refused", what)
            .hint("try again; if it stays so, ask whoever keeps the provider to let you use Pointsman");
        return refuse(&api.app, browser, refusal).await;
    }
    if query.iss.as_ref().is_some_and(|issuer| *issuer != section.issuer) {
        let refusal = told(&OidcError::Token("another provider answered".to_owned()));
        return refuse(&api.app, browser, refusal).await;
    }
    let code = query.code.as_ref().map_or("", |code| code.as_str());
    let app = &api.app;
    let found = api
        .provider
        .finish(section, &back(app)?, begun, code, app.clock.now())
        .await;
    match found {
        Ok(known) => enter_by_provider::execute(app, section, &known, browser).await,
        Err(error) => refuse(app, browser, told(&error)).await,
    }
}

async fn refuse<T>(app: &App, browser: &Browser, refusal: Refusal) -> Result<T, OperationError> {
    enter_by_provider::refuse(app, browser, &refusal).await?;
    Err(refusal.into())
}

fn expired() -> Refusal {
    let what = "this way back is not the one that this browser began, or it took longer than ten minutes";
    Refusal::new(RefusalKind::Forbidden, "sign_in_expired", what)
        .hint("begin again, in the same browser, with cookies allowed")
}

fn told(error: &OidcError) -> Refusal {
    let what = short(&error.to_string());
    match error {
        OidcError::Unavailable(_) => Refusal::new(RefusalKind::Unavailable, "provider_unavailable", what)
            .hint("try again in a moment, or sign in with a password or a token; the coordinator's log has more"),
        OidcError::Exchange(_) => Refusal::new(RefusalKind::Forbidden, "provider_refused", what)
            .hint("begin again; if it stays so, oidc.client_id and oidc.client_secret are not what the provider has"),
        OidcError::Token(_) => Refusal::new(RefusalKind::Forbidden, "token_refused", what)
            .hint("begin again; if it stays so, compare oidc.issuer, oidc.client_id and the clocks of both machines"),
    }
}

/// What others wrote, no longer than a page can bear.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn failed(app: &App, section: &OidcSection, refusal: &Refusal, next: &str) -> Answer<Response> {
    tracing::info!(
        code = refusal.code,
        "nobody was signed in by the provider: {}",
        refusal.what
    );
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    let page = Failed {
        provider: &section.shown(),
        refusal,
        next: query.finish(),
    };
    let shown = Shown::new("Not signed in", Place::Nowhere, &serde_json::Value::Null)?;
    let mut response = shown.with("provider", &page)?.once().into_response();
    *response.status_mut() = match refusal.kind {
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        RefusalKind::Forbidden
        | RefusalKind::NotFound
        | RefusalKind::Conflict
        | RefusalKind::Invalid
        | RefusalKind::Locked => StatusCode::FORBIDDEN,
    };
    forget(app, &mut response);
    Ok(response)
}

fn section(app: &App) -> Result<&OidcSection, Refusal> {
    app.config.oidc.as_ref().ok_or_else(|| {
        Refusal::not_found("unknown_route", "no OpenID provider is configured").hint("sign in at /sign-in")
    })
}

fn back(app: &App) -> Result<Url, OperationError> {
    let url = app.config.http.public_url.join(BACK);
    url.map_err(|error| OperationError::internal("making the way back from the provider", error))
}

fn cookie_name(app: &App) -> &'static str {
    if cookies::is_https(app) {
        "__Host-pointsman-provider"
    } else {
        "pointsman-provider"
    }
}

fn begun(app: &App, headers: &HeaderMap) -> Option<Begun> {
    let kept = cookies::value(headers, cookie_name(app))?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(kept).ok()?).ok()
}

/// A way back counts once.
fn forget(app: &App, response: &mut Response) {
    let secure = if cookies::is_https(app) { "; Secure" } else { "" };
    let gone = format!(
        "{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}",
        cookie_name(app)
    );
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
