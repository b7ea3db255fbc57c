//! A line between a browser and a coordinator that can be cut, and mended again.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A line.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    cut: watch::Sender<bool>,
    carrier: JoinHandle<()>,
}

impl Line {
    /// A line to a coordinator's address, such as `http://127.0.0.1:8080`.
    pub async fn to(url: &str) -> Result<Self> {
        let far: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (cut, is_cut) = watch::channel(false);
        let carrier = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                if !*is_cut.borrow() {
                    tokio::spawn(async move { carry(near, far, &mut is_cut).await });
                }
            }
        });
        Ok(Self {
            address,
            cut,
            carrier,
        })
    }

    /// Its near end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends whatever goes over it, and takes nothing new.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Carries again.
    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn carry(mut near: TcpStream, far: SocketAddr, is_cut: &mut watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(far).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = is_cut.wait_for(|cut| *cut) => {}
    }
}
