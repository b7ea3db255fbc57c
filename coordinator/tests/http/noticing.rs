//! What pages tell by themselves: tickets in commits, commits that are not built, what migrations cost, post-migrations
//! that are due, and what lies in the trash.

use serde_json::{Value, json};

use crate::keeper::{Keeper, between};
use crate::refs::{end_build, shop_of};
use crate::repository::Repository;
use crate::two_projects::{token, two_projects};
use crate::world::World;

/// Runs a statement that must change something.
async fn sql(world: &World, statement: &str) {
    let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(world.pool())
        .await;
    assert!(
        done.as_ref().is_ok_and(|done| done.rows_affected() > 0),
        "{statement}: {done:?}"
    );
}

/// The host web-1, and where these targets live on it.
async fn web_1(world: &World) {
    sql(
        world,
        "WITH made AS (INSERT INTO principal (id, kind, name, created_at)
                       VALUES (gen_random_uuid(), 'agent', 'web-1', now()) RETURNING id)
         INSERT INTO host (id, principal_id, display_name, kinds, joined_at, created_at)
         SELECT 'web-1', id, 'web-1', '{install}', now(), now() FROM made",
    )
    .await;
    sql(
        world,
        "INSERT INTO placement (id, target_id, host_id, root, created_at)
         SELECT gen_random_uuid(), id, 'web-1', root, now() FROM target",
    )
    .await;
}

/// A job that ended well on web-1, for every target in this environment.
async fn done(world: &World, kind: &str, environment: &str, body: &Value) {
    let (purpose, migration) = if kind == "migrate" {
        ("migrate", "'pre', 'apply'")
    } else {
        ("collect", "NULL, NULL")
    };
    sql(
        world,
        &format!(
            "WITH stream AS (INSERT INTO log_stream (id, kind, created_at)
                             SELECT gen_random_uuid(), 'job', now() RETURNING id)
             INSERT INTO job (id, kind, state, purpose, project_id, target_id, placement_id, host_id, body, body_digest,
                              log_stream_id, epoch, created_at, started_at, ended_at, migration_phase, migration_mode)
             SELECT gen_random_uuid(), '{kind}', 'succeeded', '{purpose}', target.project_id, target.id, placement.id,
                    'web-1', '{body}', sha256('x'), stream.id, 1, now(), now(), now(), {migration}
             FROM target JOIN environment ON environment.id = target.environment_id AND environment.name = '{environment}'
                  JOIN placement ON placement.target_id = target.id, stream"
        ),
    )
    .await;
}

/// Two built releases of shop, of which the first is live and good everywhere.
pub async fn two_releases(repository: &Repository) -> (World, Keeper) {
    repository.release("SHOP-1", &[("a", "1")]);
    let world = shop_of(repository).await;
    let deployer = Keeper::new(&world, "deployer").await;
    for (number, tag) in [(1, "SHOP-1"), (2, "SHOP-2")] {
        if number == 2 {
            repository.release(tag, &[("a", "2")]);
        }
        deployer.press("/p/shop/build", &[("ref", tag)]).await.went();
        end_build(&world, number, "built").await;
    }
    sql(
        &world,
        "WITH good AS (INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at)
                       SELECT target.id, release.id, now(), now() FROM target, release WHERE number = 1)
         UPDATE target SET desired_release_id = (SELECT id FROM release WHERE number = 1), desired_since = now()",
    )
    .await;
    (world, deployer)
}

#[tokio::test]
async fn a_plan_links_tickets_and_tells_what_its_migrations_cost() {
    let repository = Repository::new();
    let (world, deployer) = two_releases(&repository).await;
    let tickets = json!({ "pattern": r"SHOP-(\d+)", "link": "https://tracker.example.org/?q={}&x=<y>" });
    world
        .admin()
        .put("projects/shop/tickets", &tickets)
        .await
        .expect(200);
    sql(
        &world,
        "INSERT INTO release_migration (release_id, phase, name, reversible)
         SELECT id, phase, phase || '_1', phase = 'pre' FROM release, (VALUES ('pre'), ('post')) AS one (phase)
         WHERE number = 2",
    )
    .await;
    web_1(&world).await;
    done(&world, "migrate", "beta", &json!({})).await;
    let line = |source: &str, text: &str| json!({ "at": 0, "source": source, "text": text });
    let lines = json!({ "lines": [line("out", "applied in 9 ms"), line("agent", "applied in 61500 ms")] });
    sql(
        &world,
        &format!(
            "INSERT INTO log_chunk (stream_id, epoch, seq, stage, first_line, line_count, byte_offset, content, received_at)
             SELECT log_stream_id, 1, 1, 'pre_1', 1, 2, 0, '{lines}', now() FROM job WHERE kind = 'migrate'"
        ),
    )
    .await;
    let form = [("target", "shop@production"), ("release", "#2")];
    let plan = deployer.press("/plans", &form).await.went();
    let page = deployer.get(&plan).await.expect(200);
    let ticket = "version <a href=\"https://tracker.example.org/?q=2&#38;x=&#60;y&#62;\" rel=\"noreferrer\">SHOP-2</a>";
    assert!(page.contains(ticket), "{page}");
    for words in [
        "the deployment waits for it; what is live works with it too; it can be reverted",
        "running it closes the way back to releases that do not have it; it has no way back",
        "took 1m01 in beta",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(
        page.matches("took ").count(),
        1,
        "only what an agent said counts: {page}"
    );
}

#[tokio::test]
async fn the_commits_of_a_branch_that_are_not_built_stand_there_with_their_builds() {
    let repository = Repository::new();
    let (world, deployer) = two_releases(&repository).await;
    repository.branch("fix/a&b", "main");
    repository.release("SHOP-3", &[("a", "3")]);
    repository.release("SHOP-4", &[("a", "4")]);
    deployer.press("/p/shop/fetch", &[]).await.went();
    let page = deployer.get("/p/shop").await.expect(200);
    let branch = "/p/shop?branch=fix%2Fa%26b";
    assert!(page.contains(&format!("href=\"{branch}#commits\"")), "{page}");
    let page = deployer.get(branch).await.expect(200);
    let listed = between(&page, "id=\"commits\"", "id=\"releases\"");
    let newest = listed.find("version SHOP-4").unwrap();
    assert!(newest < listed.find("version SHOP-3").unwrap() && !listed.contains("version SHOP-2"));
    let commit = between(listed, "name=\"ref\" value=\"", "\"");
    assert_eq!(commit.len(), 40, "{listed}");
    let went = deployer.press("/p/shop/build", &[("ref", commit)]).await.went();
    assert_eq!(went, "/r/shop/3");
    let page = deployer.get(branch).await.expect(200);
    let listed = between(&page, "id=\"commits\"", "id=\"releases\"");
    assert!(
        listed.contains("is being built") && listed.contains("not built"),
        "{listed}"
    );
    let page = deployer.get("/p/shop?branch=main").await.expect(200);
    assert!(page.contains("Every commit of main is built"), "{page}");
    deployer.get("/p/shop?branch=none").await.expect(404);
    let refused = world.admin().get("projects/shop/commits?branch=none").await;
    assert_eq!(refused.refused(404), "unknown_ref");
    let listed = world
        .admin()
        .get("projects/shop/commits?branch=main")
        .await
        .expect(200);
    assert_eq!(
        (&listed["looked_at"], &listed["commits"], &listed["more"]),
        (&json!(2), &json!([]), &json!(false))
    );
}

#[tokio::test]
async fn due_post_migrations_stand_on_every_page_of_those_who_may_run_them() {
    let world = two_projects().await;
    let banner = "Post-migrations may run now";
    let admin = Keeper::new(&world, "admin").await;
    assert!(!admin.get("/").await.expect(200).contains(banner));
    sql(
        &world,
        r#"WITH named AS (INSERT INTO release_migration (release_id, phase, name)
                          SELECT id, 'post', '0001_drop' FROM release)
           UPDATE release SET recipe = '{"migrations": {"post": {"after_s": 60}}}'"#,
    )
    .await;
    let due = "UPDATE target SET desired_release_id = release.id, reminded_release_id = release.id,
                      desired_since = now() - interval '1 hour'
               FROM release WHERE release.project_id = target.project_id";
    sql(&world, due).await;
    let page = admin.get("/hosts").await.expect(200);
    assert!(
        page.contains(banner) && page.contains("/migrations?target=shop@production"),
        "{page}"
    );
    assert!(page.contains("/migrations?target=pay@production"), "{page}");
    let ann = token(&world, "none", "deployer").await;
    let ann = Keeper::signed_in(&world, &[("token", &ann)]).await;
    let page = ann.get("/p").await.expect(200);
    assert!(
        page.contains(banner) && !page.contains("pay@production"),
        "{page}"
    );
    let viewer = Keeper::new(&world, "viewer").await;
    assert!(!viewer.get("/").await.expect(200).contains(banner));
    // One that left and came back waits again.
    sql(&world, "UPDATE target SET desired_since = now()").await;
    assert!(!admin.get("/").await.expect(200).contains(banner));
    sql(&world, due).await;
    sql(
        &world,
        "INSERT INTO target_migration (target_id, phase, name, state, seen_at)
         SELECT id, 'post', '0001_drop', 'applied', now() FROM target",
    )
    .await;
    assert!(!admin.get("/").await.expect(200).contains(banner));
}

#[tokio::test]
async fn what_lies_in_the_trash_is_offered_to_come_back() {
    let repository = Repository::new();
    let (world, _) = two_releases(&repository).await;
    let admin = Keeper::new(&world, "admin").await;
    let page = admin.get("/gc?project=shop").await.expect(200);
    assert!(page.contains("Nothing lies in a trash"), "{page}");
    web_1(&world).await;
    let folder: String = sqlx::query_scalar("SELECT folder FROM release WHERE number = 1")
        .fetch_one(world.pool())
        .await
        .unwrap();
    let body = json!({ "order": { "kind": "collect_garbage", "folders": [folder, "000009-ffffffffffff"] } });
    done(&world, "collect_garbage", "production", &body).await;
    let page = admin.get("/gc?project=shop").await.expect(200);
    assert!(
        page.contains("<option value=\"shop@production #1\">SHOP-1 on shop@production, collected"),
        "{page}"
    );
    assert!(!page.contains("value=\"shop@beta #1\""), "{page}");
    let nothing = admin
        .press("/gc/undo", &[("what", "shop@production")])
        .await
        .expect(422);
    assert!(nothing.contains("nothing was named"), "{nothing}");
    let went = admin
        .press("/gc/undo", &[("what", "shop@production #1")])
        .await
        .went();
    assert_eq!(went, "/t/shop@production");
    let ordered = "SELECT count(*) FROM job WHERE kind = 'install' AND target_id IS NOT NULL";
    assert_eq!(world.count(ordered).await, 1);
    // What lies there again is not offered.
    sql(
        &world,
        "INSERT INTO placement_release (placement_id, folder, release_id, confirmed_at)
         SELECT placement.id, release.folder, release.id, now() FROM placement, release WHERE number = 1",
    )
    .await;
    let page = admin.get("/gc?project=shop").await.expect(200);
    assert!(!page.contains("value=\"shop@production #1\""), "{page}");
}
