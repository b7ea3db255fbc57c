//! The audit trail: who may be asked about, and the proof that nobody changed it.

use pointsman_coordinator::operations::chain_audit;
use serde_json::{Value, json};

use crate::world::World;

/// A world in which some acts were done, and are chained.
async fn with_acts() -> World {
    let world = World::new().await;
    world.set_up_shop().await;
    let lock = json!({ "reason": "the audit of June" });
    world
        .admin()
        .put("targets/shop@production/lock", &lock)
        .await
        .expect(200);
    assert!(chain_audit::execute(&world.app).await.unwrap() > 3);
    world
}

async fn chain(world: &World) -> Value {
    world.admin().get("audit/chain").await.expect(200)
}

/// Changes what may only be added to, as somebody with the database's own rights could.
async fn tamper(world: &World, change: &str) {
    let mut tx = world.pool().begin().await.unwrap();
    for table in ["audit", "audit_chain"] {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "ALTER TABLE {table} DISABLE TRIGGER {table}_insert_only"
        )))
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    let done = sqlx::query(sqlx::AssertSqlSafe(change.to_owned()))
        .execute(&mut *tx)
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{change}");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn every_act_is_chained_once_and_the_chain_holds() {
    let world = with_acts().await;
    let found = chain(&world).await;
    assert_eq!(
        (&found["broken"], &found["unchained"]),
        (&Value::Null, &json!(0)),
        "{found}"
    );
    assert_eq!(chain_audit::execute(&world.app).await.unwrap(), 0);
    world
        .admin()
        .delete("targets/shop@production/lock")
        .await
        .expect(200);
    let waits = chain(&world).await;
    assert_eq!(
        (&waits["length"], &waits["unchained"]),
        (&found["length"], &json!(1))
    );
    // Two chainers at once: one of them finds nothing to do.
    let (one, other) = tokio::join!(chain_audit::execute(&world.app), chain_audit::execute(&world.app));
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    let longer = chain(&world).await;
    assert_eq!(
        longer["length"].as_u64(),
        found["length"].as_u64().map(|length| length + 1)
    );
    assert_ne!(longer["head"], found["head"]);
}

#[tokio::test]
async fn a_changed_row_is_named() {
    let world = with_acts().await;
    let whole = chain(&world).await;
    tamper(
        &world,
        "UPDATE audit SET object = 'shop@beta' WHERE action = 'target.lock'",
    )
    .await;
    let found = chain(&world).await;
    let number: i64 = sqlx::query_scalar("SELECT number FROM audit WHERE action = 'target.lock'")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(found["broken"]["number"], number, "{found}");
    assert_eq!(
        found["broken"]["what"],
        "what the row says is not what was chained"
    );
    assert!(found["length"].as_u64() < whole["length"].as_u64());
}

#[tokio::test]
async fn a_row_that_is_taken_out_leaves_a_gap() {
    let world = with_acts().await;
    tamper(&world, "DELETE FROM audit_chain WHERE position = 2").await;
    let found = chain(&world).await;
    assert_eq!(found["broken"]["position"], 3, "{found}");
    assert_eq!(found["broken"]["what"], "link 2 is missing: the next one is 3");
    assert_eq!(found["unchained"], 1);
}

#[tokio::test]
async fn the_trail_is_asked_by_who_what_and_when() {
    let world = with_acts().await;
    let deployer = world.person("deployer").await;
    deployer
        .put("stop", &json!({ "reason": "the cooling fails" }))
        .await
        .expect(200);
    let actions = async |query: &str| {
        let page = deployer.get(&format!("audit?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|act| act["action"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(actions("mine=true").await, ["stop.set"]);
    let me = deployer.get("whoami").await.expect(200)["name"]
        .as_str()
        .unwrap()
        .replace(' ', "%20");
    assert_eq!(actions(&format!("who={me}")).await, ["stop.set"]);
    assert_eq!(actions("what=target").await, ["target.lock", "target.create"]);
    assert_eq!(actions("what=target.lock").await, ["target.lock"]);
    assert_eq!(actions("what=targ").await, Vec::<String>::new());
    assert_eq!(actions("since=2100-01-01T00:00:00Z").await, Vec::<String>::new());
    deployer.get("audit?whom=me").await.refused(422);
}
