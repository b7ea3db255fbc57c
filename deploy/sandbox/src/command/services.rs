//! `services`: a database and a broker for the time of one command.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use clap::Args;
use pointsman_sandbox::{Error, Result};

use super::ending::Ending;
use super::tied;

/// Arguments of `services`.
#[derive(Debug, Args)]
pub(crate) struct Services {
    /// Where their files go; a temporary folder when not given.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The command to run.
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

impl Services {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let mut ending = Ending::listen()?;
        let services = tokio::select! {
            services = pointsman_sandbox::Services::start(self.dir.as_deref()) => services?,
            code = ending.requested() => return Ok(ExitCode::from(code)),
        };
        let result = run_command(&self.argv, services.env(), &mut ending).await;
        services.end()?;
        result
    }
}

async fn run_command(argv: &[OsString], env: Vec<(String, String)>, ending: &mut Ending) -> Result<ExitCode> {
    let mut command = tokio::process::Command::from(tied(argv));
    command.envs(env);
    let mut child = command.spawn().map_err(Error::io("starting the command"))?;
    tokio::select! {
        status = child.wait() => status.map(exit_code).map_err(Error::io("waiting for the command")),
        code = ending.requested() => {
            // From a terminal it has heard Ctrl-C itself; otherwise it is told here, and given a moment.
            if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
            }
            drop(tokio::time::timeout(std::time::Duration::from_secs(5), child.wait()).await);
            Ok(ExitCode::from(code))
        }
    }
}

/// The status as a shell would report it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
