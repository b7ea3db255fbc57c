//! The way in: a name and a password, an API token, or an invitation that makes an account or renews its password.

use askama::Template;
use axum::extract::{Form, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pointsman_domain::{ActorKind, Refusal};
use pointsman_shared::api::Problem;
use pointsman_shared::digest::Digest;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::caller;
use super::super::extract::{Path, Query};
use super::super::problem::{Answer, Failed};
use super::super::router::Api;
use super::cookies;
use super::kept::Kept;
use super::origin::came_from_here;
use super::shown::{Place, Shown, Went};
use super::viewer;
use crate::error::OperationError;
use crate::operations::begin_session::Browser;
use crate::operations::{accept_invitation, begin_session};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    installation: &'a str,
    next: &'a str,
    name: &'a str,
    refused: Option<&'a Refusal>,
    why: String,
    kept: Option<&'a Kept>,
    provider: Option<(String, String)>,
}

impl SignIn<'_> {
    /// Whether somebody is signed in, and is asked again.
    fn is_again(&self) -> bool {
        self.kept.is_some_and(|kept| kept.fresh)
    }
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Invited<'a> {
    installation: &'a str,
    role: String,
    fixed: Option<&'a str>,
    renews: bool,
    name: &'a str,
    refused: Option<&'a Refusal>,
}

/// `?next=/d/812&fresh=yes`
#[derive(Debug, Deserialize)]
pub(super) struct SignInQuery {
    #[serde(default)]
    pub(super) next: Option<String>,
    /// Whether the provider is to ask whom it knows already.
    #[serde(default)]
    pub(super) fresh: Option<String>,
}

/// What the sign-in's form holds: name and password, or a token.
#[derive(Deserialize)]
pub(super) struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    token: Zeroizing<String>,
    #[serde(default)]
    next: String,
    #[serde(default)]
    kept_to: String,
    #[serde(default)]
    kept_from: String,
    #[serde(default)]
    kept: String,
    #[serde(default)]
    kept_less: String,
    #[serde(default)]
    kept_fresh: String,
}

impl SignInForm {
    /// The press that it brings along.
    fn kept(&self) -> Option<Kept> {
        (!self.kept_to.is_empty()).then(|| Kept {
            less: !self.kept_less.is_empty(),
            fresh: !self.kept_fresh.is_empty(),
            ..Kept::again(&self.kept_to, &self.kept_from, self.kept.as_bytes())
        })
    }
}

/// What the form of an invitation holds.
#[derive(Deserialize)]
pub(super) struct AcceptForm {
    #[serde(default)]
    name: String,
    password: Zeroizing<String>,
    again: Zeroizing<String>,
}

/// `GET /sign-in`
pub(super) async fn show(State(api): State<Api>, Query(query): Query<SignInQuery>) -> Answer<Shown> {
    draw(&api, query.next.as_deref().unwrap_or("/"), "", (None, None))
}

/// The sign-in, in answer to a press without a session, or without one that is fresh enough.
pub(super) fn asked(api: &Api, problem: &Problem, name: &str, kept: Option<&Kept>) -> Answer<Shown> {
    let next = kept.map_or("/", |kept| kept.from.as_str());
    let mut shown = draw(api, next, name, (None, kept))?.once();
    shown.data = serde_json::to_string(problem)
        .map_err(|error| OperationError::internal("writing a page's data", error))?;
    Ok(shown)
}

fn draw(
    api: &Api,
    next: &str,
    name: &str,
    (refused, kept): (Option<&Refusal>, Option<&Kept>),
) -> Answer<Shown> {
    let installation = &api.app.config.installation.name;
    let form = SignIn {
        installation,
        next,
        name,
        refused,
        why: kept.map(|kept| kept.why(&api.app)).unwrap_or_default(),
        kept,
        provider: api.app.config.oidc.as_ref().map(|section| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("next", next);
            (section.shown(), query.finish())
        }),
    };
    Shown::new("Sign in", Place::Nowhere, &serde_json::Value::Null)?.with("sign-in", &form)
}

/// `POST /sign-in`
pub(super) async fn enter(State(api): State<Api>, headers: HeaderMap, request: Request) -> Answer<Response> {
    came_from_here(&headers)?;
    let browser = browser(&headers, request.extensions());
    let extensions = request.extensions().clone();
    let form: SignInForm = read(request).await?;
    let next = local(&form.next);
    let kept = form.kept();
    let entered = if form.token.is_empty() {
        begin_session::by_password(&api.app, form.name.trim(), form.password, &browser).await
    } else {
        by_token(&api, form.token.trim(), &extensions, &browser).await
    };
    match entered {
        Ok(secret) => {
            if let Some(old) = cookies::value(&headers, cookies::cookie_name(&api.app)) {
                begin_session::leave(&api.app, &Digest::of(old.as_bytes())).await?;
            }
            let_in(&api, &secret, &extensions, (next, kept)).await
        }
        Err(OperationError::Refused(refusal)) => {
            let shown = draw(&api, next, form.name.trim(), (Some(&refusal), kept.as_ref()))?;
            Ok(with_status(StatusCode::FORBIDDEN, shown))
        }
        Err(other) => Err(other.into()),
    }
}

/// To where somebody wanted, or to what they had typed when their last session was over.
async fn let_in(
    api: &Api,
    secret: &str,
    extensions: &Extensions,
    (next, kept): (&str, Option<Kept>),
) -> Answer<Response> {
    if let Some(plan) = kept.as_ref().and_then(Kept::plan) {
        return Ok(cookies::signed_in(&api.app, secret, &plan));
    }
    let viewer = match &kept {
        Some(_) => viewer::of_secret(&api.app, secret, extensions).await?,
        None => None,
    };
    let (Some(viewer), Some(kept)) = (viewer, kept) else {
        return Ok(cookies::signed_in(&api.app, secret, next));
    };
    let mut response = kept.page(viewer)?;
    cookies::begin(&api.app, secret, &mut response);
    Ok(response)
}

/// `POST /sign-in/kept`: whoever signed in in another tab goes on with what they had typed in this one.
pub(super) async fn go_on(State(api): State<Api>, headers: HeaderMap, request: Request) -> Answer<Response> {
    came_from_here(&headers)?;
    let found = viewer::find(&api.app, &headers, request.extensions()).await?;
    let form: SignInForm = read(request).await?;
    let next = local(&form.next);
    match (found, form.kept()) {
        (Some(viewer), Some(kept)) if kept.fresh && !viewer.is_fresh() => {
            Ok(draw(&api, next, "", (None, Some(&kept)))?.once().into_response())
        }
        (Some(viewer), Some(kept)) => match kept.plan() {
            Some(plan) => Ok(Went(plan).into_response()),
            None => kept.page(viewer),
        },
        (Some(_), None) => Ok(Went(next.to_owned()).into_response()),
        (None, kept) => {
            let refusal = Refusal::new(
                pointsman_domain::RefusalKind::Forbidden,
                "signed_out",
                "this browser is not signed in yet",
            );
            let shown = draw(&api, next, "", (Some(&refusal), kept.as_ref()))?.once();
            Ok(with_status(StatusCode::UNAUTHORIZED, shown))
        }
    }
}

async fn by_token(
    api: &Api,
    token: &str,
    extensions: &Extensions,
    browser: &Browser,
) -> Result<Zeroizing<String>, OperationError> {
    let known = caller::of_token(&api.app, token, extensions).await?;
    let (id, actor) = known.map_err(|why| {
        Refusal::new(pointsman_domain::RefusalKind::Forbidden, "wrong_credentials", why)
            .hint("a token looks like pmn_<id>_<secret>; pointsman token create makes one")
    })?;
    if actor.kind != ActorKind::Token {
        let what = "only people's tokens may sign in here";
        return Err(Refusal::invalid("wrong_credentials", what).into());
    }
    begin_session::as_token(&api.app, &actor, &id, browser).await
}

/// `GET /invitation/{secret}`
pub(super) async fn invitation(State(api): State<Api>, Path(secret): Path<String>) -> Answer<Shown> {
    draw_invitation(&api, &secret, "", None).await
}

async fn draw_invitation(api: &Api, secret: &str, name: &str, refused: Option<&Refusal>) -> Answer<Shown> {
    let offered = accept_invitation::look(&api.app, secret).await?;
    let form = Invited {
        installation: &api.app.config.installation.name,
        role: offered.rights.in_words(),
        fixed: offered.name.as_deref(),
        renews: offered.renews,
        name,
        refused,
    };
    Shown::new("Invitation", Place::Nowhere, &serde_json::Value::Null)?.with("invitation", &form)
}

/// `POST /invitation/{secret}`
pub(super) async fn accept(
    State(api): State<Api>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Answer<Response> {
    came_from_here(&headers)?;
    let browser = browser(&headers, request.extensions());
    let form: AcceptForm = read(request).await?;
    let made = if form.password == form.again {
        accept_invitation::execute(&api.app, &secret, &form.name, form.password, &browser).await
    } else {
        Err(Refusal::invalid("passwords_differ", "the two passwords differ").into())
    };
    match made {
        Ok(session) => Ok(cookies::signed_in(&api.app, &session, "/")),
        Err(OperationError::Refused(refusal)) => {
            let shown = draw_invitation(&api, &secret, &form.name, Some(&refusal)).await?;
            Ok(with_status(StatusCode::UNPROCESSABLE_ENTITY, shown))
        }
        Err(other) => Err(other.into()),
    }
}

fn with_status(status: StatusCode, shown: Shown) -> Response {
    let mut response = shown.into_response();
    *response.status_mut() = status;
    response
}

async fn read<T: serde::de::DeserializeOwned>(request: Request) -> Answer<T> {
    let read = <Form<T> as axum::extract::FromRequest<()>>::from_request(request, &()).await;
    read.map(|Form(form)| form).map_err(|rejection| {
        Failed::unread(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_form",
            rejection.body_text(),
        )
    })
}

pub(super) fn browser(headers: &HeaderMap, extensions: &Extensions) -> Browser {
    let name = headers
        .get(header::USER_AGENT)
        .and_then(|name| name.to_str().ok());
    Browser {
        address: caller::address(extensions),
        name: name.map(ToOwned::to_owned),
    }
}

/// Where to go afterwards: a page of ours, and nowhere else.
pub(super) fn local(next: &str) -> &str {
    // Browsers drop tabs and line ends wherever they stand, and read a backslash as a slash.
    let plain = next
        .chars()
        .all(|c| !c.is_control() && !c.is_whitespace() && c != '\\');
    let ours = plain && next.starts_with('/') && !next.starts_with("//");
    if ours { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leads_elsewhere() {
        for (next, to) in [
            ("/d/7?host=web-1", "/d/7?host=web-1"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\r\n/evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(next), to, "{next}");
        }
    }
}
