//! The log spool: chunks until the broker has them, capped.
//!
//! Beyond the cap the oldest chunk gives its lines up and becomes a gap of the same number, so that a reader sees what is
//! missing. It is not durable against a power cut; results are.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_shared::wire::LogChunk;
use pointsman_shared::wire::logs::LogContent;
use rustix::fs::Mode;
use tokio::sync::Notify;

use crate::dir::{Dir, FileError};

/// Bytes that are kept while the broker is away.
const CAP: u64 = 64 * 1024 * 1024;

const GIVEN_UP: &str = "the broker was away for too long, older lines gave way to newer ones";

#[derive(Debug, Clone, Copy)]
struct Stored {
    number: u64,
    bytes: u64,
    is_gap: bool,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Stored>,
    bytes: u64,
    last: u64,
}

/// The open spool. Its methods touch the disk: call them where blocking is allowed.
#[derive(Debug)]
pub struct LogSpool {
    dir: Dir,
    cap: u64,
    state: Mutex<State>,
    news: Notify,
}

impl LogSpool {
    /// Opens the spool in `state/spool/logs`.
    pub fn open(state: &Dir) -> Result<Self, FileError> {
        Self::with_cap(state, CAP)
    }

    fn with_cap(state: &Dir, cap: u64) -> Result<Self, FileError> {
        let dir = state
            .make_dir("spool", Mode::RWXU)?
            .make_dir("logs", Mode::RWXU)?;
        let mut state = State::default();
        for name in dir.names()? {
            let Ok(number) = name.parse::<u64>() else { continue };
            let bytes = dir.read(&name)?.unwrap_or_default();
            let Ok(chunk) = serde_json::from_slice::<LogChunk>(&bytes) else {
                // Half written when the machine went down; its number stays missing and the page says so.
                dir.remove_file(&name)?;
                continue;
            };
            state.last = state.last.max(number);
            state.bytes += bytes.len() as u64;
            state.chunks.push_back(Stored {
                number,
                bytes: bytes.len() as u64,
                is_gap: is_gap(&chunk),
            });
        }
        Ok(Self {
            dir,
            cap,
            state: Mutex::new(state),
            news: Notify::new(),
        })
    }

    /// Keeps a chunk. One that cannot be written is kept as a gap, or lost with a word in the agent's own log.
    pub fn append(&self, chunk: &LogChunk) {
        let mut state = self.lock();
        let number = state.last + 1;
        let stored = self
            .write(number, chunk)
            .or_else(|_| self.write(number, &given_up(chunk, "the host's disk is full")));
        match stored {
            Ok(stored) => {
                state.last = number;
                state.bytes += stored.bytes;
                state.chunks.push_back(stored);
                self.shrink(&mut state);
            }
            Err(error) => tracing::warn!(%error, seq = chunk.seq, "a log chunk is lost"),
        }
        drop(state);
        self.news.notify_one();
    }

    /// The first chunk after `number`.
    pub fn after(&self, number: u64) -> Option<(u64, LogChunk)> {
        loop {
            let next = {
                let state = self.lock();
                state.chunks.iter().find(|stored| stored.number > number)?.number
            };
            let bytes = self.dir.read(&name(next)).ok().flatten().unwrap_or_default();
            match serde_json::from_slice(&bytes) {
                Ok(chunk) => return Some((next, chunk)),
                // Removed or damaged by somebody else: there is nothing to send any more.
                Err(_) => self.sent(next),
            }
        }
    }

    /// Forgets a chunk that the broker has.
    pub fn sent(&self, number: u64) {
        let mut state = self.lock();
        if let Some(index) = state.chunks.iter().position(|stored| stored.number == number)
            && let Some(stored) = state.chunks.remove(index)
        {
            state.bytes -= stored.bytes;
            if let Err(error) = self.dir.remove_file(&name(number)) {
                tracing::warn!(%error, "a sent log chunk stays in the spool");
            }
        }
    }

    /// Waits for a new chunk.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.lock().chunks.is_empty()
    }

    fn write(&self, number: u64, chunk: &LogChunk) -> Result<Stored, FileError> {
        let path = self.dir.path().join(name(number));
        let bytes = serde_json::to_vec(chunk)
            .map_err(|error| FileError::new("write", &path, std::io::Error::other(error)))?;
        if let Err(error) = fs_err::write(&path, &bytes) {
            drop(self.dir.remove_file(&name(number)));
            return Err(FileError::new("write", path, error));
        }
        Ok(Stored {
            number,
            bytes: bytes.len() as u64,
            is_gap: is_gap(chunk),
        })
    }

    /// Makes gaps of the oldest chunks until the rest fits; where all are gaps, the oldest is dropped.
    fn shrink(&self, state: &mut State) {
        while state.bytes > self.cap {
            let Some(index) = state.chunks.iter().position(|stored| !stored.is_gap) else {
                let Some(oldest) = state.chunks.pop_front() else {
                    return;
                };
                state.bytes -= oldest.bytes;
                drop(self.dir.remove_file(&name(oldest.number)));
                continue;
            };
            let Some(stored) = state.chunks.get(index).copied() else {
                return;
            };
            let bytes = self
                .dir
                .read(&name(stored.number))
                .ok()
                .flatten()
                .unwrap_or_default();
            let gap = serde_json::from_slice(&bytes)
                .ok()
                .map(|chunk| given_up(&chunk, GIVEN_UP))
                .and_then(|gap| self.write(stored.number, &gap).ok());
            state.bytes -= stored.bytes;
            if let (Some(gap), Some(place)) = (gap, state.chunks.get_mut(index)) {
                *place = gap;
                state.bytes += gap.bytes;
            } else {
                state.chunks.remove(index);
                drop(self.dir.remove_file(&name(stored.number)));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(number: u64) -> String {
    format!("{number:020}")
}

const fn is_gap(chunk: &LogChunk) -> bool {
    match chunk.content {
        LogContent::Lines(_) => false,
        LogContent::Gap { .. } => true,
    }
}

/// The chunk without its lines.
fn given_up(chunk: &LogChunk, why: &str) -> LogChunk {
    let content = match &chunk.content {
        LogContent::Lines(lines) => LogContent::Gap {
            lines: lines.len() as u64,
            bytes: lines.iter().map(|line| line.text.len() as u64 + 1).sum(),
            reason: why.to_owned(),
        },
        gap @ LogContent::Gap { .. } => gap.clone(),
    };
    LogChunk {
        content,
        ..chunk.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::ids::{Epoch, StreamId};
    use pointsman_shared::wire::logs::{LogLine, LogSource};
    use uuid::Uuid;

    fn chunk(seq: u64) -> LogChunk {
        LogChunk {
            v: 1,
            host: "web-1".parse().unwrap(),
            stream: StreamId(Uuid::from_u128(1)),
            epoch: Epoch(1),
            seq,
            stage: "build".to_owned(),
            first_line: seq,
            offset: 0,
            content: LogContent::Lines(vec![LogLine {
                at: 0,
                source: LogSource::Out,
                text: "x".repeat(1000),
            }]),
        }
    }

    fn open(folder: &tempfile::TempDir, cap: u64) -> LogSpool {
        LogSpool::with_cap(&Dir::open(folder.path()).unwrap(), cap).unwrap()
    }

    #[test]
    fn chunks_keep_their_order_and_outlive_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder, CAP);
        for seq in 1..=3 {
            spool.append(&chunk(seq));
        }
        let (first, _) = spool.after(0).unwrap();
        spool.sent(first);
        drop(spool);
        let spool = open(&folder, CAP);
        let (second, found) = spool.after(0).unwrap();
        assert_eq!(found, chunk(2));
        let (third, _) = spool.after(second).unwrap();
        assert_eq!(spool.after(third), None);
    }

    #[test]
    fn beyond_the_cap_the_oldest_become_gaps_of_the_same_number() {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder, 4000);
        for seq in 1..=6 {
            spool.append(&chunk(seq));
        }
        let mut number = 0;
        let mut gaps = Vec::new();
        let mut seqs = Vec::new();
        while let Some((next, chunk)) = spool.after(number) {
            number = next;
            seqs.push(chunk.seq);
            if let LogContent::Gap { lines, bytes, .. } = chunk.content {
                assert_eq!((lines, bytes), (1, 1001));
                gaps.push(chunk.seq);
            }
        }
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
        assert!(!gaps.is_empty() && gaps.len() < 6, "{gaps:?}");
        assert_eq!(
            gaps,
            (1..=gaps.len() as u64).collect::<Vec<_>>(),
            "the oldest go first"
        );
    }
}
