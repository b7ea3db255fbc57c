//! Migrations of a project's own database: once, in order, and none after one that failed, whoever dies meanwhile.

use pointsman_agent::executor::Execution;
use pointsman_shared::digest::Digest;
use pointsman_shared::outcome::{Effect, Outcome};
use serde_json::{Value, json};

use crate::actor::{Act, dies_doing};
use crate::database::Database;
use crate::machine::{Machine, Release, failure};
use crate::world::placement;

mod endings;
mod tool;

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

/// A machine with one installed release that has these scripts in `db/pre`.
async fn machine_with(scripts: &[(&str, &str)]) -> (Machine, Release) {
    let machine = Machine::new().await;
    let release = add_release(&machine, 1, scripts).await;
    (machine, release)
}

async fn add_release(machine: &Machine, number: u32, scripts: &[(&str, &str)]) -> Release {
    let tree = machine.folder.join(format!("scripts-{number}"));
    fs_err::create_dir_all(tree.join("db/pre")).unwrap();
    for (file, sql) in scripts {
        fs_err::write(tree.join("db/pre").join(file), sql).unwrap();
    }
    let release = machine.pack(number, &tree);
    machine.install(&release).await;
    release
}

fn order(machine: &Machine, release: &Release, mode: &str, url: &str) -> Value {
    json!({
        "kind": "migrate", "placement": placement(), "root": machine.root_path(), "release": ID,
        "folder": release.folder, "mode": mode, "phase": "pre", "migrations": [],
        "runner": { "runner": "sql", "folder": "db/pre", "database_url": url }, "log_stream": ID,
    })
}

/// The order about one migration.
fn about(mut order: Value, name: &str, sql: &str) -> Value {
    order["migrations"] = json!([{ "name": name, "checksum": Digest::of(sql.as_bytes()) }]);
    order
}

fn succeeded(execution: &Execution) {
    assert!(
        matches!(execution, Execution::Ended(Outcome::Succeeded { .. })),
        "{execution:?}"
    );
}

/// The newest ledger that was told, as `name state`.
fn told(machine: &Machine) -> Vec<String> {
    let ledgers = machine.desk.ledgers.lock().unwrap();
    let (_, entries) = ledgers.last().unwrap();
    entries
        .iter()
        .map(|entry| format!("{} {}", entry.name, entry.state.as_str()))
        .collect()
}

const ORDERS: &str = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);";
const PRICE: &str = "ALTER TABLE orders ADD price int;\nINSERT INTO orders VALUES (2, 10);";

#[tokio::test]
async fn they_are_applied_once_in_order_and_the_ledger_says_so() {
    let database = Database::new().await;
    let (machine, first) = machine_with(&[("0001_orders.sql", ORDERS)]).await;
    let second = add_release(
        &machine,
        2,
        &[("0001_orders.sql", ORDERS), ("0002_price.sql", PRICE)],
    )
    .await;
    for (number, release) in [(10, &first), (11, &first), (12, &second), (13, &second)] {
        let done = machine
            .perform(number, 1, &order(&machine, release, "apply", &database.url))
            .await;
        succeeded(&done);
    }
    assert_eq!(told(&machine), ["0001_orders applied", "0002_price applied"]);
    assert_eq!(
        database.texts("SELECT id::text FROM orders ORDER BY id").await,
        ["1", "2"]
    );
    // The older release knows only its own; what came after is not its own.
    succeeded(
        &machine
            .perform(14, 1, &order(&machine, &first, "list", &database.url))
            .await,
    );
    let ledgers = machine.desk.ledgers.lock().unwrap();
    let own: Vec<_> = ledgers.last().unwrap().1.iter().map(|entry| entry.own).collect();
    assert_eq!(own, [true, false]);
}

#[tokio::test]
async fn the_first_failure_stops_them_and_names_its_line() {
    let database = Database::new().await;
    let broken = "ALTER TABLE orders ADD size int;\nALTER TABLE oders ADD colour int;";
    let scripts = [
        ("0001_orders.sql", ORDERS),
        ("0002_broken.sql", broken),
        ("0003_price.sql", PRICE),
    ];
    let (machine, release) = machine_with(&scripts).await;
    let done = machine
        .perform(10, 1, &order(&machine, &release, "apply", &database.url))
        .await;
    let (code, message) = failure(&done);
    assert_eq!(code, "migration_failed");
    assert_eq!(
        message,
        "0002_broken.sql: relation \"oders\" does not exist (SQLSTATE 42P01)"
    );
    assert!(matches!(
        done,
        Execution::Ended(Outcome::Failed {
            effect: Effect::Done,
            ..
        })
    ));
    assert_eq!(
        told(&machine),
        ["0001_orders applied", "0002_broken pending", "0003_price pending"]
    );
    let columns = "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'orders'";
    assert_eq!(database.texts(columns).await, ["id"], "all of it or nothing");
}

#[tokio::test]
async fn an_agent_that_dies_in_the_middle_leaves_no_guess() {
    let database = Database::new().await;
    let (machine, release) = machine_with(&[("0001_orders.sql", ORDERS)]).await;
    let act = Act {
        job: 10,
        epoch: 1,
        order: order(&machine, &release, "apply", &database.url),
    };
    let machine = machine.while_away(|folder| assert!(dies_doing(folder, &act, "C19")));
    let looked = machine
        .perform(11, 1, &order(&machine, &release, "list", &database.url))
        .await;
    succeeded(&looked);
    assert_eq!(told(&machine), ["0001_orders pending"]);
    succeeded(&machine.perform(12, 1, &act.order).await);
    assert_eq!(database.texts("SELECT id::text FROM orders").await, ["1"]);
}

#[tokio::test]
async fn one_outside_a_transaction_that_died_waits_for_a_person() {
    let database = Database::new().await;
    let index =
        "-- pointsman: no-transaction\nCREATE INDEX CONCURRENTLY by_id ON orders (id);\nVACUUM orders;";
    let scripts = [("0001_orders.sql", ORDERS), ("0002_index.sql", index)];
    let (machine, release) = machine_with(&scripts).await;
    let apply = order(&machine, &release, "apply", &database.url);
    let act = Act {
        job: 10,
        epoch: 1,
        order: apply.clone(),
    };
    let machine = machine.while_away(|folder| assert!(dies_doing(folder, &act, "C19:2")));
    let done = machine.perform(11, 1, &apply).await;
    assert_eq!(failure(&done).0, "migration_indeterminate");
    assert_eq!(
        told(&machine),
        ["0001_orders applied", "0002_index indeterminate"]
    );

    let mark = |mode| {
        about(
            order(&machine, &release, mode, &database.url),
            "0002_index",
            index,
        )
    };
    succeeded(&machine.perform(12, 1, &mark("mark_pending")).await);
    succeeded(&machine.perform(13, 1, &apply).await);
    assert_eq!(told(&machine), ["0001_orders applied", "0002_index applied"]);
    assert_eq!(
        database
            .texts("SELECT indexname::text FROM pg_indexes WHERE tablename = 'orders'")
            .await,
        ["by_id"]
    );
    let settled = machine.perform(14, 1, &mark("mark_applied")).await;
    assert_eq!(failure(&settled).0, "not_indeterminate");
}

#[tokio::test]
async fn two_at_once_apply_each_one_once() {
    let database = Database::new().await;
    let slow = "SELECT pg_sleep(0.5); CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);";
    let (machine, release) = machine_with(&[("0001_orders.sql", slow)]).await;
    let apply = order(&machine, &release, "apply", &database.url);
    let (one, other) = tokio::join!(machine.perform(10, 1, &apply), machine.perform(11, 1, &apply));
    // Whoever came second found it applied, or found itself overtaken.
    for execution in [&one, &other] {
        if !matches!(execution, Execution::Ended(Outcome::Succeeded { .. })) {
            assert_eq!(failure(execution).0, "overtaken");
        }
    }
    assert_eq!(database.texts("SELECT id::text FROM orders").await, ["1"]);
}

#[tokio::test]
async fn a_job_that_was_overtaken_touches_nothing() {
    let database = Database::new().await;
    let (machine, release) = machine_with(&[("0001_orders.sql", ORDERS)]).await;
    succeeded(
        &machine
            .perform(20, 1, &order(&machine, &release, "list", &database.url))
            .await,
    );
    let late = machine
        .perform(19, 1, &order(&machine, &release, "apply", &database.url))
        .await;
    assert_eq!(
        failure(&late),
        (
            "overtaken",
            "job #20 was at this ledger since; job #19 is over and did nothing"
        )
    );
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_name = 'orders'";
    assert!(database.texts(tables).await.is_empty());
}

#[tokio::test]
async fn the_newest_one_is_taken_back_where_there_is_a_way() {
    let database = Database::new().await;
    let back = "ALTER TABLE orders DROP price;";
    let scripts = [
        ("0001_orders.sql", ORDERS),
        ("0002_price.sql", PRICE),
        ("0002_price.down.sql", back),
    ];
    let (machine, release) = machine_with(&scripts).await;
    succeeded(
        &machine
            .perform(10, 1, &order(&machine, &release, "apply", &database.url))
            .await,
    );
    let revert = |name, sql| about(order(&machine, &release, "revert", &database.url), name, sql);
    let done = machine.perform(11, 1, &revert("0001_orders", ORDERS)).await;
    assert_eq!(failure(&done).0, "not_newest");
    succeeded(&machine.perform(12, 1, &revert("0002_price", PRICE)).await);
    assert_eq!(told(&machine), ["0001_orders applied", "0002_price pending"]);
    let done = machine.perform(13, 1, &revert("0001_orders", ORDERS)).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "no_way_back");
    assert!(message.contains("no 0001_orders.down.sql"), "{message}");
}

#[tokio::test]
async fn what_would_make_the_ledger_lie_is_refused() {
    let database = Database::new().await;
    let (machine, release) = machine_with(&[("0001_orders.sql", ORDERS)]).await;
    succeeded(
        &machine
            .perform(10, 1, &order(&machine, &release, "apply", &database.url))
            .await,
    );
    let changed = add_release(&machine, 2, &[("0001_orders.sql", "SELECT 1;")]).await;
    let done = machine
        .perform(11, 1, &order(&machine, &changed, "apply", &database.url))
        .await;
    assert_eq!(failure(&done).0, "migration_changed");

    let ends = "CREATE TABLE a (x int); COMMIT; CREATE TABLE b (x int);";
    let scripts = [("0001_orders.sql", ORDERS), ("0002_ends.sql", ends)];
    let sly = add_release(&machine, 3, &scripts).await;
    let done = machine
        .perform(12, 1, &order(&machine, &sly, "apply", &database.url))
        .await;
    assert_eq!(failure(&done).0, "migration_ends_transaction");
    assert_eq!(told(&machine), ["0001_orders applied", "0002_ends indeterminate"]);

    let clear = about(
        order(&machine, &sly, "mark_pending", &database.url),
        "0002_ends",
        ends,
    );
    succeeded(&machine.perform(15, 1, &clear).await);
    let open = "-- pointsman: no-transaction\nCREATE TABLE c (x int);\nBEGIN;\nCREATE TABLE d (x int);";
    let scripts = [("0001_orders.sql", ORDERS), ("0002_open.sql", open)];
    let sly = add_release(&machine, 5, &scripts).await;
    let done = machine
        .perform(16, 1, &order(&machine, &sly, "apply", &database.url))
        .await;
    assert_eq!(failure(&done).0, "migration_leaves_transaction");
    assert_eq!(told(&machine), ["0001_orders applied", "0002_open indeterminate"]);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_name IN ('c', 'd')";
    assert_eq!(database.texts(tables).await, ["c"]);

    let unnumbered = add_release(&machine, 4, &[("add_price.sql", PRICE)]).await;
    let done = machine
        .perform(17, 1, &order(&machine, &unnumbered, "list", &database.url))
        .await;
    assert_eq!(failure(&done).0, "migration_unnumbered");
    let nowhere = order(&machine, &release, "list", "postgres://nobody@127.0.0.1:1/none");
    assert_eq!(
        failure(&machine.perform(18, 1, &nowhere).await).0,
        "database_unreachable"
    );
}

#[tokio::test]
async fn a_script_cannot_hide_the_ledger_or_keep_its_own_settings() {
    let database = Database::new().await;
    let sly = "SET search_path = ''; SET ROLE postgres_of_nowhere;";
    let hides = "CREATE SCHEMA other; SET search_path = other; CREATE TABLE kept (x int);";
    let after = "CREATE TABLE plain (x int);";
    let scripts = [("0001_hides.sql", hides), ("0002_after.sql", after)];
    let (machine, release) = machine_with(&scripts).await;
    succeeded(
        &machine
            .perform(10, 1, &order(&machine, &release, "apply", &database.url))
            .await,
    );
    let schemas = "SELECT table_schema::text FROM information_schema.tables \
                   WHERE table_name IN ('kept', 'plain', 'pointsman_migrations') ORDER BY table_name";
    assert_eq!(database.texts(schemas).await, ["other", "public", "public"]);
    let failing = add_release(&machine, 2, &[("0003_sly.sql", sly)]).await;
    let done = machine
        .perform(11, 1, &order(&machine, &failing, "apply", &database.url))
        .await;
    assert_eq!(failure(&done).0, "migration_failed");
}
