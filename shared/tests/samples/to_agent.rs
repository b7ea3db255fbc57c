use pointsman_shared::ids::{Epoch, Generation, InstanceId, JobId, PlacementId, SpoolId};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::to_agent::{
    Acknowledge, Adopt, Cancel, Denial, DenialReason, Grant, HeartbeatReply, KnownPlacement, LeaseReply,
    LeaseTimes, LeaseVerdict, Offer, ToAgent, Unwelcome, Welcome,
};
use pointsman_shared::wire::{KeySet, Nonce, Role, SigningKey};

use super::{NOON, bodies, digest, id};

const HOST: &str = "web-1";
const TIMES: LeaseTimes = LeaseTimes {
    beat_ms: 10_000,
    idle_beat_ms: 30_000,
    lease_ms: 45_000,
    stop_ms: 30_000,
};

fn nonce() -> Nonce {
    Nonce::from_bytes([7; 16])
}

fn instance() -> InstanceId {
    InstanceId(id(9))
}

pub fn to_agent() -> Vec<(&'static str, ToAgent)> {
    let mut all = work();
    all.extend(membership());
    all
}

#[expect(clippy::too_many_lines, reason = "a list of samples")]
fn work() -> Vec<(&'static str, ToAgent)> {
    let host = || HOST.parse().unwrap();
    let body = serde_json::to_string(&bodies()[1].1).unwrap();
    let offer = Offer {
        v: 1,
        job: JobId(id(1)),
        epoch: Epoch(0),
        digest: digest(&body),
        body,
        issued_at: NOON,
        expires_at: NOON + 120_000,
    };
    let grant = Grant {
        v: 1,
        host: host(),
        instance: instance(),
        job: JobId(id(1)),
        epoch: Epoch(1),
        digest: offer.digest,
        nonce: nonce(),
        granted_at: NOON,
        times: TIMES,
    };
    let denial = Denial {
        v: 1,
        host: host(),
        instance: instance(),
        job: JobId(id(1)),
        epoch: Epoch(0),
        nonce: nonce(),
        reason: DenialReason::Taken,
    };
    let cancel = Cancel {
        v: 1,
        host: host(),
        instance: instance(),
        job: JobId(id(1)),
        epoch: Epoch(1),
        reason: "cancelled by ann".to_owned(),
        serial: 4,
        expires_at: NOON + 120_000,
    };
    let reply = HeartbeatReply {
        v: 1,
        host: host(),
        instance: instance(),
        beat: 12,
        leases: vec![
            LeaseReply {
                job: JobId(id(1)),
                epoch: Epoch(1),
                verdict: LeaseVerdict::Renewed,
            },
            LeaseReply {
                job: JobId(id(2)),
                epoch: Epoch(1),
                verdict: LeaseVerdict::Cancel {
                    reason: "cancelled by ann".to_owned(),
                },
            },
            LeaseReply {
                job: JobId(id(3)),
                epoch: Epoch(2),
                verdict: LeaseVerdict::Lost,
            },
        ],
        say_hello: true,
        keys_version: 3,
        times: TIMES,
        at: NOON,
    };
    vec![
        ("to_agent.offer", ToAgent::Offer(offer)),
        ("to_agent.grant", ToAgent::Grant(grant)),
        ("to_agent.denial", ToAgent::Denial(denial)),
        ("to_agent.cancel", ToAgent::Cancel(cancel)),
        ("to_agent.heartbeat_reply", ToAgent::HeartbeatReply(reply)),
    ]
}

fn membership() -> Vec<(&'static str, ToAgent)> {
    let host = || HOST.parse().unwrap();
    let welcome = Welcome {
        v: 1,
        host: host(),
        instance: instance(),
        nonce: nonce(),
        keys: KeySet {
            version: 3,
            ..KeySet::of(Role::Coordinator, SigningKey::from_seed(&[1; 32]).public())
        },
        pools: vec!["default".parse().unwrap()],
        kinds: JobKind::ALL.to_vec(),
        placements: vec![KnownPlacement {
            placement: PlacementId(id(5)),
            root: "/srv/shop".parse().unwrap(),
        }],
        times: TIMES,
        at: NOON,
    };
    let unwelcome = Unwelcome {
        v: 1,
        host: host(),
        instance: instance(),
        nonce: nonce(),
        reason: "another agent of web-1 was heard 4 s ago".to_owned(),
    };
    let adopt = Adopt {
        v: 1,
        host: host(),
        instance: instance(),
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        slots: vec!["current".parse().unwrap()],
        generation: Generation(17),
        answers: Some(nonce()),
        serial: 5,
        expires_at: NOON + 120_000,
    };
    let acknowledge = Acknowledge {
        v: 1,
        host: host(),
        spool: SpoolId(id(6)),
        upto: 41,
    };
    vec![
        ("to_agent.welcome", ToAgent::Welcome(welcome)),
        ("to_agent.unwelcome", ToAgent::Unwelcome(unwelcome)),
        ("to_agent.adopt", ToAgent::Adopt(adopt)),
        ("to_agent.acknowledge", ToAgent::Acknowledge(acknowledge)),
    ]
}
