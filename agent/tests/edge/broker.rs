//! A vhost of one test, with the topology that the shared language describes.

use std::sync::LazyLock;

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use pointsman_shared::name::{HostId, PoolName};
use pointsman_shared::wire::topology::{self, Argument, EXCHANGES, Queue};
use url::Url;
use uuid::Uuid;

pub static TLS: LazyLock<()> = LazyLock::new(|| {
    drop(rustls::crypto::ring::default_provider().install_default());
});

fn variable(name: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "where the test's broker is")]
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; run the tests under `pointsman-sandbox services -- cargo test`")
    })
}

/// The management API.
#[derive(Debug, Clone)]
pub struct Admin {
    client: reqwest::Client,
    url: Url,
}

impl Admin {
    fn new() -> Self {
        LazyLock::force(&TLS);
        Self {
            client: reqwest::Client::new(),
            url: variable("POINTSMAN_TEST_AMQP_ADMIN").parse().unwrap(),
        }
    }

    async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> serde_json::Value {
        let url = format!(
            "http://{}:{}{path}",
            self.url.host_str().unwrap(),
            self.url.port().unwrap()
        );
        let mut request = self
            .client
            .request(method, url)
            .basic_auth(self.url.username(), self.url.password());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap_or_default()
    }
}

/// The vhost; gone when dropped.
pub struct Broker {
    pub admin: Admin,
    pub vhost: String,
    pub channel: Channel,
    _connection: Connection,
}

impl Broker {
    pub async fn new() -> Self {
        let admin = Admin::new();
        let vhost = format!("agent-{}", Uuid::now_v7_for_tests());
        admin
            .ask(reqwest::Method::PUT, &format!("/api/vhosts/{vhost}"), None)
            .await;
        let rights = serde_json::json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let path = format!("/api/permissions/{vhost}/{}", admin.url.username());
        admin.ask(reqwest::Method::PUT, &path, Some(rights)).await;
        let connection = Connection::connect(&url(&vhost), ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        let broker = Self {
            admin,
            vhost,
            channel,
            _connection: connection,
        };
        broker.declare().await;
        broker
    }

    /// The address an agent gets.
    pub fn url(&self) -> String {
        url(&self.vhost)
    }

    async fn declare(&self) {
        for exchange in EXCHANGES {
            let kind = ExchangeKind::Custom(exchange.kind.as_str().to_owned());
            let options = ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            };
            self.channel
                .exchange_declare(exchange.name.into(), kind, options, FieldTable::default())
                .await
                .unwrap();
        }
        let host: HostId = "web-1".parse().unwrap();
        let pool: PoolName = "default".parse().unwrap();
        let queues = topology::coordinator_queues()
            .into_iter()
            .chain(topology::host_queues(&host))
            .chain([topology::pool_queue(&pool)]);
        for queue in queues {
            self.declare_queue(&queue).await;
        }
    }

    async fn declare_queue(&self, queue: &Queue) {
        let mut arguments = FieldTable::default();
        for (name, value) in &queue.arguments {
            let value = match value {
                Argument::Text(text) => AMQPValue::LongString((*text).into()),
                Argument::Number(number) => AMQPValue::LongInt(*number),
                Argument::Flag(flag) => AMQPValue::Boolean(*flag),
            };
            arguments.insert((*name).into(), value);
        }
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let name = queue.name.as_str();
        self.channel
            .queue_declare(name.into(), options, arguments)
            .await
            .unwrap();
        let (exchange, key) = &queue.binding;
        self.channel
            .queue_bind(
                name.into(),
                exchange.name.into(),
                key.as_str().into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
    }

    /// Publishes and waits for the broker's word.
    pub async fn publish(&self, exchange: &str, key: &str, bytes: &[u8]) {
        let confirm = self
            .channel
            .basic_publish(
                exchange.into(),
                key.into(),
                BasicPublishOptions::default(),
                bytes,
                BasicProperties::default().with_delivery_mode(2),
            )
            .await
            .unwrap();
        assert!(confirm.await.unwrap().is_ack());
    }

    /// How many messages wait in a queue.
    pub async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self
            .channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .unwrap();
        declared.message_count()
    }

    /// Cuts every connection of the agent; says how many there were.
    pub async fn cut_agents(&self) -> usize {
        let path = format!("/api/vhosts/{}/connections", self.vhost);
        let connections = self.admin.ask(reqwest::Method::GET, &path, None).await;
        let mut cut = 0;
        for connection in connections.as_array().unwrap() {
            let name = connection["client_properties"]["connection_name"]
                .as_str()
                .unwrap_or_default();
            if name.starts_with("pointsman-agent") {
                let id = connection["name"]
                    .as_str()
                    .unwrap()
                    .replace(' ', "%20")
                    .replace('>', "%3E");
                self.admin
                    .ask(reqwest::Method::DELETE, &format!("/api/connections/{id}"), None)
                    .await;
                cut += 1;
            }
        }
        cut
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let (admin, vhost) = (self.admin.clone(), self.vhost.clone());
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(admin.ask(reqwest::Method::DELETE, &format!("/api/vhosts/{vhost}"), None));
        });
        drop(gone.join());
    }
}

fn url(vhost: &str) -> String {
    let mut url: Url = variable("POINTSMAN_TEST_AMQP_URL").parse().unwrap();
    url.set_path(vhost);
    url.to_string()
}

/// Ids of vhosts need only differ.
trait ForTests {
    fn now_v7_for_tests() -> Uuid;
}

impl ForTests for Uuid {
    fn now_v7_for_tests() -> Uuid {
        pointsman_shared::ids::IdSource::next(&pointsman_shared::clock::SystemIds)
    }
}
