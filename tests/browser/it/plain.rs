//! Without any script: whoever can only follow links and send forms plans, deploys, and sees it go live.

use anyhow::{Context as _, Result, ensure};
use pointsman_sandbox::http;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::World;
use pointsman_tests::world::until;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response};

use crate::told::asserts;
use crate::world::{settled, world};

/// A browser that runs nothing: it keeps a cookie, reads pages and sends their forms.
struct Plain {
    client: Client,
    url: String,
    cookie: String,
}

impl Plain {
    async fn enters(world: &World) -> Result<Self> {
        let client = http::client(None);
        let url = world.sandbox.url().trim_end_matches('/').to_owned();
        let form = [("token", world.sandbox.token()), ("next", "/")];
        let there = format!("{url}/sign-in");
        let answer = client.post(there).header(ORIGIN, &url).form(&form).send().await?;
        let cookie = answer.headers().get(SET_COOKIE).context("it lets in")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, url, cookie })
    }

    async fn reads(&self, path: &str) -> Result<String> {
        let request = self.client.get(format!("{}{path}", self.url));
        let page = request.header(COOKIE, &self.cookie).send().await?;
        Ok(page.error_for_status()?.text().await?)
    }

    /// Sends a form of a page as it was drawn, with what was typed into it; gives where it leads.
    async fn presses(&self, page: &str, action: &str, typed: &[(&str, &str)]) -> Result<String> {
        let (_, form) = page
            .split_once(&format!("action=\"{action}\""))
            .with_context(|| format!("no form {action} in {page}"))?;
        let (form, _) = form.split_once("</form>").context("a form ends")?;
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
        let mut fields: Vec<(&str, &str)> = hidden
            .filter_map(|input| {
                let (name, rest) = input.split_once("\" value=\"")?;
                Some((name, rest.split('"').next()?))
            })
            .collect();
        ensure!(fields.iter().any(|(name, _)| *name == "proof"), "{form}");
        fields.extend(typed);
        let request = self.client.post(format!("{}{action}", self.url));
        let request = request.header(COOKIE, &self.cookie).header(ORIGIN, &self.url);
        leads(&request.form(&fields).send().await?)
    }
}

fn leads(answer: &Response) -> Result<String> {
    let to = answer.headers().get(LOCATION);
    let to = to.with_context(|| format!("it leads nowhere: {}", answer.status()))?;
    Ok(to.to_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_planned_and_deployed_without_scripts() -> Result<()> {
    let world = world().await?;
    settled(world).await?;
    let plain = Plain::enters(world).await?;
    let target = plain.reads("/t/shop@production").await?;
    let (before, _) = target.split_once(">1.0.0 ").context("1.0.0 can be chosen")?;
    let release = before
        .rsplit("value=\"")
        .next()
        .and_then(|rest| rest.split('"').next());
    let release = release.context("a choice has a value")?.replace("&#35;", "#");
    let plan = plain.presses(&target, "/plans", &[("release", &release)]).await?;
    let page = plain.reads(&plan).await?;
    ensure!(page.contains("1.1.0 →"), "{page}");
    let deployment = plain
        .presses(&page, &plan, &[("reason", "no scripts here")])
        .await?;
    let held = plain.reads(&deployment).await?;
    ensure!(
        held.contains("held") && held.contains("http-equiv=\"refresh\""),
        "{held}"
    );
    // The page loads itself again until it is over.
    let over = until("the page says that it is live", || async {
        let page = plain.reads(&deployment).await?;
        Ok((!page.contains("http-equiv=\"refresh\"")).then_some(page))
    })
    .await?;
    ensure!(over.contains("live"), "{over}");
    world.all_serve("1.0.0").await?;
    let number = deployment.trim_start_matches("/d/").parse()?;
    asserts(world, number, DeploymentState::Live, "deployment.request").await?;
    Ok(())
}
