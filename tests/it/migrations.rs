//! Migrations of the project's own database: before the switch, after it, back, and under `kill -9`.

use anyhow::{Result, ensure};
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::{Deployment, DeploymentState};
use pointsman_shared::api::jobs::{Job, JobState};
use pointsman_shared::api::migrations::{MigrationRun, Migrations};
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, shared, until};
use serde_json::{Value, json};

const MIGRATIONS: &str = r#"
[migrations.pre]
sql = "db/pre"
database_url = "${DATABASE_URL}"

[migrations.post]
sql = "db/post"
database_url = "${DATABASE_URL}"
after = "0s"
"#;

/// A fleet whose project has a database of its own.
async fn world_with_database(options: Options) -> Result<(World, String)> {
    let world = World::start_with(options).await?;
    let postgres = world.sandbox.services().postgres();
    let database = format!("{}_shop", world.sandbox.vhost());
    postgres.create_database(&database).await?;
    let url = postgres.url(&database);
    let recipe = RECIPE.replace("\"healthz\"]", "\"healthz\", \"db/**\"]");
    world.has_recipe(&format!("{recipe}{MIGRATIONS}"))?;
    world
        .has_target(json!({ "waves": ["1", "100%"], "on_failure": "rollback" }))
        .await?;
    world
        .applies(json!({ "variable": [{
            "scope": { "target": "shop@production" }, "name": "DATABASE_URL", "value": url,
        }] }))
        .await?;
    Ok((world, url))
}

async fn rows(url: &str, query: &'static str) -> Result<Vec<String>> {
    use sqlx::Connection as _;
    let mut conn = sqlx::PgConnection::connect(url).await?;
    Ok(sqlx::query_scalar(query).fetch_all(&mut conn).await?)
}

async fn asks(world: &World, wish: Value) -> Result<Job> {
    let run: MigrationRun = world.api.post("targets/shop@production/migrations", wish).await?;
    over(world, run.job).await
}

async fn over(world: &World, number: i64) -> Result<Job> {
    until(&format!("job {number} is over"), || async {
        let Ok(job) = world.api.get::<Job>(&format!("jobs/{number}")).await else {
            return Ok(None);
        };
        Ok(job.state.is_final().then_some(job))
    })
    .await
}

/// `phase name state` of everything that is known.
async fn ledger(world: &World) -> Result<Vec<String>> {
    let known: Migrations = world.api.get("targets/shop@production/migrations").await?;
    let line = |item: &pointsman_shared::api::migrations::Migration| {
        let state = item.state.map_or("not read", |state| state.as_str());
        format!("{} {} {state}", item.phase, item.name)
    };
    Ok(known.items.iter().map(line).collect())
}

/// 1.0.0 with one pre-migration and one post-migration, 1.1.0 with another pair that has a way back.
async fn has_two_versions(world: &World) -> Result<()> {
    world
        .repository
        .write(
            "db/pre/0001_orders.sql",
            "CREATE TABLE orders (id int, price int);",
        )?
        .write("db/post/0001_seed.sql", "INSERT INTO orders VALUES (1, 10);")?;
    world.has_version("1.0.0", "ok")?;
    world
        .repository
        .write("db/pre/0002_cents.sql", "ALTER TABLE orders ADD cents int;")?
        .write("db/pre/0002_cents.down.sql", "ALTER TABLE orders DROP cents;")?
        .write("db/post/0002_drop.sql", "ALTER TABLE orders DROP price;")?
        .write("db/post/0002_drop.down.sql", "ALTER TABLE orders ADD price int;")?;
    world.has_version("1.1.0", "ok")?;
    for tag in ["1.0.0", "1.1.0"] {
        world.builds(tag).await?;
        let deployment = world.deploys(tag).await?;
        ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
        let jobs = world.jobs(deployment.number).await?;
        let runs: Vec<_> = jobs.iter().filter(|job| job.kind.as_str() == "migrate").collect();
        ensure!(runs.len() == 1, "one run on one host: {runs:#?}");
        let log = world.log(runs[0].number).await?;
        ensure!(log.contains("1 to apply") && log.contains("applied in"), "{log}");
    }
    Ok(())
}

const COLUMNS: &str =
    "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_post_migration_forbids_the_way_back_until_it_is_reverted() -> Result<()> {
    let (world, url) = world_with_database(shared().await?).await?;
    has_two_versions(&world).await?;
    let job = asks(&world, json!({ "phase": "post", "mode": "apply" })).await?;
    ensure!(job.state == JobState::Succeeded, "{job:#?}");
    assert_eq!(
        ledger(&world).await?,
        [
            "pre 0001_orders applied",
            "pre 0002_cents applied",
            "post 0001_seed applied",
            "post 0002_drop applied"
        ]
    );
    assert_eq!(rows(&url, COLUMNS).await?, ["cents", "id"]);
    let refused = world
        .api
        .try_post::<Deployment>("rollbacks", json!({ "target": "shop@production" }))
        .await?
        .err();
    ensure!(
        refused
            .as_ref()
            .is_some_and(|refused| refused.0.title.contains("0002_drop")),
        "{refused:?}"
    );
    let reverted = json!({ "phase": "post", "mode": "revert", "migration": "0002_drop" });
    let job = asks(&world, reverted).await?;
    ensure!(job.state == JobState::Succeeded, "{job:#?}");
    let back = world.rolls_back().await?;
    ensure!(
        back.state == DeploymentState::Live && back.release.as_str() == "1.0.0",
        "{back:#?}"
    );
    world.all_serve("1.0.0").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pre_migration_that_fails_ends_it_before_any_host_switches() -> Result<()> {
    let (world, url) = world_with_database(shared().await?).await?;
    has_two_versions(&world).await?;
    let broken = "ALTER TABLE orders ADD x int;\nALTER TABLE oders ADD y int;";
    world.repository.write("db/pre/0003_broken.sql", broken)?;
    world.has_version("1.2.0", "ok")?;
    world.builds("1.2.0").await?;
    let failed = world.deploys("1.2.0").await?;
    ensure!(failed.state == DeploymentState::Failed, "{failed:#?}");
    let reason = failed.reason.unwrap_or_default();
    ensure!(
        reason.contains("0003_broken.sql") && reason.ends_with("no host had switched"),
        "{reason}"
    );
    world.all_serve("1.1.0").await?;
    assert_eq!(
        rows(&url, COLUMNS).await?,
        ["cents", "id", "price"],
        "all of it or nothing"
    );
    Ok(())
}

/// A deployment whose migration is at work in the database, and the host that runs it.
async fn at_work(world: &World, url: &str) -> Result<(Deployment, String)> {
    world.repository.write(
        "db/pre/0001_orders.sql",
        "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1); SELECT pg_sleep(4);",
    )?;
    world.repository.write("db/post/0001_none.sql", "SELECT 1;")?;
    world.has_version("1.0.0", "ok")?;
    world.builds("1.0.0").await?;
    let deployment = world.starts_deploy("1.0.0").await?;
    let sleeping =
        "SELECT query FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()";
    until("the migration is at work", || async {
        Ok((!rows(url, sleeping).await?.is_empty()).then_some(()))
    })
    .await?;
    let jobs = world.jobs(deployment.number).await?;
    let run = jobs.into_iter().find(|job| job.kind.as_str() == "migrate");
    let host = run.and_then(|run| run.host).map(|host| host.to_string());
    Ok((deployment, host.unwrap_or_default()))
}

/// It was applied once, whoever died.
async fn applied_once(world: &World, url: &str, number: i64) -> Result<()> {
    let deployment = world
        .deployment_is(number, "live or waiting for a person", |deployment| {
            deployment.state.is_final() || deployment.state == DeploymentState::Paused
        })
        .await?;
    if deployment.state != DeploymentState::Live {
        // The run was lost before its end, and the ledger says so; another deployment finishes it.
        ensure!(
            deployment
                .reason
                .as_ref()
                .is_some_and(|reason| reason.contains("the ledger says")),
            "{deployment:#?}"
        );
        let again = world.deploys("1.0.0").await?;
        ensure!(again.state == DeploymentState::Live, "{again:#?}");
    }
    world.all_serve("1.0.0").await?;
    assert_eq!(rows(url, "SELECT id::text FROM orders").await?, ["1"]);
    let runs = "SELECT name FROM pointsman_migrations WHERE phase = 'pre' AND finished_at IS NOT NULL";
    assert_eq!(rows(url, runs).await?, ["0001_orders"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_in_the_middle_of_a_migration_leaves_no_guess() -> Result<()> {
    let (world, url) = world_with_database(shared().await?).await?;
    let (deployment, host) = at_work(&world, &url).await?;
    world.sandbox.host(&host)?.kill_agent().await?;
    until("its effect is unknown", || async {
        let jobs = world.jobs(deployment.number).await?;
        Ok(jobs
            .iter()
            .any(|job| {
                job.state == JobState::Indeterminate
                    || (job.kind.as_str() == "migrate" && job.state.is_final())
            })
            .then_some(()))
    })
    .await?;
    world.sandbox.host(&host)?.start_agent().await?;
    applied_once(&world, &url, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_agent_is_not_overtaken_while_it_holds_the_ledger() -> Result<()> {
    let (world, url) = world_with_database(shared().await?).await?;
    let (deployment, host) = at_work(&world, &url).await?;
    let agent = world.sandbox.host(&host)?.agent();
    agent.freeze()?;
    until("its effect is unknown", || async {
        let jobs = world.jobs(deployment.number).await?;
        Ok(jobs
            .iter()
            .any(|job| job.state == JobState::Indeterminate)
            .then_some(()))
    })
    .await?;
    agent.thaw()?;
    applied_once(&world, &url, deployment.number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_meanwhile_is_not_missed() -> Result<()> {
    let (world, url) = world_with_database(Options::for_testing()).await?;
    let (deployment, _) = at_work(&world, &url).await?;
    world.sandbox.services().rabbitmq().kill().await?;
    world.sandbox.services().rabbitmq().restart().await?;
    applied_once(&world, &url, deployment.number).await
}
