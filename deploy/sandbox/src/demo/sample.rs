//! The sample project: a small web shop with a build step, shared files, a database of its own and a real history of
//! three versions.
//!
//! 1.1.0 changes the database as one does it without downtime: what the new version needs is added before it goes live,
//! what only the old one needed is dropped once nobody wants it back. 1.2.0 is broken on purpose: its health check fails.

use std::path::PathBuf;

use super::repository::CallersGit;
use pointsman_sandbox::Result;
use pointsman_sandbox::place::Place;

const RECIPE: &str = r#"# How this project is built, linked and checked.
[build]
steps   = ["sh build.sh"]
include = ["dist/**", "db/**", "healthz"]

[release]
shared  = ["storage/", ".env"]

[migrations.pre]
sql          = "db/pre"
database_url = "${DATABASE_URL}"

[migrations.post]
sql          = "db/post"
database_url = "${DATABASE_URL}"
after        = "0s"

[health]
http     = "http://127.0.0.1:${PORT}/healthz"
passes   = 2
interval = "200ms"
deadline = "3s"
"#;

const BUILD: &str = r#"#!/bin/sh
# Makes dist/ from src/: every page gets the version it is built as.
set -eu
mkdir -p dist/assets
for page in src/*.html; do
    echo "page $(basename "$page")"
    sed "s/@VERSION@/$POINTSMAN_RELEASE_LABEL/g; s/@COMMIT@/$POINTSMAN_COMMIT/g" "$page" > "dist/$(basename "$page")"
done
cp src/assets/* dist/assets/
echo "built $(find dist -type f | wc -l) files of $POINTSMAN_PROJECT $POINTSMAN_RELEASE_LABEL"
"#;

const STYLE: &str = "body { font: 18px sans-serif; max-width: 40em; margin: 4em auto; color: #123 }\n";

/// A version of the sample.
struct Version {
    tag: &'static str,
    subject: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const HISTORY: [Version; 3] = [
    Version {
        tag: "1.0.0",
        subject: "Open the shop",
        files: &[
            ("pointsman.toml", RECIPE),
            ("build.sh", BUILD),
            ("healthz", "ok\n"),
            ("src/assets/style.css", STYLE),
            (
                "db/pre/0001_orders.sql",
                "CREATE TABLE orders (id integer PRIMARY KEY, price integer NOT NULL);\nINSERT INTO orders VALUES (1, 10);\n",
            ),
            ("db/pre/0001_orders.down.sql", "DROP TABLE orders;\n"),
            (
                "db/post/0001_analyze.sql",
                "-- pointsman: no-transaction\nVACUUM ANALYZE orders;\n",
            ),
            (
                "db/post/0001_analyze.down.sql",
                "SELECT 'nothing to take back';\n",
            ),
            (
                "src/index.html",
                "<!doctype html><link rel=stylesheet href=assets/style.css>\n<h1>shop @VERSION@</h1>\n",
            ),
        ],
    },
    Version {
        tag: "1.1.0",
        subject: "Tell what we sell",
        files: &[
            (
                "src/index.html",
                "<!doctype html><link rel=stylesheet href=assets/style.css>\n<h1>shop @VERSION@</h1>\n<a href=offers.html>Offers</a>\n",
            ),
            (
                "src/offers.html",
                "<!doctype html><h1>Offers of @VERSION@</h1><ul><li>points<li>switches</ul>\n",
            ),
            (
                "db/pre/0002_cents.sql",
                "ALTER TABLE orders ADD cents bigint;\nUPDATE orders SET cents = price * 100;\n",
            ),
            ("db/pre/0002_cents.down.sql", "ALTER TABLE orders DROP cents;\n"),
            ("db/post/0002_drop_price.sql", "ALTER TABLE orders DROP price;\n"),
            (
                "db/post/0002_drop_price.down.sql",
                "ALTER TABLE orders ADD price integer;\nUPDATE orders SET price = cents / 100;\n",
            ),
        ],
    },
    Version {
        tag: "1.2.0",
        subject: "Move to the new cash desk",
        files: &[("healthz", "fail\n")],
    },
];

/// Makes the history with real git and mirrors it for the fleet.
pub(crate) async fn make(git: &CallersGit, place: &Place, name: &str) -> Result<PathBuf> {
    let work = place.path("sample");
    fs_err::create_dir(&work)?;
    git.run(&work, &["init", "--quiet", "--initial-branch=main"])
        .await?;
    // The caller's hooks and line endings have no say in the sample.
    let settings = [
        ("user.name", "Sample Author"),
        ("user.email", "author@example.org"),
        ("commit.gpgsign", "false"),
        ("core.hooksPath", "/dev/null"),
        ("core.autocrlf", "false"),
    ];
    for (key, value) in settings {
        git.run(&work, &["config", key, value]).await?;
    }
    for version in HISTORY {
        for (path, text) in version.files {
            let file = work.join(path);
            fs_err::create_dir_all(file.parent().unwrap_or(&work))?;
            fs_err::write(file, text)?;
        }
        git.run(&work, &["add", "--all"]).await?;
        git.run(&work, &["commit", "--quiet", "--message", version.subject])
            .await?;
        git.run(&work, &["tag", version.tag]).await?;
    }
    let mirror = git.mirror(place, &work.to_string_lossy(), name).await?;
    // The whole place belongs to its user, who removes it.
    place.run_as().own_tree(&work)?;
    Ok(mirror)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sample_is_a_real_history_that_builds() {
        let place = Place::temporary().unwrap();
        let git = CallersGit::new("git".into(), &place).unwrap();
        let mirror = make(&git, &place, "shop").await.unwrap();
        let shown = git.run(&mirror, &["log", "--format=%s", "1.2.0"]).await.unwrap();
        let shown = String::from_utf8(shown).unwrap();
        let subjects: Vec<&str> = HISTORY.iter().rev().map(|version| version.subject).collect();
        assert_eq!(shown.lines().collect::<Vec<_>>(), subjects);

        let work = place.path("sample");
        let built = std::process::Command::new("sh")
            .arg("build.sh")
            .current_dir(&work)
            .env("POINTSMAN_PROJECT", "shop")
            .env("POINTSMAN_RELEASE_LABEL", "1.2.0")
            .env("POINTSMAN_COMMIT", "0123456")
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        assert!(
            fs_err::read_to_string(work.join("dist/index.html"))
                .unwrap()
                .contains("shop 1.2.0")
        );
        fs_err::remove_dir_all(place.dir()).unwrap();
    }
}
