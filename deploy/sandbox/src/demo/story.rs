//! The story itself: what is done, in which order, and what must be seen after each step.

use std::path::PathBuf;

use pointsman_shared::api::releases::Release;

use super::command_line::{CommandLine, Ran};
use super::narrator::Narrator;
use super::read_back::{self, Expected};
use super::repository::CallersGit;
use super::sample;
use super::summary::{LiveRelease, Step, Summary};
use super::tree::{self, TreeEntry};
use pointsman_sandbox::Sandbox;
use pointsman_sandbox::{Error, Result};

/// Exit code of a deployment that failed and was rolled back.
const ROLLED_BACK: i32 = 8;

/// Which story is told.
#[derive(Debug, Clone)]
pub(crate) enum Tale {
    /// The sample shop: two versions, a broken one, a rollback by hand.
    Sample,
    /// A repository of the reader: built and deployed.
    Repository {
        /// Folder or address.
        source: String,
        /// The ref to build; the default branch when absent.
        reference: Option<String>,
    },
}

/// Where the story plays.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// The running fleet.
    pub(crate) sandbox: &'a Sandbox,
    /// Its project, for which every host has a web server.
    pub(crate) project: &'a str,
    /// The `pointsman` command.
    pub(crate) program: PathBuf,
    /// The git program.
    pub(crate) git: CallersGit,
    /// The voice.
    pub(crate) narrator: Narrator,
}

/// A step's expectations.
#[derive(Default)]
struct Wanted<'a> {
    name: &'a str,
    exit: i32,
    /// The release that must be live on every host afterwards, by its label or number.
    live: Option<&'a str>,
    page: Option<&'a str>,
    tree: Option<&'a [TreeEntry]>,
}

struct Telling<'a> {
    stage: &'a Stage<'a>,
    commands: CommandLine,
    target: String,
    steps: Vec<Step>,
}

/// Tells the tale. An error is a failure of the demo's own; what the fleet did wrong stands in the summary.
pub(crate) async fn tell(stage: &Stage<'_>, tale: &Tale) -> Result<Summary> {
    let up_ms = stage.narrator.elapsed_ms();
    let commands = CommandLine {
        program: stage.program.clone(),
        url: stage.sandbox.url(),
        token: stage.sandbox.token().to_owned(),
        home: stage.sandbox.place().path("home"),
        narrator: stage.narrator.clone(),
    };
    let target = format!("{}@production", stage.project);
    let mut telling = Telling {
        stage,
        commands,
        target,
        steps: Vec::new(),
    };
    let repository = match tale {
        Tale::Sample => telling.sample().await?,
        Tale::Repository { source, reference } => telling.repository(source, reference.as_deref()).await?,
    };
    let steps = telling.steps;
    Ok(Summary {
        ok: steps.iter().all(|step| step.ok),
        project: stage.project.to_owned(),
        repository,
        up_ms,
        story_ms: stage.narrator.elapsed_ms().saturating_sub(up_ms),
        steps,
    })
}

impl Telling<'_> {
    async fn sample(&mut self) -> Result<String> {
        let (stage, project) = (self.stage, self.stage.project);
        let mirror = sample::make(&stage.git, stage.sandbox.place(), project).await?;
        stage.narrator.say(
            "sample",
            "a git repository with 1.0.0, 1.1.0 and 1.2.0, which is broken on purpose",
        );
        self.operators_part()?;
        self.describe_project(&mirror, r#"["1", "100%"]"#).await?;
        let target = self.target.clone();

        let build = ["build", project, "--ref", "1.0.0", "--follow"];
        self.step(
            &build,
            Wanted {
                name: "build 1.0.0",
                ..Wanted::default()
            },
        )
        .await?;
        let first = Wanted {
            name: "deploy 1.0.0",
            live: Some("1.0.0"),
            page: Some("shop 1.0.0"),
            ..Wanted::default()
        };
        if !self.step(&["deploy", &target, "1.0.0"], first).await? {
            return Ok(mirror.display().to_string());
        }
        self.write_guestbook()?;
        let second = Wanted {
            name: "deploy 1.1.0",
            live: Some("1.1.0"),
            page: Some("shop 1.1.0"),
            ..Wanted::default()
        };
        self.step(&["deploy", &target, "1.1.0", "--build"], second)
            .await?;
        self.read_guestbook()?;

        stage.narrator.say(
            "now",
            "1.2.0, whose health check fails: the first host finds out, and is rolled back",
        );
        let broken = Wanted {
            name: "deploy the broken 1.2.0",
            exit: ROLLED_BACK,
            live: Some("1.1.0"),
            page: Some("shop 1.1.0"),
            ..Wanted::default()
        };
        self.step(&["deploy", &target, "1.2.0", "--build"], broken)
            .await?;
        let back = Wanted {
            name: "roll back by hand",
            live: Some("1.0.0"),
            page: Some("shop 1.0.0"),
            ..Wanted::default()
        };
        self.step(&["rollback", &target], back).await?;
        Ok(mirror.display().to_string())
    }

    async fn repository(&mut self, source: &str, reference: Option<&str>) -> Result<String> {
        let (stage, project) = (self.stage, self.stage.project);
        let mirror = stage.git.mirror(stage.sandbox.place(), source, project).await?;
        stage.narrator.say("mirrored", source);
        self.describe_project(&mirror, r#"["100%"]"#).await?;
        let mut build = vec!["build", project, "--follow"];
        build.extend(reference.iter().flat_map(|reference| ["--ref", reference]));
        if !self
            .step(
                &build,
                Wanted {
                    name: "build",
                    ..Wanted::default()
                },
            )
            .await?
        {
            return Ok(source.to_owned());
        }
        let release = self.release("#1").await?;
        let entries = tree::entries(&stage.git, &mirror, &release.commit).await?;
        // With a recipe the build decides what the release is; without one, git does.
        let has_recipe = entries.iter().any(TreeEntry::is_recipe);
        let tree = (!has_recipe).then_some(entries.as_slice());
        let live = Wanted {
            name: "deploy",
            live: Some("#1"),
            tree,
            ..Wanted::default()
        };
        let target = self.target.clone();
        self.step(&["deploy", &target, "#1"], live).await?;
        Ok(source.to_owned())
    }

    /// What an operator puts on a host before the first deployment: the files that releases share.
    fn operators_part(&self) -> Result<()> {
        let place = self.stage.sandbox.place();
        for host in self.stage.sandbox.web_hosts() {
            let root = host.root(self.stage.project);
            let below = root.strip_prefix(place.dir()).unwrap_or(&root);
            place.folder(below.join("shared"))?;
            place.write(below.join("shared/.env"), b"CURRENCY=EUR\n", 0o640)?;
        }
        Ok(())
    }

    async fn describe_project(&mut self, mirror: &std::path::Path, waves: &str) -> Result<()> {
        let (project, sandbox) = (self.stage.project, self.stage.sandbox);
        let text = format!(
            "[[project]]\nname = '{project}'\nrepository = 'file://{mirror}'\n\n\
             [[environment]]\nname = 'production'\n\n\
             [[target]]\nproject = '{project}'\nenvironment = 'production'\nhosts = {{ role = 'web' }}\n\
             root = '{root}'\nstrategy = {{ waves = {waves}, on_failure = 'rollback' }}\n",
            mirror = mirror.display(),
            root = sandbox.target_root(project),
        );
        let file = sandbox
            .place()
            .write(format!("{project}.toml"), text.as_bytes(), 0o644)?;
        let apply = ["apply", "-f", &file.to_string_lossy()];
        self.step(
            &apply,
            Wanted {
                name: "describe the project",
                ..Wanted::default()
            },
        )
        .await
        .map(drop)
    }

    /// Runs a command, reads every host, and notes both; whether all was as expected.
    async fn step(&mut self, arguments: &[&str], wanted: Wanted<'_>) -> Result<bool> {
        let ran = self.commands.run(arguments).await?;
        let mut step = noted(&ran, &wanted);
        if ran.exit != wanted.exit {
            let text = format!("it ended with exit code {}, not {}", ran.exit, wanted.exit);
            self.stage.narrator.say("WRONG", &text);
        }
        if let Some(live) = wanted.live {
            let release = self.release(live).await?;
            let expected = Expected {
                project: self.stage.project,
                release: &release,
                page: wanted.page,
                tree: wanted.tree,
                deployment: ran.deployment.as_ref(),
            };
            step.hosts = read_back::all(self.stage.sandbox, &self.stage.narrator, &expected).await?;
            step.live = Some(release);
        }
        step.ok = step.exit == step.expected_exit && step.hosts.iter().all(|host| host.faults.is_empty());
        let ok = step.ok;
        self.steps.push(step);
        Ok(ok)
    }

    /// What the coordinator says of a release.
    async fn release(&self, spec: &str) -> Result<LiveRelease> {
        let spec = spec.replace('#', "%23");
        let path = format!("/api/v1/projects/{}/releases/{spec}", self.stage.project);
        let release: Release = self.stage.sandbox.api().get(&path).await?;
        let (Some(folder), Some(digest)) = (release.folder, release.digest) else {
            let why = release
                .failure
                .unwrap_or_else(|| format!("its state is {:?}", release.state));
            return Err(Error::Unexpected(format!(
                "release {} is not built: {why}",
                release.label
            )));
        };
        Ok(LiveRelease {
            label: release.label.to_string(),
            number: release.number,
            commit: release.commit,
            folder: folder.to_string(),
            digest: digest.to_string(),
            entries: release.entries,
            total_bytes: release.total_bytes,
        })
    }

    fn write_guestbook(&self) -> Result<()> {
        for host in self.stage.sandbox.web_hosts() {
            let word = format!("written through 1.0.0 on {}\n", host.id());
            read_back::shared_word(&host.root(self.stage.project), Some(&word))?;
        }
        Ok(())
    }

    fn read_guestbook(&mut self) -> Result<()> {
        for host in self.stage.sandbox.web_hosts() {
            let word = read_back::shared_word(&host.root(self.stage.project), None)?;
            self.stage.narrator.say(
                "shared",
                &format!("{:<6}  storage/guestbook.txt: {}", host.id(), word.trim()),
            );
        }
        Ok(())
    }
}

fn noted(ran: &Ran, wanted: &Wanted<'_>) -> Step {
    Step {
        name: wanted.name.to_owned(),
        command: ran.line.clone(),
        exit: ran.exit,
        expected_exit: wanted.exit,
        duration_ms: ran.duration_ms,
        live: None,
        hosts: Vec::new(),
        ok: false,
    }
}
