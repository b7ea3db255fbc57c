//! Repositories on servers: https with a private CA and a password, ssh with keys. Coordinator and builder fetch from
//! them; what is missing is told with what to do.

use anyhow::{Result, ensure};
use pointsman_sandbox::Options;
use pointsman_sandbox::authority::Authority;
use pointsman_shared::api::Problem;
use pointsman_shared::api::deploy_keys::DeployKey;
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_tests::git_server::{HttpsServer, SshServer};
use pointsman_tests::world::{shared, until};
use pointsman_tests::{Refused, World};
use serde_json::{Value, json};

/// `ann:secret`
const AUTHORIZATION: &str = "Basic YW5uOnNlY3JldA==";

/// A coordinator and a builder that may reach loopback; no host.
async fn workshop() -> Result<World> {
    let world = World::start_with(Options {
        hosts: 0,
        git_hosts: vec!["127.0.0.1".to_owned()],
        ..shared().await?
    })
    .await?;
    world.has_three_versions()?;
    Ok(world)
}

/// Makes a project of this repository.
async fn has_project(world: &World, name: &str, repository: &str) -> Result<()> {
    let project = json!({ "project": [{ "name": name, "repository": repository }] });
    world.applies(project).await.map(drop)
}

/// Puts a file of the operator where coordinator and builder look for it.
fn operator_has(world: &World, file: &str, text: &str) -> Result<()> {
    let place = world.sandbox.place();
    place.write(format!("git/{file}"), text.as_bytes(), 0o600)?;
    Ok(())
}

/// Why a build of 1.0.0 was not even begun.
async fn refused(world: &World, project: &str) -> Result<Problem> {
    let path = format!("projects/{project}/releases");
    let asked = world
        .api
        .try_post::<Value>(&path, json!({ "ref": "1.0.0" }))
        .await?;
    match asked {
        Ok(release) => anyhow::bail!("{project} can be read: {release}"),
        Err(Refused(problem)) => Ok(problem),
    }
}

async fn refused_with(world: &World, project: &str, advice: &str) -> Result<()> {
    let problem = refused(world, project).await?;
    ensure!(
        problem.code == "repository_unreachable"
            && problem.hint.as_ref().is_some_and(|hint| hint.contains(advice)),
        "{problem:#?}"
    );
    Ok(())
}

/// Builds 1.0.0: the coordinator resolves and reads the recipe, the builder checks out.
async fn is_built(world: &World, project: &str) -> Result<()> {
    let path = format!("projects/{project}/releases");
    let asked: Release = world.api.post(&path, json!({ "ref": "1.0.0" })).await?;
    let release = until("the build is over", || async {
        let path = format!("projects/{project}/releases/%23{}", asked.number);
        let release: Release = world.api.get(&path).await?;
        let is_open = matches!(release.state, ReleaseState::Queued | ReleaseState::Building);
        Ok((!is_open).then_some(release))
    })
    .await?;
    ensure!(release.state == ReleaseState::Built, "{release:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_come_from_servers_that_are_trusted_and_no_others() -> Result<()> {
    let world = workshop().await?;
    over_https(&world).await?;
    over_ssh(&world).await
}

async fn over_https(world: &World) -> Result<()> {
    let authority = Authority::new()?;
    let issued = authority.issue(&["127.0.0.1"])?;
    let folder = world.sandbox.dir().join("repositories");
    let server = HttpsServer::serve(folder, &issued, AUTHORIZATION).await?;
    has_project(world, "shop", &server.url("shop/.git")).await?;

    refused_with(world, "shop", "sslCAInfo").await?;
    let ca = world
        .sandbox
        .place()
        .write("git/ca.pem", authority.pem().as_bytes(), 0o644)?;
    let scope = format!("[http {:?}]\n\tsslCAInfo = {}\n", server.url(""), ca.display());
    operator_has(world, "operator.gitconfig", &scope)?;
    refused_with(world, "shop", "credentials").await?;
    let whole = format!("{scope}\textraHeader = Authorization: {AUTHORIZATION}\n");
    operator_has(world, "operator.gitconfig", &whole)?;
    is_built(world, "shop").await?;

    // Its certificate is for another name.
    let elsewhere = authority.issue(&["git.example.org"])?;
    let folder = world.sandbox.dir().join("repositories");
    let server = HttpsServer::serve(folder, &elsewhere, AUTHORIZATION).await?;
    has_project(world, "other", &server.url("shop/.git")).await?;
    let everywhere = format!("[http]\n\tsslCAInfo = {}\n", ca.display());
    operator_has(world, "operator.gitconfig", &everywhere)?;
    let problem = refused(world, "other").await?;
    ensure!(problem.code == "repository_unreachable", "{problem:#?}");
    Ok(())
}

async fn over_ssh(world: &World) -> Result<()> {
    let server = SshServer::start()?;
    server.holds(world.repository.folder(), "shop.git")?;
    has_project(world, "keys", &server.url("shop.git")).await?;

    refused_with(world, "keys", "put the server's host key into known_hosts").await?;
    // Another server answers under the address: its key is not the one that is known.
    let impostor = SshServer::start()?;
    let (line, other) = (server.known_hosts_line()?, impostor.known_hosts_line()?);
    let address = line.split(' ').next().unwrap_or_default();
    let key = other.split_once(' ').map(|(_, key)| key).unwrap_or_default();
    operator_has(world, "known_hosts", &format!("{address} {key}"))?;
    refused_with(world, "keys", "ask its administrator").await?;
    operator_has(world, "known_hosts", &line)?;
    refused_with(world, "keys", "put a private key into the file id").await?;
    operator_has(world, "id", &server.lets_in_a_new_key()?)?;
    is_built(world, "keys").await?;

    // The key of one project: the operator's is let in no more, and would not be asked.
    let key = server.lets_in_a_new_key()?;
    has_project(world, "own", &server.url("shop.git")).await?;
    refused_with(world, "own", "pointsman project key generate").await?;
    let wish = json!({ "private_key": key });
    let kept = world
        .api
        .try_put::<DeployKey>("projects/own/deploy-key", wish)
        .await?;
    let kept = kept.map_err(|Refused(problem)| anyhow::anyhow!("{problem:#?}"))?;
    ensure!(kept.fingerprint.starts_with("SHA256:"), "{kept:#?}");
    is_built(world, "own").await?;
    refused_with(world, "keys", "put a private key into the file id").await
}
