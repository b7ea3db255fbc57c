//! What agents say, from bytes to the one operation each message belongs to. Decoding is total: what cannot be taken is
//! refused with a reason, and nothing is parsed before its signature was checked.

use pointsman_shared::name::HostId;
use pointsman_shared::wire::envelope::Message;
use pointsman_shared::wire::from_agent::FromAgent;
use pointsman_shared::wire::{self, Envelope, EnvelopeError, KeySet, LogChunk, Role, VerifyError, topology};
use pointsman_store::hosts;
use pointsman_store::logs::Stored;

use super::hearing;
use crate::app::App;
use crate::error::OperationResult;
use crate::operations::{
    claim_job, decline_offer, give_back_epoch, record_hello, record_log_chunk, record_placement_state,
    record_report, renew_leases,
};
use crate::reply::Reply;

/// What became of a message.
#[derive(Debug)]
pub enum Taken {
    /// It was applied; these answers go out.
    Done(Vec<Reply>),
    /// It is not taken.
    Refused {
        /// Stable code.
        code: &'static str,
        /// In words.
        reason: String,
    },
}

/// Takes a message of the queue of reports.
pub async fn report(app: &App, routing_key: &str, bytes: &[u8]) -> OperationResult<Taken> {
    if hearing::is_look(routing_key) {
        return Ok(Taken::Done(Vec::new()));
    }
    let message = match verified::<FromAgent>(app, routing_key, bytes).await? {
        Ok(message) => message,
        Err(refused) => return Ok(refused),
    };
    if topology::report_key(message.host(), message.key()) != routing_key {
        return Ok(wrong_place(message.host(), routing_key));
    }
    if version(&message) != wire::VERSION {
        return Ok(wrong_version(version(&message)));
    }
    dispatch(app, message).await.map(Taken::Done)
}

/// Takes a message of the queue of logs.
pub async fn log_chunk(app: &App, routing_key: &str, bytes: &[u8]) -> OperationResult<Taken> {
    let chunk = match verified::<LogChunk>(app, routing_key, bytes).await? {
        Ok(chunk) => chunk,
        Err(refused) => return Ok(refused),
    };
    if topology::log_key(&chunk.host, chunk.stream) != routing_key {
        return Ok(wrong_place(&chunk.host, routing_key));
    }
    if chunk.v != wire::VERSION {
        return Ok(wrong_version(chunk.v));
    }
    Ok(match record_log_chunk::execute(app, &chunk).await? {
        Stored::Kept => Taken::Done(Vec::new()),
        Stored::NotItsStream => refuse(
            "stray_log",
            format!("stream {} is not of {}", chunk.stream, chunk.host),
        ),
    })
}

/// The host that a routing key names; not proven before its signature is checked.
pub fn claimed_host(routing_key: &str) -> Option<&str> {
    routing_key.split_once('.').map(|(host, _)| host)
}

async fn dispatch(app: &App, message: FromAgent) -> OperationResult<Vec<Reply>> {
    match &message {
        FromAgent::Hello(hello) => record_hello::execute(app, hello).await,
        FromAgent::Claim(claim) => claim_job::execute(app, claim).await,
        FromAgent::Heartbeat(beat) => renew_leases::execute(app, beat).await,
        FromAgent::Report(report) => record_report::execute(app, report).await,
        FromAgent::PlacementState(page) => {
            record_placement_state::execute(app, page).await?;
            Ok(Vec::new())
        }
        FromAgent::Declined(declined) => {
            decline_offer::execute(app, declined).await?;
            Ok(Vec::new())
        }
        FromAgent::SlotFree(free) => {
            decline_offer::slot_free(app, free).await?;
            Ok(Vec::new())
        }
        FromAgent::NotBegun(not_begun) => {
            give_back_epoch::execute(app, not_begun).await?;
            Ok(Vec::new())
        }
    }
}

/// Checks the signature with the key that is registered for the host the routing key names.
async fn verified<M: Message>(
    app: &App,
    routing_key: &str,
    bytes: &[u8],
) -> OperationResult<Result<M, Taken>> {
    let envelope = match Envelope::from_bytes(bytes) {
        Ok(envelope) => envelope,
        Err(error @ EnvelopeError::TooLarge { .. }) => {
            return Ok(Err(refuse("too_large", error.to_string())));
        }
        Err(error @ EnvelopeError::Malformed(_)) => return Ok(Err(refuse("malformed", error.to_string()))),
    };
    let Some(Ok(host)) = claimed_host(routing_key).map(str::parse::<HostId>) else {
        return Ok(Err(refuse(
            "wrong_place",
            format!("routing key {routing_key:?} names no host"),
        )));
    };
    let known = hosts::get(&mut *app.store.read().await?, &host).await?;
    let Some(key) = known.and_then(|host| host.key) else {
        return Ok(Err(refuse(
            "unknown_host",
            format!("no key is registered for {host}"),
        )));
    };
    Ok(match envelope.verify::<M>(&KeySet::of(Role::Agent, key)) {
        Ok(message) => Ok(message.into_inner()),
        Err(error) => {
            let code = match &error {
                VerifyError::WrongType { .. } => "wrong_type",
                VerifyError::SignatureCount(_) => "malformed",
                VerifyError::UnknownKey(_) => "unknown_key",
                VerifyError::Forged(_) => "forged",
                VerifyError::Unreadable(_) => "unreadable",
            };
            Err(refuse(code, error.to_string()))
        }
    })
}

const fn version(message: &FromAgent) -> u16 {
    match message {
        FromAgent::Hello(m) => m.v,
        FromAgent::PlacementState(m) => m.v,
        FromAgent::Claim(m) => m.v,
        FromAgent::Declined(m) => m.v,
        FromAgent::SlotFree(m) => m.v,
        FromAgent::NotBegun(m) => m.v,
        FromAgent::Heartbeat(m) => m.v,
        FromAgent::Report(m) => m.v,
    }
}

const fn refuse(code: &'static str, reason: String) -> Taken {
    Taken::Refused { code, reason }
}

fn wrong_version(found: u16) -> Taken {
    let reason = format!("wire version {found} is not {}", wire::VERSION);
    refuse("wrong_version", reason)
}

fn wrong_place(host: &HostId, routing_key: &str) -> Taken {
    let reason = format!("a message of {host} came under the key {routing_key:?}");
    refuse("wrong_place", reason)
}
