//! What a person sees who writes a recipe.

use pointsman_shared::recipe::{Probe, SharedPath};
use pointsman_shared::wire::job::MigrationRunner;

use super::{MAX_BYTES, PostStart, Recipe, parse};

fn refused(text: &str) -> String {
    let error = parse("pointsman.toml", text).unwrap_err();
    format!("{error}; {}", error.remedy)
}

#[test]
fn the_whole_of_it() {
    let recipe = parse(
        "pointsman.toml",
        r#"
        [build]
        steps   = ["npm ci", "npm run build"]
        cache   = ["node_modules"]
        cache_key = ["package-lock.json"]
        include = ["dist/**", "server/**"]
        timeout = "20m"
        silence_timeout = "90s"
        submodules = true
        [release]
        shared  = ["storage/", ".env"]
        [migrations.pre]
        sql = "db/pre"
        database_url = "${DATABASE_URL}"
        [migrations.post]
        list = [ "bin/migrate", "list" ]
        apply = ["bin/migrate", "apply"]
        after = "2d"
        start = "auto"
        [activate]
        before = [["bin/warm-cache"]]
        after  = [["sudo", "systemctl", "reload", "php8.2-fpm"]]
        [health]
        http  = "http://127.0.0.1:${PORT}/healthz"
        passes = 2
        interval = "500ms"
        deadline = "10s"
        asserts_release = false
        "#,
    )
    .unwrap();
    let build = recipe.build.unwrap();
    assert_eq!(build.steps, ["npm ci", "npm run build"]);
    assert_eq!(
        (build.timeout_s, build.silence_timeout_s, build.submodules),
        (1200, 90, true)
    );
    let path = |path: &str, folder| SharedPath {
        path: path.to_owned(),
        folder,
    };
    assert_eq!(recipe.shared, [path(".env", false), path("storage", true)]);
    assert!(matches!(recipe.migrations.pre, Some(MigrationRunner::Sql { .. })));
    let post = recipe.migrations.post.unwrap();
    assert_eq!((post.after_s, post.start), (172_800, PostStart::Auto));
    assert_eq!(
        recipe.hooks.after,
        [["sudo", "systemctl", "reload", "php8.2-fpm"]]
    );
    let health = recipe.health.unwrap();
    assert!(matches!(health.probe, Probe::Http { .. }));
    assert_eq!(
        (health.passes, health.interval_ms, health.deadline_ms),
        (2, 500, 10_000)
    );
    assert!(!health.asserts_release);
}

#[test]
fn an_empty_recipe_is_the_default_and_health_asserts_the_release() {
    assert_eq!(parse("pointsman.toml", "# nothing\n").unwrap(), Recipe::default());
    let recipe = parse("pointsman.toml", "[health]\nhttp = 'http://127.0.0.1/'\n").unwrap();
    let health = recipe.health.unwrap();
    assert!(health.asserts_release);
    assert_eq!(
        (health.passes, health.interval_ms, health.deadline_ms),
        (3, 1000, 120_000)
    );
}

#[test]
fn a_frozen_recipe_reads_back_as_it_was() {
    let recipe = parse(
        "pointsman.toml",
        "[build]\nsteps = ['make']\n[health]\ncommand = ['true']\n",
    )
    .unwrap();
    let frozen = serde_json::to_value(&recipe).unwrap();
    assert_eq!(serde_json::from_value::<Recipe>(frozen).unwrap(), recipe);
}

/// A mistake, and how its refusal begins.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[build]\nsteeps = ['x']\n",
        "pointsman.toml, line 2: unknown key `steeps` in [build]; did you mean `steps`?",
    ),
    (
        "[biuld]\n",
        "pointsman.toml, line 1: unknown key `biuld`; did you mean `build`?",
    ),
    (
        "\n[health]\nhtpt = 'http://x/'\n",
        "pointsman.toml, line 3: unknown key `htpt` in [health]; did you mean `http`?",
    ),
    (
        "[build]\nsteps = 'make'\n",
        "pointsman.toml, line 2: `build.steps` is a string, not a list of strings such as [\"a\", \"b\"]; write a list of strings such as [\"a\", \"b\"]",
    ),
    (
        "[build]\ntimeout = '30 parsecs'\n",
        "pointsman.toml, line 2: \"30 parsecs\" is no duration",
    ),
    (
        "[build]\ntimeout = '0s'\n",
        "pointsman.toml, line 2: the duration \"0s\" is out of range",
    ),
    (
        "[build]\ninclude = ['dist/[']\n",
        "pointsman.toml, line 2: \"dist/[\" is no pattern",
    ),
    (
        "[build]\nsteps = ['']\n",
        "pointsman.toml, line 2: a build step is empty",
    ),
    (
        "[release]\nshared = [\n 'a',\n '../b']\n",
        "pointsman.toml, line 4: the path \"../b\" has an empty part, `.` or `..`",
    ),
    (
        "[release]\nshared = ['/etc/x']\n",
        "pointsman.toml, line 2: the path \"/etc/x\" is absolute",
    ),
    (
        "[release]\nshared = ['storage/', 'storage/a']\n",
        "pointsman.toml, line 2: the shared path \"storage/a\" meets \"storage\"",
    ),
    (
        "[activate]\nafter = ['systemctl reload x']\n",
        "pointsman.toml, line 2: `activate.after` holds a string where a command is expected",
    ),
    (
        "[activate]\nafter = [[]]\n",
        "pointsman.toml, line 2: `activate.after` holds a command without a program",
    ),
    (
        "[health]\npasses = 3\n",
        "pointsman.toml, line 1: [health] asks nothing",
    ),
    (
        "[health]\nhttp = 'http://x/${port}'\n",
        "pointsman.toml, line 2: \"http://x/${port}\" holds `${` without a variable's name",
    ),
    (
        "[health]\nhttp = 'localhost'\n",
        "pointsman.toml, line 2: \"localhost\" is no address",
    ),
    (
        "[health]\nhttp = 'http://x/'\npasses = 0\n",
        "pointsman.toml, line 3: `health.passes` is 0",
    ),
    (
        "[health]\nhttp = 'http://x/'\ndeadline = '1s'\n",
        "pointsman.toml, line 1: 3 passes every 1000 ms do not fit",
    ),
    (
        "[migrations.pre]\nsql = 'db'\n",
        "pointsman.toml, line 1: migrations need either",
    ),
    (
        "[migrations.post]\nsql = 'db'\ndatabase_url = 'x'\nstart = 'now'\n",
        "pointsman.toml, line 4: `start` is \"now\"",
    ),
    ("[build\n", "pointsman.toml, line 1: "),
];

#[test]
fn mistakes_name_file_line_and_remedy() {
    for (text, expected) in MISTAKES {
        let refused = refused(text);
        assert!(
            refused.starts_with(expected),
            "{text:?}\n  gives {refused}\n  not   {expected}"
        );
    }
}

#[test]
fn a_flood_is_refused() {
    let text = format!("# {}\n", "x".repeat(MAX_BYTES));
    assert!(refused(&text).contains("more than 32768"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,400}") {
        drop(parse("pointsman.toml", &text));
    }

    #[test]
    fn no_key_value_makes_it_panic(key in "(build|release|health|activate|migrations)", inner in "[a-z_]{1,12}", value in r#"("[^"]{0,20}"|[0-9]{1,5}|\[.{0,20}\]|true)"#) {
        drop(parse("pointsman.toml", &format!("[{key}]\n{inner} = {value}\n")));
    }
}
