//! `demo`: starts a fleet, tells a story with it, then stays up for the reader or ends.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::demo::{CallersGit, Narrator, Stage, Summary, Tale, project_name, show_next, tell};
use clap::Args;
use pointsman_sandbox::programs::{Binaries, on_path};
use pointsman_sandbox::{Error, Options, Progress, Result, Sandbox};

use super::ending::Ending;
use super::kept;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the story; exit code 0 only if every read-back was as expected.
    #[arg(long)]
    once: bool,
    /// Print one JSON object about it on stdout, and the story on stderr.
    #[arg(long)]
    json: bool,
    /// Deploy this git repository instead of the sample; without a pointsman.toml in it, its tree is the release.
    #[arg(long, value_name = "PATH_OR_URL")]
    repo: Option<String>,
    /// Tag, branch or commit of the repository; its default branch when not given.
    #[arg(long = "ref", value_name = "REF", requires = "repo")]
    reference: Option<String>,
    /// Leave the roots of the hosts in this new or empty folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Give the project ninety invented days before the story, so that estimates, trends and audit look alive.
    #[arg(long, conflicts_with = "repo")]
    seed_history: bool,
    /// Number of hosts; a builder comes on top.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    hosts: u8,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let mut ending = Ending::listen()?;
        let out: Box<dyn std::io::Write + Send> = if self.json {
            Box::new(std::io::stderr())
        } else {
            Box::new(std::io::stdout())
        };
        let narrator = Narrator::new(out);
        if let Some(keep) = &self.keep {
            kept::check(keep)?;
        }
        let project = self
            .repo
            .as_deref()
            .map_or_else(|| "shop".to_owned(), project_name);
        let options = Options {
            hosts: self.hosts.into(),
            project: project.clone(),
            // The sample's build writes its site to dist/.
            public: self.repo.is_none().then(|| PathBuf::from("dist")),
            ..Options::default()
        };
        let tale = match &self.repo {
            None => Tale::Sample,
            Some(source) => Tale::Repository {
                source: source.clone(),
                reference: self.reference.clone(),
            },
        };
        let sandbox = tokio::select! {
            sandbox = Sandbox::start_telling(options, |step| say(&narrator, step)) => sandbox?,
            code = ending.requested() => return Ok(ExitCode::from(code)),
        };
        let code = self.play(&sandbox, &project, &tale, narrator, &mut ending).await;
        if let Some(keep) = &self.keep {
            kept::take(&sandbox, keep)?;
        }
        sandbox.end()?;
        code
    }

    async fn play(
        &self,
        sandbox: &Sandbox,
        project: &str,
        tale: &Tale,
        narrator: Narrator,
        ending: &mut Ending,
    ) -> Result<ExitCode> {
        let program = Binaries::find(sandbox.place())?.program("pointsman")?;
        let git = on_path("git", "install it with `apt-get install -y git`")?;
        let git = CallersGit::new(git, sandbox.place())?;
        let stage = Stage {
            sandbox,
            project,
            program,
            git,
            narrator,
            seed_history: self.seed_history,
        };
        let told = tokio::select! {
            told = tell(&stage, tale) => told,
            code = ending.requested() => return Ok(ExitCode::from(code)),
        };
        self.conclude(&stage, &told)?;
        if !self.once {
            show_next(&stage, tale);
            ending.requested().await;
        }
        Ok(if told.ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn conclude(&self, stage: &Stage<'_>, told: &Summary) -> Result<()> {
        let seconds = std::time::Duration::from_millis(told.story_ms).as_secs_f64();
        if told.ok {
            stage.narrator.say(
                "done",
                &format!("every read-back as expected; the story took {seconds:.1}s"),
            );
        } else {
            let why = told
                .error
                .as_deref()
                .unwrap_or("not everything was as expected, see above");
            stage.narrator.say("FAILED", why);
            show_complaints(&stage.narrator, stage.sandbox.dir());
        }
        if self.json {
            let text = serde_json::to_string_pretty(told)
                .map_err(|error| Error::Unexpected(format!("the summary cannot be written: {error}")))?;
            writeln!(std::io::stdout(), "{text}")?;
        }
        Ok(())
    }
}

fn say(narrator: &Narrator, step: Progress) {
    let (verb, sentence) = match step {
        Progress::Services => ("services", "private PostgreSQL and RabbitMQ answer".to_owned()),
        Progress::Coordinators(url) => ("coordinator", format!("{url} is ready")),
        Progress::Agents => ("agents", "joined with one-time tokens and seen".to_owned()),
    };
    narrator.say(verb, &sentence);
}

/// The latest complaints in our own processes' logs: the folder goes away with the demo.
fn show_complaints(narrator: &Narrator, dir: &Path) {
    const LINES: usize = 8;
    let Ok(entries) = fs_err::read_dir(dir.join("log")) else {
        return;
    };
    let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    logs.sort();
    for log in logs {
        let text = fs_err::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The form of our own processes' lines: a time, then the level.
        let complains = |line: &&str| matches!(line.split_whitespace().nth(1), Some("ERROR" | "WARN"));
        let lines: Vec<&str> = text.lines().filter(complains).collect();
        if let Some(name) = log.file_name().filter(|_| !lines.is_empty()) {
            narrator.line(&format!("--- the latest complaints in {}", name.display()));
            lines[lines.len().saturating_sub(LINES)..]
                .iter()
                .for_each(|line| narrator.line(line));
        }
    }
}
