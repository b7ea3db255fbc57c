//! The voice of the demo: one line per thing that happens, with the time since the start.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Where the story goes.
#[derive(Clone)]
pub(crate) struct Narrator {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    begin: Instant,
}

impl std::fmt::Debug for Narrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Narrator")
            .field("begin", &self.begin)
            .finish_non_exhaustive()
    }
}

impl Narrator {
    /// Tells to `out`; the clock starts now.
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            out: Arc::new(Mutex::new(out)),
            begin: Instant::now(),
        }
    }

    /// Milliseconds since the start.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What was done: a verb and a sentence.
    pub(crate) fn say(&self, verb: &str, sentence: &str) {
        self.line(&format!(
            "{:6.1}s  {verb:>11}  {sentence}",
            self.begin.elapsed().as_secs_f64()
        ));
    }

    /// A line of somebody else, under what was said before.
    pub(crate) fn quote(&self, line: &str) {
        self.line(&format!(
            "{:6.1}s  {:>11}  {line}",
            self.begin.elapsed().as_secs_f64(),
            ""
        ));
    }

    /// A line without a time.
    pub(crate) fn line(&self, line: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that went away does not stop the fleet.
        drop(writeln!(out, "{line}").and_then(|()| out.flush()));
    }
}
