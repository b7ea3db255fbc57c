//! Two projects, shop and pay, each with something of every kind; and whoever has a role in shop alone.

use serde_json::json;

use crate::people::Person;
use crate::world::World;

/// A world with shop@production and pay@production, each with a release, a deployment, a job, a push, a plan, a lock
/// and a variable; those of pay have the number 2.
pub async fn two_projects() -> World {
    let world = World::new().await;
    world.set_up_shop().await;
    let document = json!({
        "project": [{ "name": "pay", "repository": "https://git.example.com/pay" }],
        "target": [{ "project": "pay", "environment": "production", "hosts": { "role": "web" } }],
    });
    let admin = world.admin();
    admin.put("apply", &document).await.expect(200);
    for project in ["shop", "pay"] {
        let lock = json!({ "reason": format!("{project} is counted") });
        let target = format!("{project}@production");
        admin
            .put(&format!("targets/{target}/lock"), &lock)
            .await
            .expect(200);
        let variable = json!({ "scope": { "target": target }, "name": "PORT", "value": "8080" });
        admin.put("variables", &variable).await.expect(204);
        let webhook = json!({ "project": project, "forge": "github" });
        admin.post("webhooks", &webhook).await.expect(201);
        filled_in(&world, project).await;
    }
    world
}

async fn filled_in(world: &World, project: &str) {
    let number = if project == "shop" { 1 } else { 2 };
    let hash = if project == "shop" { "ab" } else { "cd" }.repeat(32);
    let of_project = format!(
        "FROM target JOIN project ON project.id = target.project_id JOIN release ON release.project_id = project.id
         WHERE project.name = '{project}'"
    );
    for statement in [
        format!(
            "INSERT INTO release (id, project_id, number, label, reference, commit_id, state, origin, recipe, created_by,
                                  created_at)
             SELECT gen_random_uuid(), project.id, 1, '1', 'main', repeat('a', 40), 'queued', 'test', '{{}}',
                    (SELECT id FROM principal LIMIT 1), now() FROM project WHERE name = '{project}'"
        ),
        format!(
            "INSERT INTO deployment (id, number, target_id, release_id, kind, requested_by, requested_at, strategy,
                                     started_at)
             OVERRIDING SYSTEM VALUE
             SELECT gen_random_uuid(), {number}, target.id, release.id, 'deploy', release.created_by, now(), '{{}}', now()
             {of_project}"
        ),
        format!(
            "WITH stream AS (INSERT INTO log_stream (id, kind, created_at) VALUES (gen_random_uuid(), 'job', now())
                             RETURNING id)
             INSERT INTO job (id, number, kind, state, purpose, project_id, pool, body, body_digest, log_stream_id, epoch,
                              created_at)
             OVERRIDING SYSTEM VALUE
             SELECT stream.id, {number}, 'build', 'offered', 'release', project.id, 'default', '{{}}', sha256('{{}}'),
                    stream.id, 1, now() FROM project, stream WHERE project.name = '{project}'"
        ),
        format!(
            "INSERT INTO push (number, webhook_id, delivery, fingerprint, reference, received_at, answered_at)
             OVERRIDING SYSTEM VALUE
             SELECT {number}, webhook.id, 'd', 'f', 'refs/heads/main', now(), now()
             FROM webhook JOIN project ON project.id = project_id WHERE project.name = '{project}'"
        ),
        format!(
            "INSERT INTO plan (hash, target_id, release_id, body, made_by, made_at)
             SELECT decode('{hash}', 'hex'), target.id, release.id, '{{}}', release.created_by, now() {of_project}"
        ),
    ] {
        let made = sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
            .execute(world.pool())
            .await;
        assert!(made.is_ok(), "{statement}: {made:?}");
    }
}

/// A path about pay.
pub fn of_pay(path: &str) -> String {
    path.replace("{project}", "pay")
        .replace("{target}", "pay@production")
        .replace("{release}", "1")
        .replace("{number}", "2")
        .replace("{revision}", "1")
        .replace("{hash}", &"cd".repeat(32))
        .replace("{mark}", "tested")
        .replace("{webhook}", "github")
        .replace("{host}", "web-1")
        .replace("{name}", "lucy")
        .replace("{token}", "abc")
        .replace("{channel}", "ops")
}

/// Whether a text names pay or something of it.
pub fn tells_of_pay(text: &str) -> bool {
    [
        "\"pay\"",
        "pay@",
        ">pay<",
        "/p/pay",
        "pay is counted",
        "/d/2",
        "#2<",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

pub async fn token(world: &World, role: &str, in_shop: &str) -> String {
    let wish = json!({ "name": format!("{role} {in_shop}"), "role": role, "projects": { "shop": in_shop } });
    let issued = world.admin().post("tokens", &wish).await.expect(201);
    assert_eq!(issued["info"]["projects"], json!({ "shop": in_shop }));
    issued["token"].as_str().unwrap().to_owned()
}

pub async fn person(world: &World, role: &str, in_shop: &str) -> Person {
    Person::new(&world.url, Some(&token(world, role, in_shop).await))
}
