//! A request's trace goes into everything it causes.

use pointsman_coordinator::operations::advance_deployment;
use reqwest::Method;
use serde_json::json;

use crate::agents::Agent;
use crate::orders::built;
use crate::people::{Answered, read};
use crate::world::World;

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A world with a host and release 1, built.
async fn world() -> World {
    let world = World::new().await;
    world.set_up_shop().await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    built(&world).await;
    world
}

async fn deploy(world: &World, trace: Option<&str>) -> Answered {
    let wish = json!({ "target": "shop@production", "release": "1" });
    let request = world.admin().api(Method::POST, "deployments").json(&wish);
    let request = match trace {
        Some(trace) => request.header("traceparent", trace),
        None => request,
    };
    read(request).await
}

#[tokio::test]
async fn offers_carry_the_trace_of_the_wish_they_come_from() {
    let world = world().await;
    deploy(&world, Some(GIVEN)).await.expect(202);
    advance_deployment::advance_all(&world.app).await.unwrap();
    let offers: Vec<String> = sqlx::query_scalar("SELECT trace FROM outbox WHERE kind = 'offer'")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(offers, [GIVEN]);
}

#[tokio::test]
async fn a_request_without_a_trace_is_one_of_its_own_and_nonsense_is_none() {
    let world = world().await;
    for sent in [None, Some("00-x-y-z"), Some(&*GIVEN.to_uppercase())] {
        let answer = deploy(&world, sent).await;
        let id = answer.headers["x-request-id"].to_str().unwrap().replace('-', "");
        answer.expect(202);
        let trace: String = sqlx::query_scalar("SELECT trace FROM deployment ORDER BY number DESC LIMIT 1")
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert!(trace.starts_with(&format!("00-{id}-")), "{trace} of request {id}");
    }
}
