//! Named crash points: `POINTSMAN_CRASH=C5:2` ends this process with SIGKILL at the second pass of C5.
//!
//! They are the one exception to "no test hooks in production flow": what happens between two system calls can only be
//! tried by dying there. Without the variable a pass is one load and nothing else. A name this process does not know
//! is inert: coordinators and agents of one test share the variable.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// Places where this process can be told to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// An outbox row is committed, nothing published.
    C1,
    /// It is published, not confirmed.
    C2,
    /// It is confirmed, not marked as sent.
    C3,
    /// A grant is committed, not sent.
    C5,
    /// A result is committed, its delivery not acked.
    C17,
}

struct Armed {
    point: String,
    passes_left: AtomicU32,
}

static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "crash points are not configuration: only this variable arms one"
    )]
    let text = std::env::var("POINTSMAN_CRASH").ok()?;
    let (point, passes) = text.split_once(':').unwrap_or((&text, "1"));
    Some(Armed {
        point: point.to_owned(),
        passes_left: AtomicU32::new(passes.parse().unwrap_or(1)),
    })
});

/// Dies here if this point is armed and this is the pass it was armed for.
pub fn pass(point: Point) {
    let Some(armed) = ARMED.as_ref() else { return };
    if armed.point != format!("{point:?}") || armed.passes_left.fetch_sub(1, Ordering::SeqCst) != 1 {
        return;
    }
    // A signal to oneself is delivered before the call returns; should it be refused, the process goes on unharmed.
    if let Err(error) = kill_process(getpid(), Signal::KILL) {
        tracing::error!(%error, ?point, "crash point could not end the process");
    }
}

/// Marks a crash point: `crash_point!(C5)`.
#[macro_export]
macro_rules! crash_point {
    ($point:ident) => {
        $crate::crash::pass($crate::crash::Point::$point)
    };
}
