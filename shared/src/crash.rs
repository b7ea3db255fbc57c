//! Named crash points: `POINTSMAN_CRASH=C12:2` ends this process with SIGKILL at the second pass of C12.
//!
//! They are the one exception to "no test hooks in production flow", and the one deed in this crate: what happens between
//! two system calls can only be tried by dying there. Without the variable a pass is one load and nothing else. A name
//! this process never passes is inert: coordinators and agents of one test share the variable.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// Places where a process can be told to die, in the order of a job's journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Coordinator: an outbox row is committed, nothing published.
    C1,
    /// Coordinator: it is published, not confirmed.
    C2,
    /// Coordinator: it is confirmed, not marked as sent.
    C3,
    /// Agent: the claim is sent.
    C4,
    /// Coordinator: a grant is committed, not sent.
    C5,
    /// Agent: the grant is received, the offer not yet acked.
    C6,
    /// Agent: the offer is acked, nothing begun.
    C7,
    /// Agent: in the middle of a download.
    C8,
    /// Agent: in the middle of unpacking.
    C9,
    /// Agent: the release is complete, before its final rename.
    C10,
    /// Agent: after that rename.
    C11,
    /// Agent: the fence is written.
    C12,
    /// Agent: the new link is made beside the old one.
    C13,
    /// Agent: `current` is renamed, not yet durable.
    C14,
    /// Agent: `current` is durable, nothing reported.
    C15,
    /// Agent: the result is sent, not acknowledged.
    C16,
    /// Coordinator: a result is committed, its delivery not acked.
    C17,
    /// Agent: in the middle of moving releases to the trash.
    C18,
    /// Agent: in the middle of a migration.
    C19,
    /// Agent: in the middle of recovery.
    C20,
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
    kill_process(getpid(), Signal::KILL).ok();
}

/// Marks a crash point: `crash_point!(C12)`.
#[macro_export]
macro_rules! crash_point {
    ($point:ident) => {
        $crate::crash::pass($crate::crash::Point::$point)
    };
}
