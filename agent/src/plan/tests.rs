//! Plans as people read them.

use pointsman_shared::wire::job::Order;

use super::{Plan, plan};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

/// The names of an order's steps, one per line.
fn read(order: serde_json::Value) -> String {
    let order: Order = serde_json::from_value(order).unwrap();
    let names: Vec<String> = match plan(&order) {
        Plan::Build(steps) => steps.iter().map(ToString::to_string).collect(),
        Plan::Install(steps) => steps.iter().map(ToString::to_string).collect(),
        Plan::Switch(steps) => steps.iter().map(ToString::to_string).collect(),
        Plan::Migrate(steps) => steps.iter().map(ToString::to_string).collect(),
        Plan::Collect(steps) => steps.iter().map(ToString::to_string).collect(),
        Plan::Workshop(steps) => steps.iter().map(ToString::to_string).collect(),
    };
    names.join("\n")
}

fn build(recipe: &serde_json::Value) -> String {
    read(serde_json::json!({
        "kind": "build", "release": ID, "release_number": 42, "label": "1.9.1",
        "repository": "https://git.example.org/shop", "subdirectory": null, "commit": "a".repeat(40),
        "recipe": recipe, "shared": [], "log_stream": ID,
    }))
}

fn switch(kind: &str, hooks: &serde_json::Value, health: &serde_json::Value) -> String {
    read(serde_json::json!({
        "kind": kind, "placement": ID, "root": "/srv/shop", "slot": "current", "generation": 7, "release": ID,
        "folder": "000042-3f9c1e20ab12", "label": "1.9.1", "commit": "a".repeat(40), "manifest": "0".repeat(64),
        "hooks": hooks, "health": health, "log_stream": ID,
    }))
}

#[test]
fn a_build_without_a_recipe_packs_the_tree() {
    insta::assert_snapshot!(build(&serde_json::Value::Null), @r#"
    checkout
    pack
    upload
    "#);
}

#[test]
fn a_build_runs_its_steps_between_its_cache() {
    let recipe = serde_json::json!({
        "steps": ["npm ci", "npm run build"], "cache": ["node_modules"], "cache_key": [], "include": ["dist/**"],
        "timeout_s": 1800, "silence_timeout_s": 300,
    });
    insta::assert_snapshot!(build(&recipe), @r#"
    checkout
    restore cache
    npm ci
    npm run build
    pack
    save cache
    upload
    "#);
}

#[test]
fn a_cache_without_steps_is_left_alone() {
    let recipe = serde_json::json!({
        "steps": [], "cache": ["node_modules"], "cache_key": [], "include": [], "timeout_s": 1, "silence_timeout_s": 1,
    });
    insta::assert_snapshot!(build(&recipe), @r#"
    checkout
    pack
    upload
    "#);
}

#[test]
fn an_install_gives_the_final_name_last() {
    let order = serde_json::json!({
        "kind": "install", "placement": ID, "root": "/srv/shop", "release": ID, "folder": "000042-3f9c1e20ab12",
        "manifest": "0".repeat(64), "archive": "0".repeat(64), "packing": "0".repeat(64), "archive_bytes": 1,
        "total_bytes": 1, "entries": 1, "shared": [], "log_stream": ID,
    });
    insta::assert_snapshot!(read(order), @r#"
    prepare
    fetch
    unpack
    link and verify
    publish
    "#);
}

#[test]
fn activation_and_rollback_are_the_same_switch() {
    let hooks = serde_json::json!({
        "before": [["bin/warm-cache"]], "after": [["sudo", "systemctl", "reload", "php8.2-fpm"]], "timeout_s": 60,
    });
    let health = serde_json::json!({
        "probe": {"probe": "http", "url": "http://127.0.0.1:${PORT}/healthz"}, "passes": 3, "interval_ms": 1000,
        "deadline_ms": 120_000, "asserts_release": true,
    });
    let activation = switch("activate", &hooks, &health);
    insta::assert_snapshot!(activation, @r#"
    check
    before: bin/warm-cache
    switch
    after: sudo systemctl reload php8.2-fpm
    health
    "#);
    assert_eq!(switch("rollback", &hooks, &health), activation);
}

#[test]
fn a_bare_switch_is_two_steps() {
    let hooks = serde_json::json!({"before": [], "after": [], "timeout_s": 0});
    insta::assert_snapshot!(switch("activate", &hooks, &serde_json::Value::Null), @r#"
    check
    switch
    "#);
}

#[test]
fn work_on_migrations_names_what_it_does() {
    let last = |mode: &str, migrations: serde_json::Value| {
        let read = read(serde_json::json!({
            "kind": "migrate", "placement": ID, "root": "/srv/shop", "release": ID, "folder": "000042-3f9c1e20ab12",
            "mode": mode, "phase": "post", "migrations": migrations,
            "runner": {"runner": "sql", "folder": "db/post", "database_url": "${DATABASE_URL}"}, "log_stream": ID,
        }));
        read.strip_prefix("check\n").unwrap().to_owned()
    };
    let one = serde_json::json!([{"name": "0003_drop", "checksum": "0".repeat(64)}]);
    assert_eq!(last("apply", serde_json::json!([])), "apply post-migrations");
    assert_eq!(last("apply", one.clone()), "apply 0003_drop");
    assert_eq!(last("revert", one.clone()), "revert 0003_drop");
    assert_eq!(last("list", serde_json::json!([])), "list post-migrations");
    assert_eq!(last("mark_applied", one), "mark 0003_drop applied");
}
