//! An agent as the coordinator knows it from outside: its own key, broker user and rights, and the real messages.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, Consumer};
use pointsman_coordinator::operations::join_host;
use pointsman_shared::api::agent::{JoinRequest, Membership};
use pointsman_shared::clock::{Clock as _, SystemClock, SystemIds};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{IdSource as _, InstanceId, SpoolId};
use pointsman_shared::name::HostId;
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Hello, SlotCount};
use pointsman_shared::wire::to_agent::Welcome;
use pointsman_shared::wire::{
    self, Envelope, FromAgent, KeySet, LogChunk, Nonce, SigningKey, ToAgent, TraceParent, topology,
};

use crate::queue::{connect, consume, publishing, trace_of};
use crate::world::{PATIENCE, World};

pub struct TestAgent {
    pub host: HostId,
    pub key: SigningKey,
    pub instance: InstanceId,
    pub spool: SpoolId,
    pub digest: Digest,
    pub keys: KeySet,
    pub connection: Connection,
    pub seq: u64,
    pub beat: u64,
    /// What came beside the newest control message that was heard.
    pub trace: Option<TraceParent>,
    membership: Membership,
    out: Channel,
    control: Consumer,
}

impl TestAgent {
    /// A builder of the pool `default`, welcomed.
    pub async fn builder(world: &World, host: &str) -> Self {
        let mut agent = Self::join(world, host, &["default"], "builder").await;
        agent.hello(None).await;
        agent
    }

    /// A host that joined and is connected; it said nothing yet.
    pub async fn join(world: &World, host: &str, pools: &[&str], role: &str) -> Self {
        let host: HostId = host.parse().unwrap();
        let token = world.invite(&host, pools, role).await;
        let key = SigningKey::from_seed(Digest::of(host.as_str().as_bytes()).as_bytes());
        let mut request = JoinRequest {
            host: host.clone(),
            token,
            key: key.public(),
            proof: String::new(),
            at: SystemClock.now().timestamp_millis(),
            instance: InstanceId(SystemIds.next()),
        };
        request.proof = key.sign_request(&request.proven());
        let answer = join_host::execute(&world.app, &request, None).await.unwrap();
        let membership: Membership = answer.sealed.verify(&answer.keys).unwrap().into_inner();
        let connection = connect(&membership.broker_url).await;
        Self {
            out: publishing(&connection).await,
            control: consume(&connection, &topology::host_control(&host), 100).await,
            host,
            key,
            instance: InstanceId(SystemIds.next()),
            spool: SpoolId(SystemIds.next()),
            digest: Digest::of(b"nothing"),
            keys: answer.keys,
            membership,
            connection,
            seq: 0,
            beat: 0,
            trace: None,
        }
    }

    /// Connects anew, as after a lost connection.
    pub async fn reconnect(&mut self) {
        self.connection.close(200, "again".into()).await.ok();
        self.connection = connect(&self.membership.broker_url).await;
        self.out = publishing(&self.connection).await;
        self.control = consume(&self.connection, &topology::host_control(&self.host), 100).await;
    }

    /// Becomes another process; returns the one before.
    pub fn restart(&mut self) -> InstanceId {
        self.beat = 0;
        std::mem::replace(&mut self.instance, InstanceId(SystemIds.next()))
    }

    pub fn nonce() -> Nonce {
        Nonce::from_bytes(*SystemIds.next().as_bytes())
    }

    /// Publishes a message under its own key until the broker stored it.
    pub async fn say(&mut self, message: &FromAgent) {
        let key = topology::report_key(&self.host, message.key());
        let envelope = self.key.sign_from_agent(message);
        self.deliver(topology::REPORTS.name, &key, &envelope.to_bytes())
            .await;
    }

    /// Publishes a log chunk until the broker stored it.
    pub async fn log(&mut self, chunk: &LogChunk) {
        let key = topology::log_key(&self.host, chunk.stream);
        let envelope = self.key.sign_log_chunk(chunk);
        self.deliver(topology::LOGS.name, &key, &envelope.to_bytes())
            .await;
    }

    /// Publishes again what was returned or refused, as an agent does: the coordinator may still be declaring the queue.
    async fn deliver(&mut self, exchange: &str, key: &str, bytes: &[u8]) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.publish(exchange, key, bytes).await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{exchange} never stored a message for {key}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
            if !self.out.status().connected() {
                self.out = publishing(&self.connection).await;
            }
        }
    }

    /// Publishes bytes; false when the broker refused them, which closes the channel.
    pub async fn publish(&self, exchange: &str, key: &str, bytes: &[u8]) -> bool {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let sent = self
            .out
            .basic_publish(
                exchange.into(),
                key.into(),
                options,
                bytes,
                BasicProperties::default(),
            )
            .await;
        match sent {
            Ok(confirm) => matches!(confirm.await, Ok(Confirmation::Ack(None))),
            Err(_) => false,
        }
    }

    /// Whether its user may consume a queue.
    pub async fn may_read(&self, queue: &str) -> bool {
        let channel = self.connection.create_channel().await.unwrap();
        let options = BasicConsumeOptions::default();
        channel
            .basic_consume(queue.into(), "may-read".into(), options, FieldTable::default())
            .await
            .is_ok()
    }

    /// Whether its user may publish to an exchange.
    pub async fn may_publish(&self, exchange: &str) -> bool {
        let channel = publishing(&self.connection).await;
        let options = BasicPublishOptions::default();
        let key = "host.builder-1.control".into();
        let sent = channel
            .basic_publish(exchange.into(), key, options, b"{}", BasicProperties::default())
            .await;
        match sent {
            Ok(confirm) => matches!(confirm.await, Ok(Confirmation::Ack(_))),
            Err(_) => false,
        }
    }

    /// The next message for this process that `wanted` takes; others are passed over.
    pub async fn hear<T>(&mut self, what: &str, wanted: impl Fn(ToAgent) -> Option<T>) -> T {
        let listening = async {
            while let Some(delivery) = self.control.next().await {
                let delivery = delivery.unwrap();
                delivery.ack(BasicAckOptions::default()).await.unwrap();
                let envelope = Envelope::from_bytes(&delivery.data).unwrap();
                let message = envelope.verify::<ToAgent>(&self.keys).unwrap().into_inner();
                self.trace = trace_of(&delivery);
                if let Some(heard) = wanted(message) {
                    return heard;
                }
            }
            panic!("the control queue's consumer ended while waiting for {what}");
        };
        tokio::time::timeout(PATIENCE, listening)
            .await
            .unwrap_or_else(|_| panic!("{} never heard {what}", self.host))
    }

    pub fn hello_message(&self, previous: Option<InstanceId>) -> Hello {
        Hello {
            v: wire::VERSION,
            host: self.host.clone(),
            instance: self.instance,
            previous,
            nonce: Self::nonce(),
            boot_id: "boot".to_owned(),
            software: "test".to_owned(),
            wire: vec![wire::VERSION],
            facts: std::collections::BTreeMap::default(),
            slots: vec![SlotCount {
                kind: JobKind::Build,
                count: 1,
            }],
            working: Vec::new(),
            processes: Vec::new(),
            state_digest: self.digest,
            placements: 0,
            at: SystemClock.now().timestamp_millis(),
        }
    }

    /// Says hello and is welcomed.
    pub async fn hello(&mut self, previous: Option<InstanceId>) -> Welcome {
        let hello = self.hello_message(previous);
        let nonce = hello.nonce.clone();
        self.say(&FromAgent::Hello(hello)).await;
        self.hear("a welcome", |message| match message {
            ToAgent::Welcome(welcome) if welcome.nonce == nonce => Some(welcome),
            ToAgent::Unwelcome(unwelcome) => panic!("not welcome: {}", unwelcome.reason),
            _ => None,
        })
        .await
    }
}
