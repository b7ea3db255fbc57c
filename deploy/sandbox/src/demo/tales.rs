//! The two stories: the sample's, and that of a repository of the reader.

use std::path::Path;

use pointsman_sandbox::{Error, InventedPast, Result};
use serde_json::json;

use super::read_back::shared_word;
use super::sample;
use super::story::{Halt, Telling, Wanted};
use super::tree::{self, TreeEntry};

/// Exit code of a deployment that failed and was rolled back.
const ROLLED_BACK: i32 = 8;
/// What `--seed-history` invents: at the pace of the sample, whose build takes less than a second.
const PAST: InventedPast = InventedPast {
    days: 90,
    releases: 120,
    pace: 0.04,
    live: false,
};
/// Exit code of a wish that a rule refuses.
const REFUSED: i32 = 5;

impl Telling<'_> {
    /// Two versions go live, a broken one rolls itself back, the first comes back by hand.
    pub(super) async fn sample(&mut self) -> Result<(), Halt> {
        let (stage, project) = (self.stage, self.stage.project);
        let mirror = sample::make(&stage.git, stage.sandbox.place(), project).await?;
        let sentence = "a git repository with 1.0.0, 1.1.0 and 1.2.0, which is broken on purpose";
        stage.narrator.say("sample", sentence);
        self.put_shared_files()?;
        // One host first: it is the one that finds out about a broken release.
        let database = format!("{project}_data");
        let postgres = stage.sandbox.services().postgres();
        postgres.create_database(&database).await?;
        let variables = json!([{
            "scope": { "target": self.target }, "name": "DATABASE_URL", "value": postgres.url(&database), "secret": true,
        }]);
        self.describe_project(&mirror, &["1", "100%"], &variables).await?;

        let target = self.target.clone();
        self.step(
            &["build", project, "--ref", "1.0.0", "--follow"],
            Wanted::step("build 1.0.0"),
        )
        .await?;
        let live = Wanted::step("deploy 1.0.0").shows("1.0.0").says("shop 1.0.0");
        self.step(&["deploy", &target, "1.0.0"], live).await?;
        self.write_guestbooks()?;
        let live = Wanted::step("deploy 1.1.0").shows("1.1.0").says("shop 1.1.0");
        self.step(&["deploy", &target, "1.1.0", "--build"], live).await?;
        self.read_guestbooks()?;
        self.migrate().await?;

        let sentence = "1.2.0, whose health check fails: the first host finds out, and is rolled back";
        stage.narrator.say("now", sentence);
        let broken = Wanted::step("deploy the broken 1.2.0").exits(ROLLED_BACK);
        let broken = broken.shows("1.1.0").says("shop 1.1.0");
        self.step(&["deploy", &target, "1.2.0", "--build"], broken)
            .await?;
        let back = Wanted::step("roll back by hand")
            .shows("1.0.0")
            .says("shop 1.0.0");
        self.step(&["rollback", &target], back).await
    }

    /// The old column goes, and with it the way back, until it is there again.
    async fn migrate(&mut self) -> Result<(), Halt> {
        let target = self.target.clone();
        let sentence =
            "the column that only 1.0.0 needs is dropped, which closes the way back until it is reverted";
        self.stage.narrator.say("now", sentence);
        self.step(
            &["migrations", "apply", &target, "--phase", "post"],
            Wanted::step("apply post-migrations"),
        )
        .await?;
        let refused = Wanted::step("a rollback is refused by the migration's name").exits(REFUSED);
        self.step(&["rollback", &target], refused).await?;
        let revert = [
            "migrations",
            "revert",
            &target,
            "0002_drop_price",
            "--phase",
            "post",
        ];
        self.step(&revert, Wanted::step("revert the migration")).await
    }

    /// Builds a repository as it is and puts it on every host.
    pub(super) async fn repository(&mut self, source: &str, reference: Option<&str>) -> Result<(), Halt> {
        let (stage, project) = (self.stage, self.stage.project);
        let mirror = stage.git.mirror(stage.sandbox.place(), source, project).await?;
        stage.narrator.say("mirrored", source);
        self.describe_project(&mirror, &["100%"], &json!([])).await?;
        let mut build = vec!["build", project, "--follow"];
        build.extend(reference.iter().flat_map(|reference| ["--ref", reference]));
        self.step(&build, Wanted::step("build")).await?;

        let release = self.release("#1").await?;
        let entries = tree::entries(&stage.git, &mirror, &release.commit).await?;
        // With a recipe the build decides what the release is; without one, git does.
        let has_recipe = entries.iter().any(TreeEntry::is_recipe);
        let live = Wanted::step("deploy")
            .shows("#1")
            .equals((!has_recipe).then_some(entries.as_slice()));
        let target = self.target.clone();
        self.step(&["deploy", &target, "#1"], live).await
    }

    /// The operator's part on a host, before the first deployment: the files that releases share.
    fn put_shared_files(&self) -> Result<()> {
        let place = self.stage.sandbox.place();
        for host in self.stage.sandbox.web_hosts() {
            let root = host.root(self.stage.project);
            let below = root.strip_prefix(place.dir()).unwrap_or(&root);
            place.folder(below.join("shared"))?;
            place.write(below.join("shared/.env"), b"CURRENCY=EUR\n", 0o640)?;
        }
        Ok(())
    }

    async fn describe_project(
        &mut self,
        mirror: &Path,
        waves: &[&str],
        variables: &serde_json::Value,
    ) -> Result<(), Halt> {
        let (project, sandbox) = (self.stage.project, self.stage.sandbox);
        let document = json!({
            "project": [{ "name": project, "repository": format!("file://{}", mirror.display()) }],
            "environment": [{ "name": "production", "position": 10 }],
            "target": [{
                "project": project,
                "environment": "production",
                "hosts": { "role": "web" },
                "root": sandbox.target_root(project),
                "strategy": { "waves": waves, "on_failure": "rollback" },
            }],
            "variable": variables,
        });
        let text = toml::to_string(&document)
            .map_err(|error| Error::Unexpected(format!("the project cannot be described: {error}")))?;
        let file = sandbox
            .place()
            .write(format!("{project}.toml"), text.as_bytes(), 0o644)?;
        self.step(
            &["apply", "-f", &file.to_string_lossy()],
            Wanted::step("describe the project"),
        )
        .await?;
        if self.stage.seed_history {
            self.stage.sandbox.invent_past(PAST).await?;
            let sentence = "ninety days of deployments, all of releases that are pruned by now";
            self.stage.narrator.say("invented", sentence);
        }
        Ok(())
    }

    fn write_guestbooks(&self) -> Result<()> {
        for host in self.stage.sandbox.web_hosts() {
            let word = format!("written through 1.0.0 on {}\n", host.id());
            shared_word(&host.root(self.stage.project), Some(&word))?;
        }
        Ok(())
    }

    fn read_guestbooks(&self) -> Result<()> {
        for host in self.stage.sandbox.web_hosts() {
            let word = shared_word(&host.root(self.stage.project), None)?;
            let sentence = format!("{:<6}  storage/guestbook.txt: {}", host.id(), word.trim());
            self.stage.narrator.say("shared", &sentence);
        }
        Ok(())
    }
}
