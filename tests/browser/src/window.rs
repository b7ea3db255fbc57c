//! A browser process with an empty profile of its own, which ends with the test.

use anyhow::{Context as _, Result, anyhow};
use chromiumoxide::browser::{Browser, BrowserConfig};
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::page::Tab;

/// Where Debian puts the browser.
const PROGRAM: &str = "/usr/bin/chromium";

/// A browser.
#[derive(Debug)]
pub struct Window {
    browser: Browser,
    pump: JoinHandle<()>,
    _profile: TempDir,
}

impl Window {
    /// Starts one.
    pub async fn open() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let config = BrowserConfig::builder()
            .chrome_executable(PROGRAM)
            .user_data_dir(profile.path())
            .no_sandbox()
            .viewport(None)
            .args([
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .build()
            .map_err(|why| anyhow!(why))?;
        let (browser, mut events) = Browser::launch(config).await.with_context(|| {
            format!("{PROGRAM} does not start; deploy/install-packages tests installs it")
        })?;
        let pump = tokio::spawn(async move { while events.next().await.is_some() {} });
        Ok(Self {
            browser,
            pump,
            _profile: profile,
        })
    }

    /// Opens a tab.
    pub async fn tab(&self, base: &str) -> Result<Tab> {
        let page = self.browser.new_page("about:blank").await?;
        Ok(Tab::new(page, base))
    }

    /// Ends the browser.
    pub async fn close(mut self) -> Result<()> {
        self.browser.close().await?;
        self.browser.wait().await?;
        self.pump.abort();
        Ok(())
    }
}
