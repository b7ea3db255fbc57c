//! Webhooks that forges call, and the newest pushes that they told. A secret is shown once.

use askama::Template;
use pointsman_domain::Action;
use pointsman_shared::api::pushes::{Forge, IssuedWebhook, NewWebhook, Push, Webhook};
use pointsman_shared::name::{ProjectName, WebhookName};
use pointsman_store::{projects, pushes, webhooks};
use serde::{Deserialize, Serialize};

use super::super::super::extract::{Form, filled};
use super::super::super::problem::Answer;
use super::super::done::Done;
use super::super::once::Once;
use super::super::shown::{Place, Shown, Went};
use super::super::viewer::Viewer;
use super::tabs::{Part, page};
use crate::operations::{keep_webhook, repeat_push};

/// Pushes that are shown.
const PUSHES: i64 = 20;

#[derive(Template)]
#[template(path = "settings/webhooks.html")]
struct List<'a> {
    rows: Vec<(&'a Webhook, bool)>,
    pushes: Vec<(&'a Push, bool)>,
    projects: Vec<ProjectName>,
    forges: [Forge; 4],
    proof: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    webhooks: &'a [Webhook],
    pushes: &'a [Push],
}

/// `GET /settings/webhooks`
pub(super) async fn list(viewer: Viewer) -> Answer<Shown> {
    let mut conn = viewer.app().store.read().await?;
    let rows = webhooks::all(&mut conn).await?;
    let all: Vec<_> = rows
        .iter()
        .map(|row| keep_webhook::shown(viewer.app(), row))
        .filter(|webhook| viewer.sees(&webhook.project))
        .collect();
    let sight = viewer.sight();
    let pushes = pushes::page(&mut conn, None, sight.as_deref(), None, PUSHES).await?;
    let mut projects = projects::all_names(&mut conn).await?;
    projects.retain(|project| viewer.may_in(project, Action::Configure));
    let list = List {
        rows: all
            .iter()
            .map(|webhook| (webhook, viewer.may_in(&webhook.project, Action::Configure)))
            .collect(),
        pushes: pushes
            .iter()
            .map(|push| (push, viewer.may_in(&push.project, Action::Deploy)))
            .collect(),
        projects,
        forges: [Forge::Github, Forge::Gitlab, Forge::Gitea, Forge::Generic],
        proof: &viewer.proof,
    };
    let data = Data {
        webhooks: &all,
        pushes: &pushes,
    };
    Ok(page(&viewer, Part::Webhooks, &data)?
        .with("webhooks", &list)?
        .like("pointsman webhook ls"))
}

/// Of which project, by whom, under which name.
#[derive(Debug, Deserialize)]
pub(super) struct Add {
    project: ProjectName,
    forge: Forge,
    #[serde(default, deserialize_with = "filled")]
    name: Option<WebhookName>,
}

/// `POST /settings/webhooks/add`; the one page that shows the secret.
pub(super) async fn add(viewer: Viewer, Form(form): Form<Add>) -> Answer<Shown> {
    let wish = NewWebhook {
        project: form.project,
        forge: form.forge,
        name: form.name,
    };
    let issued = keep_webhook::add(viewer.app(), &viewer.caller.actor, &wish).await?;
    secret_of(issued)
}

fn secret_of(issued: IssuedWebhook) -> Answer<Shown> {
    let webhook = issued.webhook;
    let once = Once {
        title: format!("Webhook {} of {}", webhook.name, webhook.project),
        what: "Give the forge this address and this secret, content type JSON, for pushes.".to_owned(),
        lines: vec![("The address", webhook.url), ("The secret", issued.secret)],
        until: None,
        way_back: "A new secret makes this one void at once; removing the webhook ends it.",
        back: "/settings/webhooks",
    };
    once.page(Place::Settings)
}

/// Which webhook.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    project: ProjectName,
    webhook: WebhookName,
}

/// `POST /settings/webhooks/renew`; the one page that shows the new secret.
pub(super) async fn renew(viewer: Viewer, Form(form): Form<One>) -> Answer<Shown> {
    let (app, actor) = (viewer.app(), &viewer.caller.actor);
    secret_of(keep_webhook::renew(app, actor, &form.project, &form.webhook).await?)
}

/// `POST /settings/webhooks/remove`
pub(super) async fn remove(viewer: Viewer, Form(form): Form<One>) -> Answer<Went> {
    let (app, actor) = (viewer.app(), &viewer.caller.actor);
    keep_webhook::remove(app, actor, &form.project, &form.webhook).await?;
    Ok(Went::telling("/settings/webhooks", Done::WebhookRemoved))
}

/// Which push.
#[derive(Debug, Deserialize)]
pub(super) struct OnePush {
    push: i64,
}

/// `POST /settings/pushes/repeat`
pub(super) async fn repeat(viewer: Viewer, Form(form): Form<OnePush>) -> Answer<Went> {
    repeat_push::execute(viewer.app(), &viewer.caller.actor, form.push).await?;
    Ok(Went::telling("/settings/webhooks", Done::PushRepeated))
}
