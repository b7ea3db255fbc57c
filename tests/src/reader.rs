//! A reader like a busy app server: it resolves `current` once and reads two files below what it found, over and over.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a reader saw.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    /// Reads of both files.
    pub reads: u64,
    /// Reads that failed.
    pub failed: u64,
    /// Reads whose files were of two releases.
    pub mixed: u64,
}

/// A thread that reads about a thousand times a second until it is asked what it saw.
#[derive(Debug)]
pub struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Reader {
    /// Starts reading `current/<first>` and `current/<second>` in `root`; both must always hold the same text.
    pub fn start(root: PathBuf, first: &'static str, second: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !told.load(Ordering::Relaxed) {
                let begin = Instant::now();
                look(&root, first, second, &mut seen);
                std::thread::sleep(Duration::from_millis(1).saturating_sub(begin.elapsed()));
            }
            seen
        });
        Self { stop, thread }
    }

    /// Stops reading and says what was seen.
    pub fn saw(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn look(root: &std::path::Path, first: &str, second: &str, seen: &mut Seen) {
    seen.reads += 1;
    let read = || {
        let release = fs_err::canonicalize(root.join("current"))?;
        std::io::Result::Ok((
            fs_err::read(release.join(first))?,
            fs_err::read(release.join(second))?,
        ))
    };
    match read() {
        Ok((first, second)) if first == second => {}
        Ok(_) => seen.mixed += 1,
        Err(_) => seen.failed += 1,
    }
}
