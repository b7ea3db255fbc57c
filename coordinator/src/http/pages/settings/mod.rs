//! Settings: what is built and where it goes, who may come in, who is told what, and what hosts and builds are given. What is secret of them is shown once,
//! when it is made.

mod accounts;
mod causes;
mod channels;
mod deliveries;
mod document;
mod environments;
mod keys;
mod profile;
mod projects;
pub(super) mod tabs;
mod targets;
mod tokens;
mod variables;
mod webhooks;

use pointsman_domain::Action::{Configure, Deploy, ManageEnvironments, ManageTokens, Read};

use super::super::guard::Access::{Page, Press};
use super::super::router::{Route, get, post};

/// Every page of the settings and what can be pressed on it.
#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/settings", Page(Read), tabs::overview).each(),
        get("/settings/projects", Page(Read), projects::list).each(),
        post("/settings/projects", Press(Configure), projects::create),
        get("/settings/projects/{project}", Page(Read), projects::show),
        post("/settings/projects/{project}", Press(Configure), projects::change),
        post("/settings/projects/{project}/tickets", Press(Configure), projects::tickets),
        post("/settings/projects/{project}/targets", Press(Configure), targets::create),
        post("/settings/projects/{project}/key", Press(Configure), keys::set),
        post("/settings/projects/{project}/key/make", Press(Configure), keys::make),
        post("/settings/projects/{project}/key/trust", Press(Configure), keys::trust),
        post("/settings/projects/{project}/key/remove", Press(Configure), keys::remove),
        get("/settings/targets/{target}", Page(Read), targets::show),
        post("/settings/targets/{target}", Press(Configure), targets::change),
        get("/settings/document", Page(Read), document::show).each(),
        post("/settings/document", Press(Configure), document::apply).each(),
        get("/settings/accounts", Page(ManageTokens), accounts::list),
        post("/settings/accounts/invitations", Press(ManageTokens), accounts::invite),
        post("/settings/accounts/password", Press(ManageTokens), accounts::renew_password),
        post("/settings/accounts/change", Press(ManageTokens), accounts::change),
        get("/settings/tokens", Page(ManageTokens), tokens::list),
        post("/settings/tokens/issue", Press(ManageTokens), tokens::issue),
        post("/settings/tokens/revoke", Press(ManageTokens), tokens::revoke),
        get("/settings/environments", Page(Read), environments::list),
        post("/settings/environments", Press(ManageEnvironments), environments::create),
        get("/settings/channels", Page(Read), channels::list),
        post("/settings/channels/add", Press(Configure), channels::add),
        post("/settings/channels/change", Press(Configure), channels::change),
        post("/settings/channels/rotate", Press(Configure), channels::rotate),
        post("/settings/rules/add", Press(Configure), channels::add_rule),
        post("/settings/rules/remove", Press(Configure), channels::remove_rule),
        get("/settings/deliveries", Page(Read), deliveries::list),
        get("/settings/deliveries/{number}", Page(Read), deliveries::show),
        post("/settings/deliveries/{number}/redeliver", Press(Configure), deliveries::redeliver),
        get("/settings/webhooks", Page(Read), webhooks::list).each(),
        post("/settings/webhooks/add", Press(Configure), webhooks::add).each(),
        post("/settings/webhooks/renew", Press(Configure), webhooks::renew).each(),
        post("/settings/webhooks/remove", Press(Configure), webhooks::remove).each(),
        post("/settings/pushes/repeat", Press(Deploy), webhooks::repeat).each(),
        get("/settings/variables", Page(Read), variables::list).each(),
        post("/settings/variables/set", Press(Configure), variables::set).each(),
        post("/settings/variables/unset", Press(Configure), variables::unset).each(),
        get("/settings/causes", Page(Read), causes::list),
        post("/settings/causes/add", Press(Configure), causes::add),
        post("/settings/causes/change", Press(Configure), causes::change),
        post("/settings/causes/remove", Press(Configure), causes::remove),
        get("/profile", Page(Read), profile::show).own(),
        post("/profile/address", Press(Read), profile::address).own(),
        post("/profile/password", Press(Read), profile::password).own(),
        post("/profile/sessions/end", Press(Read), profile::end_sessions).own(),
    ]
}
