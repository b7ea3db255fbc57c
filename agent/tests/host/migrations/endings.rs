//! What stops a run, and what does not.

use std::time::Duration;

use pointsman_agent::executor::{Execution, execute};
use pointsman_agent::lease::{BootInstant, lease};
use pointsman_shared::outcome::Effect;

use super::{ORDERS, PRICE, add_release, machine_with, order, succeeded, told};
use crate::database::Database;
use crate::machine::{Machine, failure};

#[tokio::test]
async fn a_cancel_is_heard_between_two_and_a_lost_lease_only_before_the_first() {
    let database = Database::new().await;
    let slow = "SELECT pg_sleep(1);";
    let scripts = [("0001_slow.sql", slow), ("0002_orders.sql", ORDERS)];
    let (machine, release) = machine_with(&scripts).await;
    let apply = order(&machine, &release, "apply", &database.url);

    let (_keeper, over) = lease(BootInstant::now());
    let done = execute(&machine.job(Machine::body(9, &apply), 1, over)).await;
    assert!(
        matches!(done, Execution::LeaseLost { effect: Effect::None }),
        "{done:?}"
    );

    let (keeper, held) = lease(BootInstant::now().plus(Duration::from_mins(1)));
    let job = machine.job(Machine::body(10, &apply), 1, held);
    let (done, ()) = tokio::join!(execute(&job), async {
        database_until(&database, "SELECT pid::text FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1)%' AND pid <> pg_backend_pid()").await;
        keeper.cancel("not now".to_owned());
    });
    let (code, message) = failure(&done);
    assert_eq!(
        (code, message),
        (
            "cancelled",
            "cancelled before 0002_orders: not now; what was applied stays"
        )
    );
    assert_eq!(told(&machine), ["0001_slow applied", "0002_orders pending"]);

    let (keeper, held) = lease(BootInstant::now().plus(Duration::from_mins(1)));
    let slower = [
        ("0001_slow.sql", slow),
        ("0002_orders.sql", ORDERS),
        ("0003_slow.sql", "SELECT pg_sleep(1.1);"),
        ("0004_price.sql", PRICE),
    ];
    let release = add_release(&machine, 2, &slower).await;
    let job = machine.job(
        Machine::body(11, &order(&machine, &release, "apply", &database.url)),
        1,
        held,
    );
    let (done, ()) = tokio::join!(execute(&job), async {
        database_until(&database, "SELECT pid::text FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1.1)%' AND pid <> pg_backend_pid()").await;
        keeper.lose();
    });
    succeeded(&done);
}

async fn database_until(database: &Database, query: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while database.texts(query).await.is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "never: {query}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_ends_in_what_the_ledger_says() {
    let database = Database::new().await;
    let (machine, release) = machine_with(&[
        ("0001_orders.sql", ORDERS),
        ("0002_cut.sql", "SELECT pg_terminate_backend(pg_backend_pid());"),
    ])
    .await;
    let done = machine
        .perform(10, 1, &order(&machine, &release, "apply", &database.url))
        .await;
    let (code, message) = failure(&done);
    assert!(
        ["database_lost", "migration_failed"].contains(&code),
        "{code}: {message}"
    );
    assert_eq!(told(&machine), ["0001_orders applied", "0002_cut pending"]);
    database.run("SELECT 1 FROM orders").await;
}
