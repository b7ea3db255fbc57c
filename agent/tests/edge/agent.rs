//! The real agent as a process with folders of its own.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_shared::wire::SigningKey;
use rustix::process::{Pid, Signal, kill_process};

use crate::http::SECRET;
use crate::neighbour::Neighbour;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pointsman-agent");

/// A host: a folder, and the agent on it while it runs.
pub struct Host {
    pub folder: tempfile::TempDir,
    pub neighbour: Arc<Neighbour>,
    child: Option<Child>,
}

impl Host {
    /// A host that has joined; its agent does not run yet.
    pub async fn joined() -> Self {
        Self::joined_with("").await
    }

    /// The same, with more lines in the agent's section of its configuration.
    pub async fn joined_with(more: &str) -> Self {
        let host = Self::new(Neighbour::new().await, more);
        let joined = host.join(&Host::token(&host.neighbour.key)).await;
        assert!(joined.0.success(), "{}", joined.1);
        host
    }

    pub fn new(neighbour: Arc<Neighbour>, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().display();
        for name in ["srv", "srv/shop"] {
            fs_err::create_dir(folder.path().join(name)).unwrap();
        }
        let config = format!(
            "[agent]\nhost = 'web-1'\nstate_dir = '{base}/state'\nroots = ['{base}/srv']\npolicy_file = \
             '{base}/policy.toml'\npolicy_owner = 'agent'\n{more}\n[coordinator]\nurl = '{}'\n[git]\nallow_file = \
             true\n",
            neighbour.http
        );
        fs_err::write(folder.path().join("agent.toml"), config).unwrap();
        let policy = format!("builds = true\nroots = ['{base}/srv/*']\n");
        fs_err::write(folder.path().join("policy.toml"), policy).unwrap();
        Self {
            folder,
            neighbour,
            child: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> String {
        self.path("srv/shop").display().to_string()
    }

    /// A join token of the coordinator with this key.
    pub fn token(key: &SigningKey) -> String {
        format!("pmj_{}_{SECRET}", key.id())
    }

    fn command(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program.arg(command).arg("--config").arg(self.path("agent.toml"));
        program
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("RUST_LOG", "debug,lapin=warn,hyper=warn");
        program
    }

    /// Runs `join`; its status and everything it said.
    pub async fn join(&self, token: &str) -> (ExitStatus, String) {
        let mut command = self.command("join");
        command.args(["--token", token]);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status, String::from_utf8_lossy(&said).into_owned())
    }

    /// Starts the agent and waits until its hello was heard.
    pub async fn start(&mut self) {
        self.start_with(&[]).await;
    }

    pub async fn start_with(&mut self, env: &[(&str, &str)]) {
        let hellos = self.neighbour.memory().hellos().len();
        let log = fs_err::File::options()
            .create(true)
            .append(true)
            .open(self.path("agent.log"))
            .unwrap();
        let mut command = self.command("run");
        command
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.into_parts().0);
        self.child = Some(command.spawn().unwrap());
        self.neighbour.hello(hellos).await;
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the agent runs");
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Waits for the agent's end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the agent runs");
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(40),
                "the agent does not end"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    pub fn is_alive(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            let log = fs_err::read_to_string(self.path("agent.log")).unwrap_or_default();
            let from = log.len().saturating_sub(6000);
            eprintln!("the agent's log ends:\n{}", log.get(from..).unwrap_or_default());
        }
    }
}
