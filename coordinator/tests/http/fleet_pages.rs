//! What pages tell of hosts: what is wanted and runs there, why that differs, what ran before, disk and clock; and how
//! lists are narrowed.

use crate::agents::Agent;
use crate::course::{two_stages, went_live};
use crate::keeper::{Keeper, between};
use crate::orders::install;
use crate::repository::Repository;
use crate::world::World;

async fn does(world: &World, statement: &'static str) {
    sqlx::query(statement).execute(world.pool()).await.unwrap();
}

/// Shop in two stages with web-1, where 1.0.0 and then 1.1.0 went live in beta; the number of the later deployment.
async fn with_host(repository: &Repository) -> (World, Keeper, i64) {
    let (world, deployer) = two_stages(repository, "deployer").await;
    Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    does(
        &world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT gen_random_uuid(), target.id, 'web-1', '/srv/beta', now()
         FROM target JOIN environment ON environment.id = environment_id WHERE environment.name = 'beta'
         ON CONFLICT DO NOTHING",
    )
    .await;
    went_live(&world, 1, 1, 4.0).await;
    let number = went_live(&world, 2, 1, 2.0).await;
    (world, deployer, number)
}

/// Has a release wanted and another one run in beta.
async fn stands(world: &World, wanted: i32, runs: i32, health: &str) {
    sqlx::query(
        "UPDATE placement SET desired_release_id = (SELECT id FROM release WHERE number = $1),
                confirmed_release_id = (SELECT id FROM release WHERE number = $2), health = $3
         FROM target JOIN environment ON environment.id = environment_id
         WHERE placement.target_id = target.id AND environment.name = 'beta'",
    )
    .bind(wanted)
    .bind(runs)
    .bind(health)
    .execute(world.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_host_that_runs_something_else_says_why_on_every_page_that_shows_it() {
    let repository = Repository::new();
    let (world, deployer, number) = with_host(&repository).await;
    stands(&world, 2, 1, "healthy").await;
    for path in ["/t/shop@beta", "/h/web-1", &format!("/d/{number}")] {
        let page = deployer.get(path).await.expect(200);
        assert!(page.contains("runs 1.0.0, should run 1.1.0"), "{path}: {page}");
        assert!(
            page.contains("it is brought up by itself once it can be"),
            "{path}: {page}"
        );
    }
    let older = deployer.get(&format!("/d/{}", number - 1)).await.expect(200);
    assert!(
        !older.contains("should run"),
        "an older deployment is not asked: {older}"
    );
    does(&world, "UPDATE host SET last_seen_at = now() - interval '1 hour'").await;
    let page = deployer.get("/t/shop@beta").await.expect(200);
    assert!(
        page.contains("it is brought up by itself once web-1 is there again"),
        "{page}"
    );

    stands(&world, 2, 2, "unhealthy").await;
    let page = deployer.get("/h/web-1").await.expect(200);
    assert!(page.contains("runs 1.1.0, and its health check fails"), "{page}");

    stands(&world, 2, 1, "healthy").await;
    does(
        &world,
        "UPDATE deployment SET ended_at = NULL, outcome = NULL WHERE number = (SELECT max(number) FROM deployment)",
    )
    .await;
    let page = deployer.get("/h/web-1").await.expect(200);
    let told = format!("<a href=\"/d/{number}\">deployment #{number} is under way there</a>");
    assert!(page.contains(&told) && !page.contains("should run"), "{page}");
}

#[tokio::test]
async fn a_deployment_shows_what_each_host_has_now_and_leads_to_the_logs_of_its_stages() {
    let repository = Repository::new();
    let (world, deployer, number) = with_host(&repository).await;
    stands(&world, 2, 2, "healthy").await;
    let page = deployer.get(&format!("/d/{number}")).await.expect(200);
    let row = between(&page, "<tr id=\"host-web-1\">", "</tr>");
    for told in [
        "data-label=\"Wanted\">1.1.0<",
        "data-label=\"Runs\">1.1.0<",
        "data-label=\"Health\"><span class=\"is ok\">",
    ] {
        assert!(row.contains(told), "{told}: {row}");
    }
    let install: i64 = sqlx::query_scalar(
        "SELECT job.number FROM job JOIN deployment ON deployment.id = deployment_id
         WHERE deployment.number = $1 AND job.kind = 'install'",
    )
    .bind(number)
    .fetch_one(world.pool())
    .await
    .unwrap();
    let link = format!("<a href=\"/d/{number}?job={install}#log\" aria-label=\"log of install\">log</a>");
    assert!(page.contains(&link), "{page}");
    let chosen = deployer
        .get(&format!("/d/{number}?job={install}"))
        .await
        .expect(200);
    assert!(chosen.contains(&format!("#{install}")), "{chosen}");
    // A host that is no longer of the target keeps its line.
    does(&world, "UPDATE placement SET retired_at = now()").await;
    let page = deployer.get(&format!("/d/{number}")).await.expect(200);
    assert!(page.contains("no longer of this target"), "{page}");
}

#[tokio::test]
async fn a_host_tells_which_releases_ran_there_and_who_brought_them() {
    let repository = Repository::new();
    let (world, deployer, number) = with_host(&repository).await;
    let page = deployer.get("/h/web-1").await.expect(200);
    let strip = between(&page, "Versions, the last 14 days", "</section>");
    assert_eq!(strip.matches("<title>").count(), 2, "{strip}");
    let told = strip.split("<li>").skip(1).collect::<Vec<_>>();
    assert!(told[0].contains("1.1.0") && !told[0].contains("until"), "{strip}");
    assert!(
        told[0].contains(&format!("<a href=\"/d/{number}\">#{number}</a> by first-admin")),
        "{strip}"
    );
    assert!(told[1].contains("1.0.0") && told[1].contains("until"), "{strip}");
    does(
        &world,
        "UPDATE job SET started_at = started_at - interval '40 days', ended_at = ended_at - interval '40 days'",
    )
    .await;
    let page = deployer.get("/h/web-1").await.expect(200);
    let strip = between(&page, "Versions, the last 14 days", "</section>");
    assert!(strip.contains("1.1.0") && !strip.contains("1.0.0"), "{strip}");
}

#[tokio::test]
async fn a_disk_has_a_gauge_where_the_agent_says_its_size_and_words_anyway() {
    let world = World::new().await;
    world.set_up_shop().await;
    let agent = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    does(
        &world,
        "UPDATE host SET free_bytes = 10000000000, clock_offset_ms = 2300",
    )
    .await;
    let viewer = Keeper::new(&world, "viewer").await;
    for path in ["/hosts", "/h/web-1"] {
        let page = viewer.get(path).await.expect(200);
        assert!(!page.contains("<meter"), "an older agent says no size: {page}");
        assert!(page.contains(" free"), "{page}");
        assert!(page.contains("clock 2.3s ahead"), "{page}");
    }
    agent
        .say_hello_with(&world, &[("disk_bytes", "40000000000"), ("system", "Debian")])
        .await;
    does(&world, "UPDATE host SET clock_offset_ms = -20").await;
    for path in ["/hosts", "/h/web-1"] {
        let page = viewer.get(path).await.expect(200);
        assert!(page.contains("value=\"75\""), "{page}");
        assert!(page.contains("clock within 1s"), "{page}");
        assert!(!page.contains("disk_bytes"), "it is told in words: {page}");
    }
    let told = world.admin().get("hosts/web-1").await.expect(200);
    assert_eq!(told["total_bytes"], 40_000_000_000_u64);
    assert_eq!(told["clock_offset_ms"], -20);
    assert_eq!(told["facts"], serde_json::json!({ "system": "Debian" }));
    // What cannot be is not drawn.
    agent.say_hello_with(&world, &[("disk_bytes", "many")]).await;
    let page = viewer.get("/hosts").await.expect(200);
    assert!(!page.contains("<meter"), "{page}");
}

#[tokio::test]
async fn a_host_says_how_soon_it_answered_its_last_offer() {
    let world = World::new().await;
    world.set_up_shop().await;
    let agent = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get("/hosts").await.expect(200);
    assert!(
        page.contains("data-label=\"Lag\"><span class=\"quiet\">–<"),
        "{page}"
    );
    let page = viewer.get("/h/web-1").await.expect(200);
    assert!(!page.contains("answered its last offer"), "{page}");

    agent
        .runs(&world, install(&world, "web-1", b"archive").await)
        .await;
    let told = world.admin().get("hosts/web-1").await.expect(200);
    assert!(
        told["answer_ms"].is_u64() && told["answered_at"].is_string(),
        "{told}"
    );
    does(&world, "UPDATE host SET answer_ms = 12").await;
    let page = viewer.get("/hosts").await.expect(200);
    assert!(page.contains("data-label=\"Lag\">12 ms<br>"), "{page}");
    let page = viewer.get("/h/web-1").await.expect(200);
    assert!(page.contains("answered its last offer in 12 ms, <time"), "{page}");
    for path in ["/hosts.json", "/h/web-1.json"] {
        let data = viewer.get(path).await.expect(200);
        assert!(data.contains("\"answer_ms\":12,"), "{path}: {data}");
    }
}

#[tokio::test]
async fn deployments_are_narrowed_by_place_state_person_and_release() {
    let repository = Repository::new();
    let (world, deployer, number) = with_host(&repository).await;
    let earlier = number - 1;
    failed(&world, earlier).await;
    let link = |number: i64| format!("href=\"/d/{number}\"");
    let cases = [
        ("/d", [true, true]),
        ("/d?target=shop", [true, true]),
        ("/d?target=shop@beta&state=&who=&release=", [true, true]),
        ("/d?target=shop@production", [false, false]),
        ("/d?state=failed", [true, false]),
        ("/d?state=live", [false, true]),
        ("/d?state=over", [true, true]),
        ("/d?state=open", [false, false]),
        ("/d?who=first-admin&release=1.1.0", [false, true]),
        ("/d?who=nobody", [false, false]),
    ];
    for (path, shown) in cases {
        let page = deployer.get(path).await.expect(200);
        assert_eq!(
            [earlier, number].map(|number| page.contains(&link(number))),
            shown,
            "{path}"
        );
        let says = page.contains("No deployment fits these filters");
        assert_eq!(says, shown == [false, false], "{path}: {page}");
    }
    deployer.get("/d?target=nothing").await.expect(404);
    deployer.get("/d?target=No%20Name").await.expect(422);
}

/// Has the earlier of two deployments fail.
async fn failed(world: &World, number: i64) {
    sqlx::query("UPDATE deployment SET outcome = 'failed' WHERE number = $1")
        .bind(number)
        .execute(world.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_narrowed_list_is_a_file_a_command_and_an_answer_of_the_api_too() {
    let repository = Repository::new();
    let (world, deployer, number) = with_host(&repository).await;
    let earlier = number - 1;
    failed(&world, earlier).await;
    let page = deployer.get("/d?state=failed&who=first-admin").await.expect(200);
    assert!(
        page.contains("pointsman deployments --state failed --who first-admin"),
        "{page}"
    );
    assert!(page.contains("/d.csv?state=failed&#38;who=first-admin"), "{page}");
    let csv = deployer.get("/d.csv?state=failed").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let csv = csv.expect(200);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(
        lines[1].starts_with(&format!("{earlier},shop@beta,1.0.0,1.0.0,deploy,failed,")),
        "{csv}"
    );

    let api = world.admin();
    let told = api
        .get("deployments?project=shop&state=failed&who=first-admin")
        .await
        .expect(200);
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
    assert_eq!(told["items"][0]["number"], earlier);
    api.get("deployments?state=held").await.expect(422);
    api.get("deployments?project=nothing").await.expect(404);
}

#[tokio::test]
async fn jobs_and_migrations_are_narrowed_by_project_and_target() {
    let repository = Repository::new();
    let (_world, deployer, _) = with_host(&repository).await;
    let rows = |page: &str| page.matches("<th scope=\"row\"><a href=\"/jobs/").count();
    let of = async |path: &str| rows(&deployer.get(path).await.expect(200));
    assert_eq!(of("/jobs?target=shop@beta").await, 4);
    assert_eq!(
        of("/jobs?target=shop&state=").await,
        of("/jobs").await,
        "builds are of the project too"
    );
    assert_eq!(of("/jobs?target=shop@production").await, 0);
    let none = deployer.get("/jobs?target=shop@production").await.expect(200);
    assert!(none.contains("No job fits these filters"), "{none}");
    deployer.get("/jobs?target=nothing").await.expect(404);
    let page = deployer.get("/migrations?target=shop").await.expect(200);
    assert!(page.contains("of <a href=\"/p/shop\">shop</a>"), "{page}");
    deployer.get("/migrations?target=shop@nowhere").await.expect(404);
}
