//! The dashboard: pages for people in a browser, made of regions that are drawn once for the page and once more for
//! each live patch, by the same template.
//!
//! A page's handler reads one snapshot and returns a [`shown::Shown`]; [`wrap`] draws the shell around it, or writes
//! its data as JSON. Templates stand beside the handlers. Handlers decide nothing: what a click changes goes through the
//! same operations as the API. Every page and every action works without JavaScript.

mod ahead;
mod assets;
mod audit;
mod audited;
mod badge;
mod behind;
mod company;
mod cookies;
mod course;
mod csv;
mod dead_letters;
mod deployment_list;
mod deployments;
mod done;
mod due;
mod find;
mod format;
mod garbage;
mod host;
mod hosts;
mod interventions;
mod jobs;
mod kept;
mod live;
mod locks;
mod log;
mod me;
mod migrations;
mod needs;
mod once;
mod origin;
mod overview;
mod past;
mod plans;
mod prices;
mod project_commits;
mod projects;
mod provider;
mod qr;
mod readable;
mod recipe;
mod release_diff;
mod release_files;
mod releases;
mod scope;
mod sessions;
mod settings;
mod shown;
mod sign_in;
mod stages;
mod stop;
mod targets;
mod text;
mod versions;
mod viewer;
mod why;
mod wrap;

/// Filters that templates use.
#[expect(
    clippy::inline_always,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "what askama makes of a filter"
)]
mod filters {
    /// The first twelve characters: enough to tell commits apart.
    #[askama::filter_fn]
    pub(super) fn short(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text.to_string().chars().take(12).collect())
    }
}

pub(super) use company::Company;
pub(super) use live::Inner;
pub(super) use viewer::{look, press};
pub(super) use wrap::{rewrite, wrap};

use pointsman_domain::Action::{Build, Configure, Deploy, ManageHosts, Read};

use super::guard::Access::{Open, Page, Press};
use super::router::{Route, get, post};

/// Every page and what can be pressed on it.
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        get("/assets/{name}", Open, assets::show),
        get("/sign-in", Open, sign_in::show),
        post("/sign-in", Open, sign_in::enter),
        post("/sign-in/kept", Open, sign_in::go_on),
        get("/sign-in/provider", Open, provider::go),
        get("/sign-in/provider/back", Open, provider::come_back),
        get("/invitation/{secret}", Open, sign_in::invitation),
        post("/invitation/{secret}", Open, sign_in::accept),
        post("/sign-out", Press(Read), sessions::end).own(),
        post("/appearance", Press(Read), sessions::appearance).own(),
        get("/live", Page(Read), live::stream).own(),
        get("/", Page(Read), overview::show).each(),
        get("/find", Page(Read), find::show).each(),
        get("/p", Page(Read), projects::list).each(),
        get("/p/{project}", Page(Read), projects::show),
        post("/p/{project}/build", Press(Build), projects::build),
        post("/p/{project}/fetch", Press(Build), projects::fetch),
        get("/p/{project}/recipe", Page(Read), recipe::show),
        post("/p/{project}/recipe", Press(Configure), recipe::write),
        post("/p/{project}/recipe/source", Press(Configure), recipe::choose),
        get("/t/{target}", Page(Read), targets::show),
        get("/t/{target}/badge", Page(Read), badge::show),
        get("/t/{target}/badge.svg", Page(Read), badge::picture),
        get("/t/{target}/version", Page(Read), badge::version),
        post("/t/{target}/pushes", Press(Deploy), targets::resume_pushes),
        get("/r/{project}/{release}", Page(Read), releases::show),
        get("/r/{project}/{release}/files", Page(Read), release_files::show),
        get("/r/{project}/{release}/diff", Page(Read), release_diff::show),
        post("/r/{project}/{release}/mark", Press(Deploy), releases::mark),
        post("/r/{project}/{release}/pin", Press(Deploy), releases::pin),
        post("/plans", Press(Deploy), plans::make).each(),
        get("/plans/{hash}", Page(Read), plans::show),
        post("/plans/{hash}", Press(Deploy), plans::carry_out),
        get("/jobs", Page(Read), jobs::list).each(),
        get("/jobs/dead", Page(Read), dead_letters::list),
        get("/jobs/{number}", Page(Read), jobs::show),
        get("/jobs/{number}/raw", Page(Read), log::raw::show),
        get("/jobs/{number}/lines", Page(Read), log::window::lines),
        get("/jobs/{number}/step", Page(Read), log::finding::step),
        post("/jobs/{number}/cancel", Press(Deploy), jobs::cancel),
        get("/d", Page(Read), deployment_list::show).each(),
        get("/d.csv", Page(Read), deployment_list::csv).each(),
        get("/d/{number}", Page(Read), deployments::show),
        get("/d/{number}/qr.svg", Page(Read), qr::deployment),
        post("/d/{number}/cancel", Press(Deploy), interventions::cancel),
        post("/d/{number}/pause", Press(Deploy), interventions::pause),
        post("/d/{number}/decide", Press(Deploy), interventions::decide),
        post("/d/{number}/retry", Press(Deploy), interventions::retry),
        post("/d/{number}/skip", Press(Deploy), interventions::skip),
        post("/rollbacks", Press(Deploy), interventions::roll_back).each(),
    ]
}

/// The same of what keeps the installation: hosts, locks, garbage, migrations, the audit trail, settings.
#[rustfmt::skip]
pub fn upkeep() -> Vec<Route> {
    let mut routes = vec![
        get("/hosts", Page(Read), hosts::list),
        post("/hosts/invitations", Press(ManageHosts), hosts::invite),
        get("/h/{host}", Page(Read), host::show),
        post("/h/{host}/pause", Press(ManageHosts), host::pause),
        post("/h/{host}/resume", Press(ManageHosts), host::resume),
        post("/h/{host}/revoke", Press(ManageHosts), host::revoke),
        get("/locks", Page(Read), locks::show).each(),
        post("/locks", Press(Deploy), locks::lock).each(),
        post("/locks/lift", Press(Deploy), locks::unlock).each(),
        post("/locks/stop", Press(Deploy), locks::stop),
        post("/locks/stop/lift", Press(Deploy), locks::go_on),
        get("/gc", Page(Read), garbage::show).each(),
        post("/gc/collect", Press(Configure), garbage::collect).each(),
        post("/gc/undo", Press(Deploy), garbage::undo).each(),
        post("/gc/schedule", Press(Configure), garbage::schedule).each(),
        post("/gc/pin", Press(Deploy), garbage::pin).each(),
        get("/migrations", Page(Read), migrations::show).each(),
        post("/migrations", Press(Deploy), migrations::request).each(),
        get("/audit", Page(Read), audit::show),
        get("/audit.csv", Page(Read), audit::csv),
        get("/audit/chain", Page(Read), audit::chain),
    ];
    routes.extend(settings::routes());
    routes
}
