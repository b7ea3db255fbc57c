//! Hosts do not fill up: what nobody needs goes to the trash, what somebody needs stays, and a wish outruns a collection.

use anyhow::{Result, ensure};
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_shared::api::garbage::{Garbage, GarbageItem, Undone};
use pointsman_shared::api::jobs::Job;
use pointsman_tests::World;
use pointsman_tests::world::{RECIPE, until};
use serde_json::{Value, json};

/// Five versions went live one after the other; nothing is kept for its age, and one good release beside the others.
async fn world_with_history() -> Result<World> {
    let world = World::start().await?;
    world.has_recipe(RECIPE)?;
    for tag in ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"] {
        world.has_version(tag, "ok")?;
    }
    world
        .has_target(json!({ "waves": ["100%"], "on_failure": "hold" }))
        .await?;
    keeps(&world, 0).await?;
    for tag in ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"] {
        world.builds(tag).await?;
        let deployment = world.deploys(tag).await?;
        ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    }
    Ok(world)
}

async fn keeps(world: &World, keep: u32) -> Result<()> {
    let root = world.sandbox.target_root("shop");
    world
        .applies(json!({ "target": [{
            "project": "shop", "environment": "production", "hosts": { "role": "web" }, "root": root,
            "strategy": { "waves": ["100%"], "on_failure": "hold" },
            "retention": { "keep": keep, "min_age_hours": 0 },
        }] }))
        .await
        .map(drop)
}

async fn collect(world: &World, wish: Value) -> Result<Garbage> {
    world.api.post("garbage", wish).await
}

/// Labels of what goes from a host.
fn going(found: &Garbage, host: &str) -> Vec<String> {
    let here = |item: &&GarbageItem| item.host.as_str() == host && item.goes();
    let label = |item: &GarbageItem| item.release.as_ref().map(ToString::to_string).unwrap_or_default();
    found.items.iter().filter(here).map(label).collect()
}

async fn over(world: &World, jobs: &[i64]) -> Result<()> {
    for number in jobs {
        until(&format!("job {number} is over"), || async {
            let job: Job = world.api.get(&format!("jobs/{number}")).await?;
            Ok(job.state.is_final().then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Folders of releases on a host, and what lies in its trash.
fn lying(world: &World, host: &str) -> Result<(usize, usize)> {
    let root = world.sandbox.host(host)?.root("shop");
    let count = |name: &str| Ok::<_, anyhow::Error>(fs_err::read_dir(root.join(name))?.count());
    Ok((count("releases")?, count(".trash")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_needs_goes_and_comes_back_from_the_trash() -> Result<()> {
    let world = world_with_history().await?;
    let put = |pinned| json!({ "pinned": pinned, "reason": "the audit of June" });
    let pinned = world
        .api
        .try_put::<Value>("projects/shop/releases/1.0.0/pin", put(true))
        .await?;
    ensure!(pinned.is_ok(), "{pinned:?}");

    let plan = collect(&world, json!({ "dry_run": true })).await?;
    assert_eq!(going(&plan, "web-1"), ["1.1.0", "1.2.0"]);
    let why = |label: &str| {
        let of = |item: &&GarbageItem| {
            item.release
                .as_ref()
                .is_some_and(|release| release.as_str() == label)
        };
        plan.items.iter().find(of).and_then(|item| item.stays.clone())
    };
    assert_eq!(why("1.4.0").as_deref(), Some("live on this host"));
    assert_eq!(
        why("1.3.0").as_deref(),
        Some("previous good: a rollback goes there")
    );
    assert!(why("1.0.0").is_some_and(|why| why.contains("the audit of June")));
    assert_eq!(lying(&world, "web-1")?, (5, 0), "a plan changes nothing");

    // A folder that nobody made here is shown and never touched.
    let foreign = world
        .sandbox
        .host("web-2")?
        .root("shop")
        .join("releases/000099-aaaaaaaaaaaa");
    fs_err::create_dir(&foreign)?;
    let found = collect(&world, json!({ "target": "shop@production" })).await?;
    ensure!(found.left.is_empty(), "{:?}", found.left);
    over(&world, &found.jobs).await?;
    for host in ["web-1", "web-3"] {
        assert_eq!(lying(&world, host)?, (3, 2), "{host}");
    }
    ensure!(foreign.exists());
    world.all_serve("1.4.0").await?;

    let undone: Undone = world
        .api
        .post(
            "garbage/undo",
            json!({ "target": "shop@production", "release": "1.2.0" }),
        )
        .await?;
    assert_eq!(undone.hosts.len(), 3);
    until("it is back on every host", || async {
        let back = ["web-1", "web-2", "web-3"].map(|host| lying(&world, host));
        Ok(back
            .into_iter()
            .collect::<Result<Vec<_>>>()?
            .iter()
            .all(|(releases, trash)| *releases >= 4 && *trash == 1)
            .then_some(()))
    })
    .await?;
    let deployment = world.deploys("1.2.0").await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    world.all_serve("1.2.0").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_outruns_a_collection_and_a_killed_agent_finishes_it() -> Result<()> {
    let world = world_with_history().await?;
    // The agent of one host dies in the middle of its collection.
    let host = world.sandbox.host("web-3")?;
    host.kill_agent().await?;
    host.start_agent_with(&[("POINTSMAN_CRASH", "C18")]).await?;
    world.sandbox.until_seen(&["web-3"]).await?;
    let found = collect(&world, json!({ "project": "shop" })).await?;
    // Somebody wants what is just being collected.
    let deployment = world.starts_deploy("1.1.0").await?;
    until("the agent of web-3 died or was not asked", || async {
        let over = world.deployment(deployment.number).await?.state.is_final();
        Ok((!host.agent().is_running() || over).then_some(()))
    })
    .await?;
    if !host.agent().is_running() {
        host.start_agent().await?;
    }
    let deployment = world.ended(deployment.number).await?;
    ensure!(deployment.state == DeploymentState::Live, "{deployment:#?}");
    world.all_serve("1.1.0").await?;
    over(&world, &found.jobs).await?;
    for host in world.sandbox.web_hosts() {
        ensure!(world.current(host.id())?.is_some(), "{} lost its link", host.id());
    }
    Ok(())
}
