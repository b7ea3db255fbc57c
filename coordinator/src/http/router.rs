//! Every route on one screen, each with its rule.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use pointsman_domain::Action::{
    Build, Configure, Deploy, ManageEnvironments, ManageHosts, ManageTokens, Read,
};
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tower::util::MapRequestLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::guard::Access::{self, Agent, Does, Forge, May, Open};
use super::reach::Reach;
use super::repeat::MAX_BODY;
use super::{
    account, accounts, agent, audit, causes, channels, deliveries, deploy_keys, deployments, edge,
    environments, events, files, garbage, guard, health, hosts, jobs, locks, metrics, migrations, openapi,
    pages, plans, projects, recipes, refs, releases, rules, targets, tokens, variables, webhooks,
};
use crate::app::App;
use crate::live::Hub;
use crate::oidc::Provider;

/// What handlers are given.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// The application.
    pub(super) app: App,
    /// Where events come from.
    pub(super) events: Hub,
    /// The end; streams must not hold it up.
    pub(super) shutdown: CancellationToken,
    /// What was last found out about readiness.
    pub(super) readiness: health::Newest,
    /// The dashboard's routes; its streams ask them.
    pub(super) pages: pages::Inner,
    /// Who looks at which page.
    pub(super) company: pages::Company,
    /// The OpenID provider, where one is configured.
    pub(super) provider: Provider,
}

/// Every route of the API; the dashboard has its own.
pub fn routes() -> Vec<Route> {
    [
        installation(),
        settings(),
        notifications(),
        work(),
        on_push(),
        agents(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The installation itself: its health, its members, who may do what.
#[rustfmt::skip]
fn installation() -> Vec<Route> {
    vec![
        get("/healthz", Open, health::alive),
        get("/readyz", Open, health::ready),
        get("/version", Open, health::version),
        get("/metrics", May(Read), metrics::show),
        get("/api/v1/openapi.json", Open, openapi::show),
        get("/api/v1/whoami", May(Read), account::whoami).own(),
        get("/api/v1/status", May(Read), targets::list).each(),
        get("/api/v1/doctor", May(Read), health::doctor),
        get("/api/v1/audit", May(Read), audit::list),
        get("/api/v1/audit/chain", May(Read), audit::chain),
        get("/api/v1/events", May(Read), events::stream),
        get("/api/v1/hosts", May(Read), hosts::list),
        get("/api/v1/hosts/{host}", May(Read), hosts::one),
        put("/api/v1/hosts/{host}/pause", Does(ManageHosts, "host.pause"), hosts::pause),
        delete("/api/v1/hosts/{host}/pause", Does(ManageHosts, "host.resume"), hosts::resume),
        post("/api/v1/hosts/{host}/revoke", Does(ManageHosts, "host.revoke"), hosts::revoke),
        post("/api/v1/join-tokens", Does(ManageHosts, "host.invite"), hosts::invite),
        get("/api/v1/accounts", May(ManageTokens), accounts::list),
        post("/api/v1/accounts/invitations", Does(ManageTokens, "account.invite"), accounts::invite),
        post("/api/v1/accounts/{name}/password", Does(ManageTokens, "account.renew_password"), accounts::renew_password),
        put("/api/v1/accounts/{name}", Does(ManageTokens, "account.change"), accounts::change),
        get("/api/v1/tokens", May(ManageTokens), tokens::list),
        post("/api/v1/tokens", Does(ManageTokens, "token.issue"), tokens::issue),
        delete("/api/v1/tokens/{token}", Does(ManageTokens, "token.revoke"), tokens::revoke),
    ]
}

/// What is deployed, where to, and what is locked.
#[rustfmt::skip]
fn settings() -> Vec<Route> {
    vec![
        get("/api/v1/projects", May(Read), projects::list).each(),
        post("/api/v1/projects", Does(Configure, "project.create"), projects::create),
        get("/api/v1/projects/{project}", May(Read), projects::one),
        put("/api/v1/projects/{project}/tickets", Does(Configure, "project.tickets"), projects::set_tickets),
        delete("/api/v1/projects/{project}/tickets", Does(Configure, "project.tickets"), projects::remove_tickets),
        get("/api/v1/projects/{project}/refs", May(Read), refs::list),
        get("/api/v1/projects/{project}/commits", May(Read), refs::commits),
        post("/api/v1/projects/{project}/fetch", Does(Build, "repository.fetch"), refs::fetch),
        get("/api/v1/projects/{project}/recipe", May(Read), recipes::one),
        put("/api/v1/projects/{project}/recipe", Does(Configure, "recipe.write"), recipes::write),
        put("/api/v1/projects/{project}/recipe/source", Does(Configure, "recipe.choose"), recipes::choose),
        get("/api/v1/projects/{project}/recipe/revisions", May(Read), recipes::revisions),
        get("/api/v1/projects/{project}/recipe/revisions/{revision}", May(Read), recipes::revision),
        get("/api/v1/projects/{project}/deploy-key", May(Read), deploy_keys::one),
        put("/api/v1/projects/{project}/deploy-key", Does(Configure, "deploy_key.set"), deploy_keys::set),
        post("/api/v1/projects/{project}/deploy-key", Does(Configure, "deploy_key.make"), deploy_keys::make),
        delete("/api/v1/projects/{project}/deploy-key", Does(Configure, "deploy_key.remove"), deploy_keys::remove),
        get("/api/v1/environments", May(Read), environments::list),
        post("/api/v1/environments", Does(ManageEnvironments, "environment.create"), environments::create),
        get("/api/v1/targets", May(Read), targets::list).each(),
        post("/api/v1/targets", Does(Configure, "target.create"), targets::create).each(),
        get("/api/v1/targets/{target}", May(Read), targets::one),
        put("/api/v1/targets/{target}/lock", Does(Deploy, "target.lock"), locks::lock),
        delete("/api/v1/targets/{target}/lock", Does(Deploy, "target.unlock"), locks::unlock),
        get("/api/v1/locks", May(Read), locks::list).each(),
        put("/api/v1/stop", Does(Deploy, "stop.set"), locks::stop),
        delete("/api/v1/stop", Does(Deploy, "stop.lift"), locks::go_on),
        get("/api/v1/variables", May(Read), variables::list).each(),
        put("/api/v1/variables", Does(Configure, "variable.set"), variables::set).each(),
        delete("/api/v1/variables", Does(Configure, "variable.unset"), variables::unset).each(),
        put("/api/v1/apply", Does(Configure, "document.apply"), projects::apply).each(),
        get("/api/v1/causes", May(Read), causes::list),
        post("/api/v1/causes", Does(Configure, "cause.add"), causes::add),
        put("/api/v1/causes/{number}", Does(Configure, "cause.change"), causes::change),
        delete("/api/v1/causes/{number}", Does(Configure, "cause.remove"), causes::remove),
    ]
}

/// Who is told what, and what became of it.
#[rustfmt::skip]
fn notifications() -> Vec<Route> {
    vec![
        get("/api/v1/channels", May(Read), channels::list),
        post("/api/v1/channels", Does(Configure, "channel.add"), channels::add),
        get("/api/v1/channels/{channel}", May(Read), channels::one),
        delete("/api/v1/channels/{channel}", Does(Configure, "channel.remove"), channels::remove),
        put("/api/v1/channels/{channel}/enabled", Does(Configure, "channel.enable"), channels::enable),
        post("/api/v1/channels/{channel}/secret", Does(Configure, "channel.rotate"), channels::rotate),
        post("/api/v1/channels/{channel}/test", Does(Configure, "channel.test"), channels::test),
        get("/api/v1/rules", May(Read), rules::list),
        post("/api/v1/rules", Does(Configure, "rule.add"), rules::add),
        delete("/api/v1/rules/{number}", Does(Configure, "rule.remove"), rules::remove),
        get("/api/v1/deliveries", May(Read), deliveries::list),
        get("/api/v1/deliveries/{number}", May(Read), deliveries::one),
        post("/api/v1/deliveries/{number}/redeliver", Does(Configure, "delivery.redeliver"), deliveries::redeliver),
    ]
}

/// Releases, deployments and all that is done.
#[rustfmt::skip]
fn work() -> Vec<Route> {
    vec![
        get("/api/v1/targets/{target}/migrations", May(Read), migrations::list),
        post("/api/v1/targets/{target}/migrations", Does(Deploy, "migration.request"), migrations::request),
        get("/api/v1/projects/{project}/releases", May(Read), releases::list),
        post("/api/v1/projects/{project}/releases", Does(Build, "release.request"), releases::request),
        get("/api/v1/projects/{project}/releases/{release}", May(Read), releases::one),
        get("/api/v1/projects/{project}/releases/{release}/files", May(Read), files::list),
        get("/api/v1/projects/{project}/releases/{release}/diff", May(Read), files::diff),
        get("/api/v1/projects/{project}/releases/{release}/diff/text", May(Build), files::text),
        put("/api/v1/projects/{project}/releases/{release}/marks/{mark}", Does(Deploy, "release.mark"), releases::mark),
        delete("/api/v1/projects/{project}/releases/{release}/marks/{mark}", Does(Deploy, "release.unmark"), releases::unmark),
        put("/api/v1/projects/{project}/releases/{release}/pin", Does(Deploy, "release.pin"), releases::pin),
        post("/api/v1/garbage", Does(Read, "garbage.collect"), garbage::collect).each(),
        post("/api/v1/garbage/undo", Does(Deploy, "garbage.undo"), garbage::undo).each(),
        get("/api/v1/garbage/schedules", May(Read), garbage::schedules).each(),
        put("/api/v1/garbage/schedules", Does(Configure, "schedule.set"), garbage::set_schedule).each(),
        get("/api/v1/deployments", May(Read), deployments::list).each(),
        post("/api/v1/deployments", Does(Deploy, "deployment.request"), deployments::request).each(),
        get("/api/v1/deployments/{number}", May(Read), deployments::one),
        post("/api/v1/deployments/{number}/cancel", Does(Deploy, "deployment.cancel"), deployments::cancel),
        post("/api/v1/deployments/{number}/decision", Does(Deploy, "deployment.decide"), deployments::decide),
        post("/api/v1/deployments/{number}/pause", Does(Deploy, "deployment.pause"), deployments::pause),
        post("/api/v1/deployments/{number}/retry", Does(Deploy, "deployment.retry"), deployments::retry),
        post("/api/v1/deployments/{number}/skip", Does(Deploy, "deployment.skip"), deployments::skip),
        post("/api/v1/plans", Does(Deploy, "plan.make"), plans::make).each(),
        get("/api/v1/plans/{hash}", May(Read), plans::one),
        post("/api/v1/promotions", Does(Deploy, "promotion.request"), deployments::promote).each(),
        post("/api/v1/rollbacks", Does(Deploy, "rollback.request"), deployments::roll_back).each(),
        get("/api/v1/jobs", May(Read), jobs::list).each(),
        get("/api/v1/dead-letters", May(Read), jobs::dead_letters),
        get("/api/v1/jobs/{number}", May(Read), jobs::one),
        get("/api/v1/jobs/{number}/log", May(Read), jobs::log),
        post("/api/v1/jobs/{number}/cancel", Does(Deploy, "job.cancel"), jobs::cancel),
    ]
}

/// What forges tell, and what comes of it.
#[rustfmt::skip]
fn on_push() -> Vec<Route> {
    vec![
        get("/api/v1/webhooks", May(Read), webhooks::list).each(),
        post("/api/v1/webhooks", Does(Configure, "webhook.add"), webhooks::add).each(),
        post("/api/v1/webhooks/{project}/{webhook}", Forge, webhooks::call),
        post("/api/v1/webhooks/{project}/{webhook}/secret", Does(Configure, "webhook.renew"), webhooks::renew),
        delete("/api/v1/webhooks/{project}/{webhook}", Does(Configure, "webhook.remove"), webhooks::remove),
        get("/api/v1/pushes", May(Read), webhooks::pushes).each(),
        post("/api/v1/pushes/{number}/repeat", Does(Deploy, "push.repeat"), webhooks::repeat),
        put("/api/v1/targets/{target}/push-pause", Does(Deploy, "push.pause"), webhooks::pause),
        delete("/api/v1/targets/{target}/push-pause", Does(Deploy, "push.resume"), webhooks::resume),
    ]
}

/// What agents ask; they sign.
#[rustfmt::skip]
fn agents() -> Vec<Route> {
    vec![
        post("/api/v1/agent/join", Agent, agent::join),
        get("/api/v1/agent/objects/{kind}/{digest}", Agent, agent::fetch_object),
        put("/api/v1/agent/objects/{kind}/{digest}", Agent, agent::store_object),
        get("/api/v1/agent/variables", Agent, agent::variables),
        get("/api/v1/agent/deploy-key", Agent, agent::deploy_key),
    ]
}

/// The whole API and the dashboard.
pub(super) fn router(app: App, events: Hub, shutdown: CancellationToken) -> Router {
    let readiness = health::Newest::default();
    let api = Api {
        app,
        events,
        shutdown,
        readiness,
        pages: pages::Inner::default(),
        company: pages::Company::default(),
        provider: Provider::default(),
    };
    let mut router = Router::new();
    let mut inner = Router::new();
    for route in routes() {
        router = router.route(
            route.path,
            guarded(&api, (route.access, route.reach), route.handler),
        );
    }
    for page in pages::routes().into_iter().chain(pages::upkeep()) {
        let handler = guarded(&api, (page.access, page.reach), page.handler);
        inner = inner.route(page.path, handler.clone());
        router = router.route(
            page.path,
            handler.layer(from_fn_with_state(api.clone(), pages::wrap)),
        );
    }
    // It is set once, before anything is served.
    api.pages.0.get_or_init(|| inner.with_state(api.clone()));
    let inner = layered(router, &api);
    // A page's `.json` is taken off before its route is looked for.
    Router::new().fallback_service(MapRequestLayer::new(pages::rewrite).layer(inner))
}

fn guarded(api: &Api, (access, reach): (Access, Reach), handler: MethodRouter<Api>) -> MethodRouter<Api> {
    handler.layer(from_fn_with_state((api.clone(), access, reach), guard::guard))
}

fn layered(router: Router<Api>, api: &Api) -> Router {
    router
        .fallback(edge::nowhere.layer(from_fn_with_state(api.clone(), pages::wrap)))
        .method_not_allowed_fallback(edge::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(edge::caught))
        .layer(from_fn_with_state(api.app.clone(), edge::identify))
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(5)))
        .with_state(api.clone())
}

/// A route with its rule.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What the rule is about.
    pub reach: Reach,
    handler: MethodRouter<Api>,
}

fn route<H: Handler<T, Api>, T: 'static>(
    (method, filter): (Method, MethodFilter),
    path: &'static str,
    access: Access,
    handler: H,
) -> Route {
    let handler = on(filter, handler);
    Route {
        method,
        path,
        access,
        reach: Reach::of(path),
        handler,
    }
}

impl Route {
    /// About each project that the body names or a list shows.
    pub(super) const fn each(mut self) -> Self {
        self.reach = Reach::Each;
        self
    }

    /// About whoever asks.
    pub(super) const fn own(mut self) -> Self {
        self.reach = Reach::Own;
        self
    }
}

pub(super) fn get<H: Handler<T, Api>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route((Method::GET, MethodFilter::GET), path, access, handler)
}

pub(super) fn post<H: Handler<T, Api>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route((Method::POST, MethodFilter::POST), path, access, handler)
}

fn put<H: Handler<T, Api>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route((Method::PUT, MethodFilter::PUT), path, access, handler)
}

fn delete<H: Handler<T, Api>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route((Method::DELETE, MethodFilter::DELETE), path, access, handler)
}
