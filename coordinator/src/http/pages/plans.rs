//! Plans: what a deployment would do, before it is done. The page is the confirmation, and its address can be shared.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use pointsman_domain::tickets::TicketLinks;
use pointsman_domain::{Action, Refusal, forecast};
use pointsman_shared::api::deployments::NewDeployment;
use pointsman_shared::api::plans::{CommitLine, NewPlan, Plan};
use pointsman_shared::digest::Digest;
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::name::TargetName;
use pointsman_store::{PgConnection, projects, targets, views};
use serde::Deserialize;

use super::super::extract::{Form, Path, Query};
use super::super::problem::Answer;
use super::super::router::Api;
use super::filters;
use super::format;
use super::kept;
use super::me::Me;
use super::prices::{Priced, Prices};
use super::shown::{Place, Shown, Went};
use super::viewer::Viewer;
use crate::operations::make_plan::Looked;
use crate::operations::{make_plan, request_deployment};

/// How long a deployment to the last environment is held, so that it can be taken back before anything is sent.
const HOLD_S: u32 = 5;

/// What is to be planned: a target and a release, or both in one word of a button, `shop@production 1.9.1`.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    target: Option<TargetName>,
    #[serde(default)]
    release: String,
    #[serde(default, rename = "wish")]
    in_one: String,
}

impl Wish {
    fn read(self) -> Result<(TargetName, String), Refusal> {
        let unread = || {
            Refusal::invalid("invalid_wish", "the form names no target and release")
                .hint("choose a release on the page of the target")
        };
        match (self.target, self.in_one.split_once(' ')) {
            (Some(target), _) => Ok((target, self.release)),
            (None, Some((target, release))) => {
                Ok((target.parse().map_err(|_| unread())?, release.to_owned()))
            }
            (None, None) => Err(unread()),
        }
    }
}

/// `POST /plans`
pub(super) async fn make(viewer: Viewer, Form(form): Form<Wish>) -> Answer<Went> {
    let (target, release) = form.read()?;
    let wish = NewPlan {
        target,
        release,
        waves: None,
        on_failure: None,
    };
    let plan = make_plan::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went(format!("/plans/{}", plan.hash)))
}

#[derive(Template)]
#[template(path = "plan.html")]
struct Page<'a> {
    plan: &'a Plan,
    target: &'a TargetName,
    reason: &'a str,
    proof: &'a str,
    may: bool,
    hosts: usize,
    expected: Option<String>,
    authors: usize,
    me: Me,
    stale: Option<String>,
    /// How long a rollback usually takes.
    way_back: Option<String>,
    held: bool,
    /// The deployment that carries it out already.
    under_way: Option<i64>,
    tickets: TicketLinks,
    pre: Vec<Priced<'a>>,
    post: Vec<Priced<'a>>,
}

impl Page<'_> {
    /// How many of the commits that come are of the one who looks.
    fn yours(&self) -> usize {
        self.me.wrote_of(&self.plan.commits.coming)
    }

    /// Whether a commit, by the beginning of its id, comes with this plan.
    fn comes(&self, id: &str) -> bool {
        self.plan
            .commits
            .coming
            .iter()
            .any(|line| line.id.starts_with(id))
    }

    /// Newer commits that take back what comes.
    fn taken_back(&self) -> Vec<&CommitLine> {
        let newer = self.plan.newer.iter().flat_map(|newer| &newer.commits);
        newer
            .filter(|line| line.reverts.as_deref().is_some_and(|reverts| self.comes(reverts)))
            .collect()
    }
}

/// `GET /plans/{hash}`, with the words that somebody had typed on it before they signed in once more.
pub(super) async fn show(
    viewer: Viewer,
    Path(hash): Path<Digest>,
    Query(typed): Query<Carried>,
) -> Answer<Shown> {
    let Looked {
        plan,
        under_way,
        live,
    } = make_plan::look(viewer.app(), &hash).await?;
    let target = &plan.agreed.target;
    let mut conn = viewer.app().store.read().await?;
    let planned_from = plan.agreed.from.as_ref().map(|from| from.label.clone());
    let stale = (live != planned_from).then(|| {
        let live = live.map_or_else(|| "nothing".to_owned(), |live| live.to_string());
        format!("{live} is live there by now")
    });
    let me = Me::of(&mut conn, &viewer).await?;
    let project = projects::find(&mut conn, &target.project).await?;
    let prices = Prices::read(&mut conn, &plan).await?;
    let usual = forecast::usual(&views::way_back::times(&mut conn, target).await?);
    let page = Page {
        target,
        reason: &typed.reason,
        proof: &viewer.proof,
        may: viewer.may_in(&target.project, Action::Deploy),
        hosts: plan.agreed.waves.iter().map(Vec::len).sum(),
        expected: plan.expected.map(|usual| format::usual(&usual, "")),
        authors: authors(&plan),
        me,
        stale,
        way_back: usual.map(|usual| format::duration(usual.median_ms)),
        held: is_last(&mut conn, target).await?,
        under_way,
        tickets: TicketLinks::new(project.as_ref().and_then(|project| project.tickets.as_ref())),
        pre: prices.of(&plan.agreed.pre_migrations, MigrationPhase::Pre),
        post: prices.of(&plan.post_migrations, MigrationPhase::Post),
        plan: &plan,
    };
    let command = format!("pointsman plan {target} {}", plan.agreed.release.label);
    Ok(Shown::new(
        format!("Plan {} → {target}", plan.agreed.release.label),
        Place::Deployments,
        &plan,
    )?
    .with("plan", &page)?
    .like(command))
}

/// How many people wrote what comes.
fn authors(plan: &Plan) -> usize {
    let all = plan.commits.coming.iter().map(|line| line.author.as_str());
    all.collect::<std::collections::BTreeSet<&str>>().len()
}

/// Whether a target lies in the last environment of its project, where a wish is held for a moment, and starts by a fresh
/// sign-in alone.
pub(super) async fn is_last(conn: &mut PgConnection, target: &TargetName) -> Answer<bool> {
    let names = targets::names(conn).await?;
    let last = names.iter().rfind(|(_, name)| name.project == target.project);
    Ok(last.is_some_and(|(_, last)| last == target))
}

/// A plan that is carried out.
#[derive(Debug, Deserialize)]
pub(super) struct Carried {
    #[serde(default)]
    reason: String,
}

/// `POST /plans/{hash}`; to the last environment by whoever signed in lately.
pub(super) async fn carry_out(
    State(api): State<Api>,
    viewer: Viewer,
    Path(hash): Path<Digest>,
    request: Request,
) -> Answer<Response> {
    let (parts, body) = kept::whole(request).await?;
    let form: Carried = kept::form(&parts, &body).await?;
    let mut conn = viewer.app().store.read().await?;
    let plan = make_plan::find(&mut conn, &hash).await?;
    let target = plan.agreed.target.clone();
    let held = is_last(&mut conn, &target).await?;
    drop(conn);
    if held && !viewer.is_fresh() {
        return kept::sign_in_again(&api, &viewer, &parts, &body);
    }
    let reason = form.reason.trim();
    let wish = NewDeployment {
        plan: Some(hash),
        hold_s: held.then_some(HOLD_S),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        ..NewDeployment::new(target, format!("#{}", plan.agreed.release.number))
    };
    let number = request_deployment::execute(viewer.app(), &viewer.caller.actor, &wish).await?;
    Ok(Went(format!("/d/{number}")).into_response())
}
