//! `web`: the little web server of a host.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use pointsman_sandbox::{Result, web};

/// Arguments of `web`.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// The root whose `current` is served.
    #[arg(long)]
    root: PathBuf,
    /// The folder of the release that is shown, such as `dist`.
    #[arg(long)]
    public: Option<PathBuf>,
    /// Address and port.
    #[arg(long)]
    listen: SocketAddr,
}

impl Web {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        web::serve(
            web::Site {
                root: self.root,
                public: self.public.unwrap_or_default(),
            },
            self.listen,
        )
        .await
        .map(|()| ExitCode::SUCCESS)
    }
}
