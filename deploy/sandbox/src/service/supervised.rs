//! A process that can be killed, frozen and started again under the same description: the handle of fault tests.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::keeper::{Exit, Keeper, Process, Sign, Spec};

/// How long a process may take to end when asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// One process of the sandbox with the description from which it is started, again and again.
#[derive(Debug)]
pub struct Supervised {
    keeper: Arc<Keeper>,
    spec: Spec,
    running: Mutex<Option<Process>>,
}

impl Supervised {
    /// Describes a process without starting it.
    pub fn new(keeper: &Arc<Keeper>, spec: Spec) -> Self {
        Self {
            keeper: Arc::clone(keeper),
            spec,
            running: Mutex::new(None),
        }
    }

    /// Starts it; an error when it runs already.
    pub async fn start(&self) -> Result<Process> {
        self.start_with(&[]).await
    }

    /// Starts it with additional environment variables, such as a crash point.
    pub async fn start_with(&self, env: &[(&str, &str)]) -> Result<Process> {
        if let Some(process) = self.current()
            && process.exit().is_none()
        {
            return Err(Error::Unexpected(format!(
                "{} runs already (process {})",
                self.spec.name,
                process.pid()
            )));
        }
        let mut spec = self.spec.clone();
        spec.env
            .extend(env.iter().map(|(name, value)| ((*name).to_owned(), value.into())));
        let process = self.keeper.spawn(spec).await?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(process.clone());
        Ok(process)
    }

    /// The last process started, running or not.
    pub fn current(&self) -> Option<Process> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn process(&self) -> Result<Process> {
        self.current()
            .ok_or_else(|| Error::Unexpected(format!("{} was never started", self.spec.name)))
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.current().is_some_and(|process| process.exit().is_none())
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill(&self) -> Result<Exit> {
        self.end_by(Sign::Kill).await
    }

    /// Asks it to end with the signal it knows, and waits until it is gone.
    pub async fn end_by(&self, sign: Sign) -> Result<Exit> {
        self.process()?.end_by(sign, PATIENCE).await
    }

    /// Freezes it (SIGSTOP).
    pub fn freeze(&self) -> Result<()> {
        self.process()?.signal(Sign::Stop)
    }

    /// Thaws it (SIGCONT).
    pub fn thaw(&self) -> Result<()> {
        self.process()?.signal(Sign::Cont)
    }

    /// Waits until `ready` says so; an error when the process ends first or the time is up.
    pub async fn until_ready<F, Fut>(&self, limit: Duration, mut ready: F) -> Result<()>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = bool>,
    {
        let process = self.process()?;
        let begin = Instant::now();
        loop {
            if process.exit().is_some() {
                return Err(process.ended_error());
            }
            if ready().await {
                return Ok(());
            }
            if begin.elapsed() > limit {
                return Err(process.not_ready(limit));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}
