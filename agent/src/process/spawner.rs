//! One thread that starts every child and never ends.
//!
//! The kernel sends a parent-death signal when the *thread* that started the child ends, not the process. Runtime
//! threads come and go; this one does not, so the signal means what it says: the agent is dead.

use std::io;
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};

use tokio::sync::oneshot;

struct Request {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();

/// Starts `command` from the spawner thread.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (reply, answer) = oneshot::channel();
    let gone = || io::Error::other("the spawner thread is gone");
    spawner()?.send(Request { command, reply }).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn spawner() -> io::Result<&'static mpsc::Sender<Request>> {
    if let Some(sender) = SPAWNER.get() {
        return Ok(sender);
    }
    let (sender, requests) = mpsc::channel();
    std::thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || serve(&requests))?;
    // Two first callers may both make a thread; the loser's sender is dropped before it was ever used.
    Ok(SPAWNER.get_or_init(|| sender))
}

fn serve(requests: &mpsc::Receiver<Request>) {
    while let Ok(Request { mut command, reply }) = requests.recv() {
        let spawned = command.spawn();
        // The command owns the child's ends of the pipes; they must close here, or output would never end.
        drop(command);
        if let Err(Ok(mut orphan)) = reply.send(spawned) {
            // Whoever asked went away, and with it the agent's end of the gate's socket: the gate leaves by itself.
            if let Err(error) = orphan.wait() {
                tracing::warn!(%error, "could not reap a child that nobody waits for");
            }
        }
    }
}
