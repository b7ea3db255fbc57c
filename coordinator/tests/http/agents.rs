//! An agent as the API meets it: it joins with its key, says hello, holds a running epoch, and signs its requests.

use std::collections::BTreeMap;

use pointsman_coordinator::operations::{claim_job, offer_job, record_hello};
use pointsman_domain::job::Purpose;
use pointsman_shared::api::agent::{JOIN_PATH, JoinAnswer, JoinRequest, Membership};
use pointsman_shared::digest::Digest;
use pointsman_shared::ids::{Epoch, InstanceId, JobId, ProjectId, TargetId};
use pointsman_shared::name::{HostId, PoolName};
use pointsman_shared::wire::from_agent::{Claim, Hello};
use pointsman_shared::wire::job::{Audience, Order};
use pointsman_shared::wire::request::{self, SignedParts};
use pointsman_shared::wire::{JobBody, KeySet, Nonce, Role, SigningKey, VERSION};
use pointsman_store::jobs::{self, NewJob};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::people::{Answered, read};
use crate::world::World;

pub struct Agent {
    pub host: HostId,
    pub key: SigningKey,
    pub instance: InstanceId,
}

/// A running epoch.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    pub job: JobId,
    pub epoch: Epoch,
}

impl Agent {
    pub fn new(world: &World, host: &str) -> Self {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(world.app.ids.next().as_bytes());
        Self {
            host: host.parse().unwrap(),
            key: SigningKey::from_seed(&seed),
            instance: InstanceId(world.app.ids.next()),
        }
    }

    /// Invited with these labels and pools, joined, and heard.
    pub async fn member(world: &World, host: &str, labels: &[(&str, &str)], pools: &[&str]) -> Self {
        let agent = Self::new(world, host);
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let wish = json!({ "host": host, "labels": labels, "pools": pools });
        let invited = world.admin().post("join-tokens", &wish).await.expect(201);
        agent
            .join(world, invited["token"].as_str().unwrap())
            .await
            .expect(200);
        agent.say_hello(world).await;
        agent
    }

    pub fn join_request(&self, world: &World, token: &str) -> JoinRequest {
        let mut request = JoinRequest {
            host: self.host.clone(),
            token: token.to_owned(),
            key: self.key.public(),
            proof: String::new(),
            at: world.app.clock.now().timestamp_millis(),
            instance: self.instance,
        };
        request.proof = self.key.sign_request(&request.proven());
        request
    }

    pub async fn join(&self, world: &World, token: &str) -> Answered {
        send_join(world, &self.join_request(world, token)).await
    }

    pub async fn say_hello(&self, world: &World) {
        self.say_hello_with(world, &[]).await;
    }

    /// The same, with these facts.
    pub async fn say_hello_with(&self, world: &World, facts: &[(&str, &str)]) {
        let facts = facts
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let hello = Hello {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            previous: None,
            nonce: Nonce("hello".to_owned()),
            boot_id: "boot".to_owned(),
            software: "0.1.0".to_owned(),
            wire: vec![VERSION],
            facts: facts.collect(),
            slots: Vec::new(),
            working: Vec::new(),
            processes: Vec::new(),
            state_digest: Digest::of(b""),
            placements: 0,
            at: world.app.clock.now().timestamp_millis(),
        };
        record_hello::execute(&world.app, &hello).await.unwrap();
    }

    /// Has a job offered, claims it and is granted it.
    pub async fn runs(&self, world: &World, order: Order) -> Running {
        let audience = match order {
            Order::Build(_) => Audience::Pool("default".parse::<PoolName>().unwrap()),
            Order::Install(_)
            | Order::Activate(_)
            | Order::Rollback(_)
            | Order::Migrate(_)
            | Order::CollectGarbage(_)
            | Order::CollectWorkshop(_) => Audience::Host(self.host.clone()),
        };
        let on_target = !matches!(order, Order::Build(_));
        let mut tx = world.app.store.begin().await.unwrap();
        let project: uuid::Uuid = only(world, "SELECT id FROM project").await;
        let target: uuid::Uuid = only(world, "SELECT id FROM target").await;
        let body = JobBody {
            v: VERSION,
            job: JobId(world.app.ids.next()),
            number: jobs::reserve_number(&mut tx).await.unwrap(),
            installation: "test".to_owned(),
            audience,
            project: "shop".parse().unwrap(),
            project_id: ProjectId(project),
            environment: on_target.then(|| "production".parse().unwrap()),
            target_id: on_target.then_some(TargetId(target)),
            deployment: None,
            inputs: Vec::new(),
            order,
        };
        let new = NewJob {
            body: &body,
            purpose: Purpose::Release,
            max_epochs: 3,
            trace: None,
            at: world.app.clock.now(),
        };
        let job = jobs::insert(&mut tx, &new).await.unwrap();
        offer_job::offer_or_defer(&world.app, &mut tx, &job)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let claim = Claim {
            v: VERSION,
            host: self.host.clone(),
            instance: self.instance,
            job: job.id,
            epoch: Epoch::NONE,
            digest: job.body_digest,
            nonce: Nonce("claim".to_owned()),
            at: world.app.clock.now().timestamp_millis(),
        };
        claim_job::execute(&world.app, &claim).await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let granted = jobs::get(&mut conn, job.id).await.unwrap().unwrap();
        assert_eq!(granted.epoch, Epoch(1), "{granted:?}");
        Running {
            job: job.id,
            epoch: granted.epoch,
        }
    }

    /// A signed request for an epoch; `body` is the digest it is signed with.
    pub fn signed(
        &self,
        world: &World,
        running: Running,
        method: &Method,
        path: &str,
        body: Digest,
    ) -> RequestBuilder {
        let at = world.app.clock.now().timestamp_millis();
        self.signed_at(world, running, method, path, body, at)
    }

    pub fn signed_at(
        &self,
        world: &World,
        running: Running,
        method: &Method,
        path: &str,
        body: Digest,
        at: i64,
    ) -> RequestBuilder {
        let parts = SignedParts {
            method: method.as_str(),
            path,
            body,
            host: self.host.as_str(),
            instance: self.instance,
            job: running.job,
            epoch: running.epoch,
            at,
        };
        let signature = self.key.sign_request(&parts);
        world
            .anonymous()
            .at(method.clone(), path.trim_start_matches('/'))
            .header(request::HOST, self.host.as_str())
            .header(request::INSTANCE, self.instance.to_string())
            .header(request::JOB, running.job.to_string())
            .header(request::EPOCH, running.epoch.to_string())
            .header(request::TIME, at.to_string())
            .header(request::BODY_DIGEST, body.to_string())
            .header(request::SIGNATURE, signature)
    }
}

pub async fn send_join(world: &World, request: &JoinRequest) -> Answered {
    let path = JOIN_PATH.trim_start_matches('/');
    read(world.anonymous().at(Method::POST, path).json(request)).await
}

/// The membership in an answer, verified with the key that the token names.
pub fn membership(world: &World, answer: &serde_json::Value) -> Membership {
    let answer: JoinAnswer = serde_json::from_value(answer.clone()).unwrap();
    let pinned = KeySet::of(Role::Coordinator, world.app.signatory.public());
    answer.sealed.verify::<Membership>(&pinned).unwrap().into_inner()
}

async fn only(world: &World, query: &'static str) -> uuid::Uuid {
    sqlx::query_scalar(query).fetch_one(world.pool()).await.unwrap()
}
