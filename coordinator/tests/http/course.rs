//! What pages tell of the course of things: how far environments are apart, what is one's own, how deployments went and
//! what comes next.

use std::time::Duration;

use pointsman_shared::api::tokens::RoleName;
use serde_json::json;

use crate::agents::Agent;
use crate::browser::{self, Browser};
use crate::keeper::{Keeper, between};
use crate::refs::{end_build, shop_of};
use crate::repository::Repository;
use crate::world::World;

/// Shop with 1.0.0 in production and 1.1.0 in beta, one commit later, both good.
pub async fn two_stages(repository: &Repository, deployer: &str) -> (World, Keeper) {
    repository.release("1.0.0", &[("a", "1")]);
    let world = shop_of(repository).await;
    let keeper = Keeper::new(&world, deployer).await;
    keeper.press("/p/shop/build", &[("ref", "1.0.0")]).await.went();
    end_build(&world, 1, "built").await;
    repository.release("1.1.0", &[("a", "2")]);
    keeper.press("/p/shop/build", &[("ref", "1.1.0")]).await.went();
    end_build(&world, 2, "built").await;
    for (environment, number) in [("production", 1), ("beta", 2), ("beta", 1)] {
        sqlx::query(
            "INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at)
             SELECT target.id, release.id, now(), now()
             FROM release, target JOIN environment ON environment.id = environment_id
             WHERE environment.name = $1 AND release.number = $2",
        )
        .bind(environment)
        .bind(number)
        .execute(world.pool())
        .await
        .unwrap();
    }
    sqlx::query(
        "UPDATE target SET desired_release_id = release.id FROM release, environment
         WHERE environment.id = environment_id
           AND release.number = CASE environment.name WHEN 'production' THEN 1 ELSE 2 END",
    )
    .execute(world.pool())
    .await
    .unwrap();
    (world, keeper)
}

#[tokio::test]
async fn the_overview_counts_the_commits_between_environments_and_offers_ones_own_projects() {
    let repository = Repository::new();
    let (world, deployer) = two_stages(&repository, "deployer").await;
    // The first look has it counted, a later one shows it.
    let mut page = String::new();
    for _ in 0..200 {
        page = deployer.get("/").await.expect(200);
        if page.contains("1 commit behind beta (1.1.0)") {
            break;
        }
        assert!(page.contains("beta has 1.1.0"), "{page}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(page.contains("1 commit behind beta (1.1.0)"), "{page}");
    assert!(page.contains("href=\"/p/shop\" accesskey=\"1\""), "{page}");
    let stranger = Keeper::new(&world, "viewer").await.get("/").await.expect(200);
    assert!(!stranger.contains("accesskey"), "{stranger}");
    // What the environment before has is one press away from its plan; for who may deploy.
    let wish = "shop@production 1.1.0";
    assert!(
        page.contains(&format!("name=\"wish\" value=\"{wish}\"")),
        "{page}"
    );
    assert!(!stranger.contains("name=\"wish\""), "{stranger}");
    let plan = deployer.press("/plans", &[("wish", wish)]).await.went();
    let plan = deployer.get(&plan).await.expect(200);
    assert!(plan.contains("1.0.0 →"), "{plan}");
    for unread in ["shop@production", "nonsense 1.1.0", ""] {
        deployer.press("/plans", &[("wish", unread)]).await.expect(422);
    }
}

/// Somebody with an account, who may deploy.
async fn account(world: &World, name: &str) -> Keeper {
    let password = "zebra stapler pontoon fig";
    let invitation = browser::invitation(world, Some(name), RoleName::Deployer).await;
    let form = [("name", name), ("password", password), ("again", password)];
    let accepted = Browser::new(world).send_form(&invitation, &form).await;
    assert_eq!(accepted.status, 303, "{}", accepted.html);
    Keeper::signed_in(world, &[("name", name), ("password", password)]).await
}

#[tokio::test]
async fn a_plan_greets_its_authors_by_the_address_they_gave() {
    let repository = Repository::new();
    let (world, token) = two_stages(&repository, "deployer").await;
    let refused = token.press("/profile/address", &[("email", "a@b")]).await;
    assert!(
        refused.expect(404).contains("unknown_account"),
        "a token has no account"
    );
    let deployer = account(&world, "lucy").await;
    let form = [("target", "shop@production"), ("release", "1.1.0")];
    let plan = deployer.press("/plans", &form).await.went();
    let page = deployer.get(&plan).await.expect(200);
    assert!(!page.contains(" yours</span>"), "{page}");
    let wrong = deployer
        .press("/profile/address", &[("email", "ann at example")])
        .await;
    assert!(wrong.expect(422).contains("invalid_email"));
    let form = [("email", " Ann@Example.org ")];
    let went = deployer.press("/profile/address", &form).await.went();
    assert_eq!(went, "/profile?done=address");
    let act = world.admin().get("audit?limit=1").await.expect(200)["items"][0].clone();
    assert_eq!(
        (&act["action"], &act["result"], &act["detail"]),
        (&json!("account.email"), &json!("done"), &json!({ "given": true }))
    );
    let profile = deployer.get("/profile").await.expect(200);
    assert!(profile.contains("value=\"ann@example.org\""), "{profile}");
    let page = deployer.get(&plan).await.expect(200);
    assert!(page.contains("1 of these is yours</span>"), "{page}");
    assert!(page.contains("hosts can return to 1.0.0"), "{page}");
}

/// A deployment of a release to beta that went live, with an install and a switch of so many seconds.
pub async fn went_live(world: &World, release: i32, from: i32, seconds: f64) -> i64 {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO deployment (id, target_id, release_id, kind, requested_by, requested_at, reason, strategy,
                                 started_at, ended_at, outcome, from_release_id)
         SELECT gen_random_uuid(), target.id, release.id, 'deploy', principal.id, now() - interval '1 hour', 'the fair',
                '{}', now() - interval '1 hour', now() - interval '1 hour' + 2 * $3 * interval '1 second', 'live',
                (SELECT id FROM release WHERE number = $2)
         FROM release, principal, target JOIN environment ON environment.id = environment_id
         WHERE environment.name = 'beta' AND release.number = $1 AND principal.name = 'first-admin' RETURNING number",
    )
    .bind(release)
    .bind(from)
    .bind(seconds)
    .fetch_one(world.pool())
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO deployment_host (deployment_id, placement_id, host_id, wave)
         SELECT deployment.id, placement.id, placement.host_id, 1
         FROM deployment JOIN placement ON placement.target_id = deployment.target_id WHERE number = $1",
    )
    .bind(number)
    .execute(world.pool())
    .await
    .unwrap();
    for (kind, begins) in [("install", 0.0), ("activate", seconds)] {
        let stream = world.app.ids.next();
        sqlx::query("INSERT INTO log_stream (id, kind, created_at) VALUES ($1, 'job', now())")
            .bind(stream)
            .execute(world.pool())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO job (id, kind, state, purpose, project_id, target_id, placement_id, deployment_id, release_id,
                              host_id, body, body_digest, log_stream_id, epoch, generation, created_at, started_at,
                              ended_at)
             SELECT $1, $2, 'succeeded', 'deploy', target.project_id, target.id, placement.id, deployment.id,
                    deployment.release_id, placement.host_id, '{}', sha256('{}'), $1, 1,
                    CASE WHEN $2 = 'activate' THEN deployment.number END, started_at,
                    started_at + $3 * interval '1 second', started_at + ($3 + $4) * interval '1 second'
             FROM deployment JOIN target ON target.id = deployment.target_id
                  JOIN placement ON placement.target_id = target.id WHERE deployment.number = $5",
        )
        .bind(stream)
        .bind(kind)
        .bind(begins)
        .bind(seconds)
        .bind(number)
        .execute(world.pool())
        .await
        .unwrap();
    }
    number
}

/// Beta lives on one host, where 1.0.0 lies.
async fn beta_on_web_1(world: &World) {
    Agent::member(world, "web-1", &[("role", "web")], &[]).await;
    sqlx::query(
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT gen_random_uuid(), target.id, 'web-1', '/srv/beta', now()
         FROM target JOIN environment ON environment.id = environment_id WHERE environment.name = 'beta'
         ON CONFLICT DO NOTHING",
    )
    .execute(world.pool())
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO placement_release (placement_id, folder, release_id, confirmed_at)
         SELECT placement.id, release.folder, release.id, now() FROM placement, release WHERE release.number = 1",
    )
    .execute(world.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_deployment_tells_how_it_went_against_others_what_comes_next_and_how_it_goes_back() {
    let repository = Repository::new();
    let (world, deployer) = two_stages(&repository, "deployer").await;
    beta_on_web_1(&world).await;
    for _ in 0..4 {
        went_live(&world, 1, 1, 4.0).await;
    }
    let number = went_live(&world, 2, 1, 2.0).await;
    let page = deployer.get(&format!("/d/{number}")).await.expect(200);
    let told = [
        "The estimate was 4.0s off: 8.0s were said, 4.0s it took. It was quicker than 4 of the 4 before it.",
        "switch, wave 1",
        "quicker than usual",
        "Deploy 1.1.0 to production…",
        "1/1 hosts can return to 1.0.0",
        "version 1.1.0",
        "wished it: the fair",
    ];
    for told in told {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    let earlier = deployer.get(&format!("/d/{}", number - 1)).await.expect(200);
    assert!(
        !earlier.contains("hosts can return"),
        "a newer one is what counts: {earlier}"
    );
    assert!(!earlier.contains("to production…"), "{earlier}");
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get(&format!("/d/{number}")).await.expect(200);
    assert!(!page.contains("to production…"), "{page}");
}

#[tokio::test]
async fn a_wait_for_a_decision_is_told_apart_and_learned_by_nobody_as_usual() {
    let repository = Repository::new();
    let (world, deployer) = two_stages(&repository, "deployer").await;
    beta_on_web_1(&world).await;
    for _ in 0..4 {
        went_live(&world, 1, 1, 4.0).await;
    }
    let number = went_live(&world, 2, 1, 60.0).await;
    // Installed at 60 s, switched at 120 s; from 62 s on somebody was asked.
    sqlx::query(
        "INSERT INTO deployment_wait (deployment_id, since, till)
         SELECT id, started_at + interval '62 seconds', started_at + interval '118 seconds'
         FROM deployment WHERE number = $1",
    )
    .bind(number)
    .execute(world.pool())
    .await
    .unwrap();
    let page = deployer.get(&format!("/d/{number}")).await.expect(200);
    for told in [
        "took 2m00, of which 56.0s waited for a decision</span>",
        "The estimate was 56.0s off: 8.0s were said, 1m04 it took, without its wait for a decision.",
        "1m00 <span class=\"is warn\"><span aria-hidden=\"true\">▲</span> slower than usual</span>",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let switch = between(&page, "switch, wave 1</th>", "</tr>");
    assert!(
        switch.contains("1m00, of which 56.0s waited for a decision</td>"),
        "it took no longer than usual: {switch}"
    );
    let later = went_live(&world, 1, 1, 4.0).await;
    let page = deployer.get(&format!("/d/{later}")).await.expect(200);
    let switch = between(&page, "switch, wave 1</th>", "</tr>");
    assert!(!switch.contains("1m00"), "nobody learns a wait: {switch}");
}
