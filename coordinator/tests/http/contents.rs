//! What releases hold, and how they differ: the same on pages and in the API, read from the artifact store.

use std::fmt::Write as _;

use pointsman_archive::{Manifest, PackOptions, Selection, Watch, pack};
use pointsman_shared::name::ReleaseFolder;
use serde_json::json;

use crate::keeper::Keeper;
use crate::orders::built;
use crate::world::World;

/// The next release of shop, with these files in the artifact store.
async fn release(world: &World, files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs_err::create_dir(&tree).unwrap();
    for (path, content) in files {
        let at = tree.join(path);
        fs_err::create_dir_all(at.parent().unwrap()).unwrap();
        fs_err::write(at, content).unwrap();
    }
    let archive = folder.path().join("archive");
    let (manifest, packing) = {
        let watch = Watch::none();
        let manifest = Manifest::scan(&tree, &Selection::default(), &watch).unwrap();
        let packing = pack(&tree, &manifest, &archive, &PackOptions::default(), &watch).unwrap();
        (manifest, packing)
    };
    let put = |kind: &str, name: String, content: Vec<u8>| {
        let place = world.folder.path().join("store").join(kind);
        fs_err::create_dir_all(&place).unwrap();
        fs_err::write(place.join(name), content).unwrap();
    };
    put(
        "manifests",
        manifest.digest().to_string(),
        manifest.canonical_bytes(),
    );
    put(
        "packings",
        packing.digest().to_string(),
        packing.canonical_bytes(),
    );
    put(
        "archives",
        packing.archive().to_string(),
        fs_err::read(&archive).unwrap(),
    );
    let id = built(world).await;
    sqlx::query(
        "UPDATE release SET manifest_digest = $2, archive_digest = $3, packing_digest = $4, folder = $5,
                            archive_bytes = 1, total_bytes = $6, entries = 1, label = 'v' || number
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(manifest.digest().as_bytes().as_slice())
    .bind(packing.archive().as_bytes().as_slice())
    .bind(packing.digest().as_bytes().as_slice())
    .bind(ReleaseFolder::of(1, &manifest.digest()).as_str())
    .bind(i64::try_from(manifest.total_bytes()).unwrap())
    .execute(world.pool())
    .await
    .unwrap();
}

async fn two_releases(world: &World) {
    world.set_up_shop().await;
    let main = "one\ntwo\nthree\n";
    release(
        world,
        &[("app/main.js", main), ("app/old.js", "old"), ("README", "same")],
    )
    .await;
    let main = "one\n<b>two</b>\nthree\n";
    release(
        world,
        &[("app/main.js", main), ("app/new.js", "new!"), ("README", "same")],
    )
    .await;
}

#[tokio::test]
async fn the_files_of_a_release_are_seen_folder_by_folder() {
    let world = World::new().await;
    two_releases(&world).await;
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get("/r/shop/2/files").await.expect(200);
    assert!(page.contains("<a href=\"?under=app\">app/</a>"), "{page}");
    assert!(page.contains(">README</th>"), "{page}");
    assert!(!page.contains("main.js"), "{page}");
    let page = viewer.get("/r/shop/2/files?under=app/").await.expect(200);
    assert!(page.contains("main.js") && page.contains("644"), "{page}");
    let none = viewer.get("/r/shop/2/files?under=nowhere").await.expect(404);
    assert!(none.contains("unknown_folder"), "{none}");

    let admin = world.admin();
    let listed = admin
        .get("projects/shop/releases/v2/files?under=app")
        .await
        .expect(200);
    let listed = &listed["items"];
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed[0]["path"], "app/main.js");
    assert_eq!(listed[1]["size"], 4);
    let top = admin
        .get("projects/shop/releases/v2/files?limit=1")
        .await
        .expect(200);
    assert_eq!(
        (&top["items"][0]["path"], &top["items"][0]["files"]),
        (&json!("app"), &json!(2))
    );
    let cursor = top["next"].as_str().unwrap();
    let rest = admin
        .get(&format!(
            "projects/shop/releases/v2/files?limit=1&cursor={cursor}"
        ))
        .await
        .expect(200);
    assert_eq!(rest["items"][0]["path"], "README");
    assert!(rest["next"].is_null());
    let deep = admin
        .get("projects/shop/releases/v2/files?deep=true")
        .await
        .expect(200);
    assert_eq!(deep["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn two_releases_are_compared_by_files_and_a_text_by_its_lines() {
    let world = World::new().await;
    two_releases(&world).await;
    let (viewer, deployer) = (
        Keeper::new(&world, "viewer").await,
        Keeper::new(&world, "deployer").await,
    );
    // Without a word it is compared with the one before it.
    let page = viewer.get("/r/shop/2/diff").await.expect(200);
    for told in [
        "1 added",
        "1 removed",
        "1 changed",
        "app/new.js",
        "app/old.js",
        "8 B more",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("README") && !page.contains("&file="), "{page}");
    let secret = viewer
        .get("/r/shop/2/diff?against=%231&file=app/main.js")
        .await
        .expect(200);
    assert!(!secret.contains("two&#60;"), "a viewer sees no content: {secret}");
    let page = deployer
        .get("/r/shop/2/diff?against=%231&file=app/main.js")
        .await
        .expect(200);
    assert!(page.contains("<span class=\"del\">-two</span>"), "{page}");
    assert!(
        page.contains("<span class=\"add\">+&#60;b&#62;two&#60;/b&#62;</span>"),
        "{page}"
    );
    let same = deployer.get("/r/shop/1/diff?against=v1").await.expect(200);
    assert!(same.contains("the same files, byte for byte"), "{same}");
}

#[tokio::test]
async fn the_api_tells_the_same_difference_in_pages() {
    let world = World::new().await;
    two_releases(&world).await;
    let admin = world.admin();
    let diff = admin
        .get("projects/shop/releases/v2/diff?against=v1&limit=1")
        .await
        .expect(200);
    assert_eq!(
        (
            &diff["added"],
            &diff["removed"],
            &diff["changed"],
            &diff["items"][0]["fate"]
        ),
        (&json!(1), &json!(1), &json!(1), &json!("changed"))
    );
    assert!(diff["next"].is_string());
    let text = "projects/shop/releases/v2/diff/text?against=v1&file";
    let lines = admin.get(&format!("{text}=app/main.js")).await.expect(200);
    assert!(lines["unified"].as_str().unwrap().contains("-two\n"), "{lines}");
    assert_eq!(
        admin.get(&format!("{text}=nothing")).await.refused(404),
        "unknown_file"
    );
    let viewer = world.person("viewer").await;
    assert_eq!(
        viewer.get(&format!("{text}=app/main.js")).await.refused(403),
        "not_allowed"
    );
}

#[tokio::test]
async fn what_is_gone_binary_or_not_built_is_said_in_words() {
    let world = World::new().await;
    two_releases(&world).await;
    release(
        &world,
        &[("app/main.js", "\u{0}binary"), ("big", &"x".repeat(300_000))],
    )
    .await;
    let admin = world.admin();
    let text = "projects/shop/releases/v3/diff/text?against=v1&file";
    assert_eq!(
        admin.get(&format!("{text}=app/main.js")).await.refused(422),
        "not_text"
    );
    assert_eq!(
        admin.get(&format!("{text}=big")).await.refused(422),
        "file_too_large"
    );
    fs_err::remove_dir_all(world.folder.path().join("store/archives")).unwrap();
    let gone = admin
        .get("projects/shop/releases/v2/diff/text?against=v1&file=app/main.js")
        .await;
    assert_eq!(gone.refused(404), "object_missing");
    fs_err::remove_dir_all(world.folder.path().join("store/manifests")).unwrap();
    let gone = admin.get("projects/shop/releases/v2/files").await;
    assert_eq!(gone.refused(404), "object_missing");
    crate::orders::build(&world).await;
    sqlx::query("UPDATE release SET recipe = (SELECT recipe FROM release WHERE number = 1) WHERE number = 4")
        .execute(world.pool())
        .await
        .unwrap();
    let unbuilt = admin.get("projects/shop/releases/4/files").await;
    assert_eq!(unbuilt.refused(409), "release_not_built");
}

#[tokio::test]
async fn twenty_thousand_files_are_paged_and_quick() {
    let world = World::new().await;
    world.set_up_shop().await;
    let mut names = String::new();
    for number in 0..20_000 {
        writeln!(names, "many/{:02}/f{number:05}", number % 3).unwrap();
    }
    let files: Vec<(&str, &str)> = names.lines().map(|name| (name, "x")).collect();
    release(&world, &files).await;
    let viewer = Keeper::new(&world, "viewer").await;
    let page = viewer.get("/r/shop/1/files?under=many").await.expect(200);
    assert!(page.contains("20000 files") && page.contains("6667"), "{page}");
    let page = viewer
        .get("/r/shop/1/files?under=many/00&from=200")
        .await
        .expect(200);
    assert!(page.contains("201 to 300 of 6667"), "{page}");
    assert_eq!(page.matches("<th scope=\"row\">").count(), 100);
    assert!(page.contains("from=300") && page.contains("from=100"), "{page}");
    let began = std::time::Instant::now();
    viewer.get("/r/shop/1/files?under=many/01").await.expect(200);
    println!("a page of 20,000 files took {:?}", began.elapsed());
}
