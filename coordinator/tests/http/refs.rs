//! Branches and tags on the page of a project: as last fetched, how far each is built, and what a build of them would be.

use serde_json::json;

use crate::keeper::Keeper;
use crate::repository::Repository;
use crate::world::{Settings, World};

/// A world whose project shop has this repository, and goes to beta and production.
pub async fn shop_of(repository: &Repository) -> World {
    let settings = Settings {
        git: Some("git.allow_file = true".to_owned()),
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let target = |environment| {
        json!({ "project": "shop", "environment": environment, "root": format!("/srv/{environment}"),
                "hosts": { "role": "web" } })
    };
    let document = json!({
        "project": [{ "name": "shop", "repository": repository.path() }],
        "environment": [{ "name": "beta" }, { "name": "production", "position": 1 }],
        "target": [target("beta"), target("production")],
    });
    world.admin().put("apply", &document).await.expect(200);
    world
}

/// Ends the build of a release.
pub async fn end_build(world: &World, number: i32, state: &str) {
    let built = "UPDATE release SET state = $2, manifest_digest = sha256(id::text::bytea),
            archive_digest = sha256(id::text::bytea), packing_digest = sha256(id::text::bytea),
            folder = lpad(number::text, 6, '0') || '-' || left(encode(sha256(id::text::bytea), 'hex'), 12)
         WHERE number = $1";
    let other = "UPDATE release SET state = $2 WHERE number = $1";
    let statement = if state == "built" { built } else { other };
    let done = sqlx::query(statement)
        .bind(number)
        .bind(state)
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// Takes the newest commit back, by another one.
fn revert_newest(repository: &Repository) {
    let status = std::process::Command::new("git")
        .current_dir(repository.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(["revert", "--no-edit", "HEAD"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn what_is_not_built_is_shown_as_it_was_last_fetched() {
    let repository = Repository::new();
    repository.release("1.0.0", &[("a", "1")]);
    let world = shop_of(&repository).await;
    let deployer = Keeper::new(&world, "deployer").await;
    let page = deployer.get("/p/shop").await.expect(200);
    assert!(page.contains("was not fetched here yet"), "{page}");
    let mirrors = world.folder.path().join("mirrors");
    assert!(!mirrors.exists(), "looking fetches nothing");
    assert_eq!(deployer.press("/p/shop/fetch", &[]).await.went(), "/p/shop");
    let trail = world.admin().get("audit?limit=1").await.expect(200)["items"][0].clone();
    assert_eq!(
        (&trail["action"], &trail["object"], &trail["result"]),
        (&json!("repository.fetch"), &json!("shop"), &json!("done"))
    );
    let page = deployer.get("/p/shop").await.expect(200);
    assert!(page.contains("nothing of it is built"), "{page}");
    assert!(page.contains("<option value=\"1.0.0\">"), "{page}");

    let went = deployer.press("/p/shop/build", &[("ref", "1.0.0")]).await.went();
    assert_eq!(went, "/r/shop/1");
    let page = deployer.get("/p/shop").await.expect(200);
    assert!(page.contains("is being built"), "{page}");
    end_build(&world, 1, "built").await;
    let page = deployer.get("/p/shop").await.expect(200);
    assert!(page.contains("Every newer branch and tag is built"), "{page}");

    repository.branch("feature", "main");
    repository.release("1.1.0-rc", &[("a", "2")]);
    repository.release("1.1.0", &[("a", "3")]);
    repository.checkout("main");
    let same = deployer.get("/p/shop").await.expect(200);
    assert!(!same.contains("feature"), "a look fetches nothing: {same}");
    deployer.press("/p/shop/fetch", &[]).await.went();
    let page = deployer.get("/p/shop").await.expect(200);
    let since = "2 commits since <a href=\"/r/shop/1\">1.0.0</a> was built";
    assert!(page.contains(since), "{page}");
    assert!(page.contains("aria-label=\"Build feature\""), "{page}");
    deployer
        .press("/p/shop/build", &[("ref", "feature")])
        .await
        .went();
    end_build(&world, 2, "failed").await;
    let page = deployer.get("/p/shop").await.expect(200);
    assert!(
        page.contains("last build failed") && page.contains("/r/shop/2#log"),
        "{page}"
    );
}

#[tokio::test]
async fn a_branch_of_any_name_is_built_by_its_button() {
    let repository = Repository::new();
    repository.release("1.0.0", &[("a", "1")]);
    repository.branch("größe,2", "main");
    repository.release("v1@beta", &[("a", "2")]);
    let world = shop_of(&repository).await;
    let deployer = Keeper::new(&world, "deployer").await;
    deployer.press("/p/shop/fetch", &[]).await.went();
    let refs = world.admin().get("projects/shop/refs").await.expect(200);
    let rows = refs["refs"].as_array().unwrap();
    let commit_of = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["commit"].as_str().unwrap().to_owned()
    };
    let commit = commit_of("größe,2");
    assert_eq!(commit, commit_of("v1@beta"));
    let page = deployer.get("/p/shop").await.expect(200);
    for name in ["größe,2", "v1@beta"] {
        let button = format!("name=\"ref\" value=\"{commit}\"><button aria-label=\"Build {name}\">");
        assert!(page.contains(&button), "{page}");
        let choice = format!("<option value=\"{name}\">");
        assert!(!page.contains(&choice), "{page}");
    }
    let form = [("ref", commit.as_str())];
    assert_eq!(deployer.press("/p/shop/build", &form).await.went(), "/r/shop/1");
    // By its name it is refused, and told how it goes.
    let wish = json!({ "ref": "größe,2" });
    let refused = world.admin().post("projects/shop/releases", &wish).await;
    assert_eq!(refused.refused(422), "invalid_ref");
    let hint = refused.body["hint"].as_str().unwrap();
    assert!(hint.ends_with("pointsman project refs shop"), "{hint}");
}

#[tokio::test]
async fn the_api_lists_refs_and_fetches_them() {
    let repository = Repository::new();
    repository.release("1.0.0", &[("a", "1")]);
    repository.tag("again");
    let world = shop_of(&repository).await;
    let refs = world.admin().get("projects/shop/refs").await.expect(200);
    assert!(refs["fetched_at"].is_null(), "{refs}");
    let viewer = world.person("viewer").await;
    let nothing = json!(null);
    let refused = viewer.post("projects/shop/fetch", &nothing).await;
    assert_eq!(refused.refused(403), "not_allowed");
    let refs = world
        .admin()
        .post("projects/shop/fetch", &nothing)
        .await
        .expect(200);
    let names: Vec<_> = refs["refs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(names, ["1.0.0", "again", "main"]);
    assert_eq!(refs["refs"][2]["kind"], "branch");
    fs_err::remove_dir_all(repository.path()).unwrap();
    let gone = world.admin().post("projects/shop/fetch", &nothing).await;
    assert_eq!(gone.refused(503), "repository_unreachable");
    // What was fetched is still shown.
    let refs = world.admin().get("projects/shop/refs").await.expect(200);
    assert_eq!(refs["refs"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_build_of_what_is_built_offers_the_release_instead() {
    let repository = Repository::new();
    repository.release("1.0.0", &[("a", "1")]);
    let world = shop_of(&repository).await;
    let deployer = Keeper::new(&world, "deployer").await;
    deployer.press("/p/shop/build", &[("ref", "1.0.0")]).await.went();
    end_build(&world, 1, "built").await;
    let went = deployer.press("/p/shop/build", &[("ref", "main")]).await.went();
    assert_eq!(went, "/p/shop?built=1&ref=main");
    let page = deployer.get(&went).await.expect(200);
    assert!(page.contains("main is built already"), "{page}");
    assert!(page.contains("Plan 1.0.0 for production…"), "{page}");
    assert_eq!(world.count("SELECT count(*) FROM release").await, 1);
    let form = [("ref", "main"), ("rebuild", "true")];
    assert_eq!(deployer.press("/p/shop/build", &form).await.went(), "/r/shop/2");
}

#[tokio::test]
async fn a_plan_tells_what_is_newer_and_what_of_it_takes_back_what_comes() {
    let repository = Repository::new();
    repository.release("1.0.0", &[("a", "1")]);
    let world = shop_of(&repository).await;
    let deployer = Keeper::new(&world, "deployer").await;
    deployer.press("/p/shop/build", &[("ref", "main")]).await.went();
    end_build(&world, 1, "built").await;
    repository.release("1.1.0", &[("a", "2")]);
    deployer.press("/p/shop/build", &[("ref", "main")]).await.went();
    end_build(&world, 2, "built").await;
    revert_newest(&repository);
    deployer.press("/p/shop/fetch", &[]).await.went();
    let good = "WITH good AS (INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at)
                              SELECT target.id, release.id, now(), now() FROM target, release WHERE number = 1)
                UPDATE target SET desired_release_id = (SELECT id FROM release WHERE number = 1)";
    sqlx::query(good).execute(world.pool()).await.unwrap();
    let form = [("target", "shop@production"), ("release", "#2")];
    let went = deployer.press("/plans", &form).await.went();
    let page = deployer.get(&went).await.expect(200);
    assert!(page.contains("1 newer commit on main"), "{page}");
    assert!(page.contains("which comes"), "{page}");
    assert!(
        page.contains("takes back a commit that comes with this"),
        "{page}"
    );
}
