//! Lets a host join with its one-time token: its key is proven and registered, its place at the broker is made, and it
//! is told, under the coordinator's signature, what it is.
//!
//! The token may be used again by the key that used it: an answer can be lost. Another key is refused, loudly.

use pointsman_domain::{Actor, ActorKind, Refusal, RefusalKind};
use pointsman_shared::api::agent::{JOIN_TOKEN_PREFIX, JoinAnswer, JoinRequest, Membership};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::wire::{KeyId, VERSION, request::TOLERANCE_MS};
use pointsman_store::enrolments::Enrolment;
use pointsman_store::events::NewEvent;
use pointsman_store::join_tokens::{Invitation, JoinTokenRow};
use pointsman_store::{Transaction, enrolments, events, hosts, join_tokens, principals, signing_keys};
use zeroize::Zeroizing;

use super::trust_agent::forbidden;
use super::{act, invite_host};
use crate::app::App;
use crate::broker::BrokerError;
use crate::broker::enrolment::{self, Enrolled};
use crate::error::{OperationError, OperationResult};
use crate::{secrets, system};

/// Code of a refusal of a token that is not ours.
const UNKNOWN: &str = "unknown_join_token";

/// Joins a host.
pub async fn execute(
    app: &App,
    request: &JoinRequest,
    address: Option<String>,
) -> OperationResult<JoinAnswer> {
    let secret =
        check(app, request).inspect_err(|refusal| note_stranger(request, address.as_deref(), refusal))?;
    let outcome = join(app, request, &secret, address.clone()).await;
    match &outcome {
        // Whoever has no token of ours could fill a trail that is never deleted.
        Err(OperationError::Refused(refusal)) if refusal.code == UNKNOWN => {
            note_stranger(request, address.as_deref(), refusal);
        }
        Err(OperationError::Refused(refusal)) => note_refusal(app, request, address, refusal).await?,
        Ok(_) | Err(OperationError::Store(_) | OperationError::Internal { .. }) => {}
    }
    outcome
}

async fn join(
    app: &App,
    request: &JoinRequest,
    secret: &str,
    address: Option<String>,
) -> OperationResult<JoinAnswer> {
    let password = secrets::draw::<32>()?;
    let mut tx = app.store.begin().await?;
    let (invitation, hash) = register(app, &mut tx, request, secret, &password, address).await?;
    act::commit(tx).await?;
    app.bells.reconcile.notify_one();
    app.bells.events.notify_one();
    let lines = match enrolment::enrol(app, &invitation.host, &hash, &invitation.pools).await {
        Ok(Enrolled::Ready) => Vec::new(),
        Ok(Enrolled::ByHand { lines }) => lines,
        Err(error) => return Err(broker_away(&invitation, &error)),
    };
    seal(app, invitation, &password, lines).await
}

/// Checks what needs no database: the token's form, the time, and that the sender has the key. Returns the secret.
fn check(app: &App, request: &JoinRequest) -> Result<Zeroizing<String>, Refusal> {
    let token = request.token.strip_prefix(JOIN_TOKEN_PREFIX);
    let Some((key, secret)) = token.and_then(|token| token.split_once('_')) else {
        return Err(forbidden(UNKNOWN, "this is no join token"));
    };
    let ours = app.signatory.public().id();
    if key != ours.0 {
        let what = format!("this token was made by the coordinator with key {key}; this one has {ours}");
        return Err(
            Refusal::conflict("other_coordinator", what).hint("set coordinator.url to the one that made it")
        );
    }
    let off_ms = app.clock.now().timestamp_millis().abs_diff(request.at);
    if off_ms > TOLERANCE_MS.unsigned_abs() {
        let what = format!(
            "the host's clock and the coordinator's are {} s apart",
            off_ms / 1000
        );
        return Err(forbidden("stale_request", what).hint("set the host's clock and join again"));
    }
    if !request.proven().is_signed_by(&request.key, &request.proof) {
        return Err(forbidden(
            "forged_request",
            "the proof is not made with the key that is to join",
        ));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

async fn register(
    app: &App,
    tx: &mut Transaction,
    request: &JoinRequest,
    secret: &str,
    password: &str,
    address: Option<String>,
) -> OperationResult<(Invitation, String)> {
    let token = join_tokens::lock(tx, &Digest::of(secret.as_bytes()))
        .await?
        .ok_or_else(|| forbidden(UNKNOWN, "this join token is not known"))?;
    let key = request.key.id();
    let repeated = judge(app, tx, request, &token, &key).await?;
    let invitation = token.invitation;
    let now = app.clock.now();
    let host = invitation.host.as_str();
    let fresh = PrincipalId(app.ids.next());
    let principal = principals::ensure(tx, fresh, ActorKind::Agent, host, now).await?;
    let hash = enrolment::password_hash(password, secrets::salt()?);
    let enrolment = Enrolment {
        invitation: &invitation,
        principal,
        key: &request.key,
        password_hash: &hash,
        at: now,
    };
    enrolments::enrol(tx, &enrolment)
        .await
        .map_err(|error| match error.constraint() {
            Some("host_key_id_key") => {
                let what = format!("the key {key} belongs to another host");
                Refusal::conflict("key_in_use", what).into()
            }
            Some(_) | None => OperationError::from(error),
        })?;
    join_tokens::mark_used(tx, token.id, &key, now).await?;
    if !repeated {
        enrolments::clear_placements(tx, &invitation.host).await?;
        hosts::clear_instance(tx, &invitation.host).await?;
        announce(app, tx, &invitation, principal, &key, address).await?;
    }
    Ok((invitation, hash))
}

/// Whether this key may use this token; true when it did before.
async fn judge(
    app: &App,
    tx: &mut Transaction,
    request: &JoinRequest,
    token: &JoinTokenRow,
    key: &KeyId,
) -> OperationResult<bool> {
    let host = &token.invitation.host;
    if *host != request.host {
        let what = format!("this token is for {host}, not for {}", request.host);
        return Err(forbidden("token_of_other_host", what).into());
    }
    let member = hosts::lock(tx, host).await?.and_then(|row| row.key);
    match &token.used_key {
        Some(used) if used == key => {
            if member.is_some_and(|member| member.id() == *key) {
                return Ok(true);
            }
            let what = format!("the key {key} of {host} was revoked");
            Err(forbidden("key_revoked", what)
                .hint(format!("pointsman hosts invite {host}"))
                .into())
        }
        Some(used) => {
            let what =
                format!("this token was used before by the key {used}; if that was not you, revoke {host}");
            Err(forbidden("join_token_used", what)
                .hint(format!(
                    "pointsman hosts revoke {host}; pointsman hosts invite {host}"
                ))
                .into())
        }
        None if token.expires_at <= app.clock.now() => {
            let what = format!(
                "this token was valid until {}",
                token.expires_at.format("%F %T UTC")
            );
            Err(forbidden("join_token_expired", what)
                .hint(format!("pointsman hosts invite {host}"))
                .into())
        }
        None => {
            invite_host::refuse_member(tx, &token.invitation).await?;
            invite_host::refuse_shared_root(tx, &token.invitation).await?;
            Ok(false)
        }
    }
}

async fn announce(
    app: &App,
    tx: &mut Transaction,
    invitation: &Invitation,
    principal: PrincipalId,
    key: &KeyId,
    address: Option<String>,
) -> OperationResult<()> {
    let host = invitation.host.as_str();
    let actor = Actor {
        principal,
        kind: ActorKind::Agent,
        name: host.to_owned(),
        rights: RoleName::Viewer.into(),
        address,
        trace: None,
    };
    let detail = serde_json::json!({ "key": key, "labels": invitation.labels, "pools": invitation.pools });
    act::done(app, tx, &actor, "host.join", &format!("host {host}"), detail).await?;
    let event = NewEvent {
        kind: "host.joined",
        host: Some(host),
        message: format!("{host} joined with the key {key}"),
        ..NewEvent::default()
    };
    Ok(events::append(tx, app.clock.now(), &event).await?)
}

async fn seal(
    app: &App,
    invitation: Invitation,
    password: &str,
    administrator_lines: Vec<String>,
) -> OperationResult<JoinAnswer> {
    let mut conn = app.store.read().await?;
    let keys = signing_keys::key_set(&mut conn).await?;
    let broker_url = enrolment::agent_url(app, &invitation.host, password)
        .map_err(|error| OperationError::internal("writing the broker's address", error))?;
    let membership = Membership {
        v: VERSION,
        host: invitation.host,
        installation: app.config.installation.name.clone(),
        keys: keys.clone(),
        broker_url: broker_url.into(),
        pools: invitation.pools,
        kinds: invitation.kinds,
        administrator_lines,
    };
    Ok(JoinAnswer {
        keys,
        sealed: app.signatory.sign_membership(&membership),
    })
}

fn note_stranger(request: &JoinRequest, address: Option<&str>, refusal: &Refusal) {
    tracing::warn!(host = %request.host, address, code = refusal.code, "a join was refused: {}", refusal.what);
}

/// A refused join with a token of ours is an alarm: it stands in the trail and among the events.
async fn note_refusal(
    app: &App,
    request: &JoinRequest,
    address: Option<String>,
    refusal: &Refusal,
) -> OperationResult<()> {
    let mut tx = app.store.begin().await?;
    let mut actor = system::actor(app, &mut tx).await?;
    actor.address = address;
    let event = NewEvent {
        kind: "host.join_refused",
        host: Some(request.host.as_str()),
        message: format!("a join as {} was refused: {}", request.host, refusal.what),
        ..NewEvent::default()
    };
    events::append(&mut tx, app.clock.now(), &event).await?;
    act::commit(tx).await?;
    let object = format!("host {}", request.host);
    act::refused(app, &actor, "host.join", &object, refusal.code, &refusal.what).await
}

fn broker_away(invitation: &Invitation, error: &BrokerError) -> OperationError {
    tracing::error!(
        host = %invitation.host,
        error = error as &dyn std::error::Error,
        "a host joined, and its place at the broker could not be made"
    );
    let what = format!(
        "the place of {} at the broker could not be made: {error}",
        invitation.host
    );
    Refusal::new(RefusalKind::Unavailable, "broker_unavailable", what)
        .hint("join again with the same token; the key is kept")
        .into()
}
