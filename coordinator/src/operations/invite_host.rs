//! Invites a host: a token with which it may join, once, as what the coordinator says it is.

use chrono::TimeDelta;
use pointsman_domain::{Action, Actor, Refusal};
use pointsman_shared::api::agent::JOIN_TOKEN_PREFIX;
use pointsman_shared::api::fleet::{JoinToken, NewJoinToken};
use pointsman_shared::api::projects::DEFAULT_HOST_KINDS;
use pointsman_shared::digest::Digest;
use pointsman_shared::outcome::JobKind;
use pointsman_store::join_tokens::Invitation;
use pointsman_store::{Transaction, hosts, join_tokens, roots};

use super::act;
use crate::app::App;
use crate::error::OperationResult;
use crate::secrets;

/// Seconds a token is valid when its wish says nothing.
const USUAL_TTL_S: u32 = 900;
/// Seconds it is valid at most.
const MOST_TTL_S: u32 = 7 * 24 * 3600;

/// Makes a join token.
pub async fn execute(app: &App, actor: &Actor, wish: NewJoinToken) -> OperationResult<JoinToken> {
    let object = format!("host {}", wish.host);
    act::audited(
        app,
        actor,
        "host.invite",
        &object,
        invite(app, actor, wish, &object),
    )
    .await
}

async fn invite(app: &App, actor: &Actor, wish: NewJoinToken, object: &str) -> OperationResult<JoinToken> {
    actor.authorize(Action::ManageHosts, object)?;
    let ttl = wish.ttl_seconds.unwrap_or(USUAL_TTL_S);
    if !(1..=MOST_TTL_S).contains(&ttl) {
        let what = format!("a join token is valid for 1 s to 7 days, not {ttl} s");
        return Err(Refusal::invalid("invalid_ttl", what).into());
    }
    let invitation = Invitation {
        kinds: kinds(&wish)?,
        host: wish.host,
        labels: wish.labels,
        pools: wish.pools,
    };
    let mut tx = app.store.begin().await?;
    refuse_member(&mut tx, &invitation).await?;
    refuse_shared_root(&mut tx, &invitation).await?;
    let now = app.clock.now();
    let expires_at = now + TimeDelta::seconds(ttl.into());
    let secret = secrets::draw::<32>()?;
    let digest = Digest::of(secret.as_bytes());
    join_tokens::insert(
        &mut tx,
        app.ids.next(),
        &digest,
        &invitation,
        actor.principal,
        now,
        expires_at,
    )
    .await?;
    let detail = serde_json::json!({
        "labels": invitation.labels, "pools": invitation.pools, "kinds": invitation.kinds, "ttl_s": ttl,
    });
    act::done(app, &mut tx, actor, "host.invite", object, detail).await?;
    act::commit(tx).await?;
    let key = app.signatory.public().id();
    Ok(JoinToken {
        token: format!("{JOIN_TOKEN_PREFIX}{key}_{}", *secret),
        host: invitation.host,
        expires_at,
    })
}

fn kinds(wish: &NewJoinToken) -> Result<Vec<JobKind>, Refusal> {
    if wish.kinds.is_empty() {
        let build = (!wish.pools.is_empty()).then_some(JobKind::Build);
        return Ok(build.into_iter().chain(DEFAULT_HOST_KINDS).collect());
    }
    let builds = wish.kinds.contains(&JobKind::Build);
    if builds == wish.pools.is_empty() {
        let what = if builds {
            "a host that builds needs a pool"
        } else {
            "pools are for hosts that build, and build is not among the kinds"
        };
        return Err(Refusal::invalid("pools_and_kinds", what).hint("--pools default --kinds build"));
    }
    let mut kinds = wish.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// A host id is never given to another machine while the first one is a member.
pub(super) async fn refuse_member(tx: &mut Transaction, invitation: &Invitation) -> OperationResult<()> {
    let host = &invitation.host;
    let Some(row) = hosts::lock(tx, host).await?.filter(|row| row.key.is_some()) else {
        return Ok(());
    };
    let heard = row
        .presence
        .last_seen_at
        .map(|at| format!(", last heard at {}", at.format("%F %T UTC")))
        .unwrap_or_default();
    let what = format!("two agents with one name: {host} has joined already with another key{heard}");
    Err(Refusal::conflict("host_has_joined", what)
        .hint(format!(
            "give this machine another name; if it replaces the other one: pointsman hosts revoke {host}"
        ))
        .into())
}

/// A host that fits two targets with one root would be switched by both.
pub(super) async fn refuse_shared_root(tx: &mut Transaction, invitation: &Invitation) -> OperationResult<()> {
    roots::lock(tx).await?;
    let Some(pair) = roots::clash_of_labels(tx, &invitation.labels).await? else {
        return Ok(());
    };
    let what = format!(
        "{} fits both {} and {}, which have the same root {}",
        invitation.host, pair.one, pair.other, pair.root
    );
    Err(Refusal::conflict("root_used_twice", what)
        .hint("give one of the targets another root, or the host other labels")
        .into())
}
