//! How a story is told: a command, what it says, what every host shows after it, and both noted.
//!
//! It stops at the first thing that is not as it should be; what happened until then stands in the summary.

use std::path::PathBuf;

use pointsman_sandbox::{Error, Result, Sandbox};
use pointsman_shared::api::releases::Release;

use super::command_line::{CommandLine, Ran};
use super::narrator::Narrator;
use super::read_back::{self, Expected};
use super::repository::CallersGit;
use super::summary::{LiveRelease, Step, Summary};
use super::tree::TreeEntry;

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
    /// Git with the caller's settings.
    pub(crate) git: CallersGit,
    /// The voice.
    pub(crate) narrator: Narrator,
    /// Whether the project gets an invented past first.
    pub(crate) seed_history: bool,
}

/// A step and what must come of it.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    name: &'a str,
    exit: i32,
    live: Option<&'a str>,
    page: Option<&'a str>,
    tree: Option<&'a [TreeEntry]>,
}

impl<'a> Wanted<'a> {
    /// A step that succeeds.
    pub(super) fn step(name: &'a str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// It ends with this code instead.
    pub(super) fn exits(self, exit: i32) -> Self {
        Self { exit, ..self }
    }

    /// Afterwards this release, by label or number, is live on every host.
    pub(super) fn shows(self, release: &'a str) -> Self {
        Self {
            live: Some(release),
            ..self
        }
    }

    /// The site's first page holds this text.
    pub(super) fn says(self, page: &'a str) -> Self {
        Self {
            page: Some(page),
            ..self
        }
    }

    /// The release is what git says.
    pub(super) fn equals(self, tree: Option<&'a [TreeEntry]>) -> Self {
        Self { tree, ..self }
    }
}

/// Why a story stops early.
pub(super) enum Halt {
    /// Something was not as expected; the last step says what.
    Wrong,
    /// The demo itself could not go on.
    Broke(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Broke(error)
    }
}

/// A story while it is told.
pub(super) struct Telling<'a> {
    pub(super) stage: &'a Stage<'a>,
    /// `project@production`.
    pub(super) target: String,
    commands: CommandLine,
    steps: Vec<Step>,
}

/// Tells the tale; its summary says whether all went as it should.
pub(crate) async fn tell(stage: &Stage<'_>, tale: &Tale) -> Summary {
    let up_ms = stage.narrator.elapsed_ms();
    let mut telling = Telling {
        stage,
        target: format!("{}@production", stage.project),
        commands: CommandLine {
            program: stage.program.clone(),
            url: stage.sandbox.url(),
            token: stage.sandbox.token().to_owned(),
            home: stage.sandbox.place().path("home"),
            narrator: stage.narrator.clone(),
        },
        steps: Vec::new(),
    };
    let told = match tale {
        Tale::Sample => telling.sample().await,
        Tale::Repository { source, reference } => telling.repository(source, reference.as_deref()).await,
    };
    let error = match told {
        Ok(()) | Err(Halt::Wrong) => None,
        Err(Halt::Broke(error)) => Some(error.chain()),
    };
    Summary {
        ok: error.is_none() && telling.steps.iter().all(|step| step.ok),
        project: stage.project.to_owned(),
        repository: match tale {
            Tale::Sample => "the sample".to_owned(),
            Tale::Repository { source, .. } => source.clone(),
        },
        dir: stage.sandbox.dir().display().to_string(),
        up_ms,
        story_ms: stage.narrator.elapsed_ms().saturating_sub(up_ms),
        steps: telling.steps,
        error,
    }
}

impl Telling<'_> {
    /// Runs a command, reads every host, and notes both.
    pub(super) async fn step(&mut self, arguments: &[&str], wanted: Wanted<'_>) -> Result<(), Halt> {
        let ran = self.commands.run(arguments).await?;
        let mut step = noted(&ran, &wanted);
        if ran.exit != wanted.exit {
            let text = format!("it ended with exit code {}, not {}", ran.exit, wanted.exit);
            self.stage.narrator.say("WRONG", &text);
        } else if let Some(live) = wanted.live {
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
        if ok { Ok(()) } else { Err(Halt::Wrong) }
    }

    /// What the coordinator says of a release.
    pub(super) async fn release(&self, spec: &str) -> Result<LiveRelease> {
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
