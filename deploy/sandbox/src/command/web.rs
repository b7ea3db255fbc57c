//! `web`: the little web server of a host.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pointsman_sandbox::Result;

/// Arguments of `web`.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// The root whose `current` is served.
    #[arg(long)]
    root: PathBuf,
    /// Address and port.
    #[arg(long)]
    listen: SocketAddr,
}

impl Web {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        pointsman_sandbox::web::serve(self.root, self.listen)
            .await
            .map(|()| ExitCode::SUCCESS)
    }
}
