//! The log of one epoch while it runs: takes lines from whoever has some, and sends chunks off live.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::clock::Clock;
use pointsman_shared::wire::LogChunk;
use pointsman_shared::wire::UnixMillis;
use pointsman_shared::wire::from_agent::LogTotal;
use pointsman_shared::wire::logs::LogSource;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Chunker, ChunkerId, Masker, Secrets};
use crate::process::Line;

/// How long a line waits for others.
const FLUSH: Duration = Duration::from_millis(200);
/// How long a line that may be the beginning of a secret is held back.
const HOLD: Duration = Duration::from_secs(2);
/// How many bytes wait at most before they are searched.
const SEARCH_BYTES: usize = 64 * 1024;
/// How much of a log is kept; the rest is counted.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;

const BEYOND: &str = "printed beyond the kept amount";

/// Where finished chunks go.
pub trait ChunkSink: Send + 'static {
    /// Keeps a chunk until the broker has it.
    fn chunk(&mut self, chunk: LogChunk) -> impl Future<Output = ()> + Send;
}

enum Entry {
    Line {
        at: UnixMillis,
        stage: String,
        line: Line,
        why_gap: Option<String>,
    },
    Secrets(Arc<Secrets>),
    Finish(oneshot::Sender<LogTotal>),
}

/// A handle to the log; clones write to the same one. It never waits.
#[derive(Clone)]
pub struct JobLog {
    entries: mpsc::UnboundedSender<Entry>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for JobLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobLog").finish_non_exhaustive()
    }
}

impl JobLog {
    /// Begins the log of an epoch.
    pub fn begin(id: ChunkerId, clock: Arc<dyn Clock>, sink: impl ChunkSink) -> Self {
        let (entries, inbox) = mpsc::unbounded_channel();
        let writer = Writer {
            masker: Masker::new(Arc::new(Secrets::none())),
            chunker: Chunker::new(id),
            stage: String::new(),
            sink,
            kept: 0,
            beyond: (0, 0),
            held_since: None,
        };
        tokio::spawn(writer.run(inbox));
        Self { entries, clock }
    }

    /// Everything written after this is masked with these secrets.
    pub fn mask(&self, secrets: Arc<Secrets>) {
        self.send(Entry::Secrets(secrets));
    }

    /// Writes a line of a stage; a text of several lines becomes several.
    pub fn say(&self, stage: &str, source: LogSource, text: &str) {
        let texts = if text.is_empty() {
            vec![""]
        } else {
            text.lines().collect()
        };
        for text in texts {
            let text = text.to_owned();
            self.take(stage, Line::Text { source, text }, None);
        }
    }

    /// Writes that lines are missing, and why.
    pub fn leave_out(&self, stage: &str, lines: u64, bytes: u64, reason: String) {
        self.take(stage, Line::Gap { lines, bytes }, Some(reason));
    }

    /// Sends off what waits and answers with what was written. Later lines are lost.
    pub async fn finish(&self) -> Option<LogTotal> {
        let (tell, total) = oneshot::channel();
        self.send(Entry::Finish(tell));
        total.await.ok().filter(|total| total.last_seq > 0)
    }

    fn take(&self, stage: &str, line: Line, why_gap: Option<String>) {
        self.send(Entry::Line {
            at: self.clock.now().timestamp_millis(),
            stage: stage.to_owned(),
            line,
            why_gap,
        });
    }

    fn send(&self, entry: Entry) {
        // After `finish` nobody listens; a straggler's line is of no use to anybody.
        drop(self.entries.send(entry));
    }
}

struct Writer<S> {
    masker: Masker,
    chunker: Chunker,
    stage: String,
    sink: S,
    kept: u64,
    beyond: (u64, u64),
    held_since: Option<Instant>,
}

impl<S: ChunkSink> Writer<S> {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Entry>) {
        let mut flush_at: Option<Instant> = None;
        loop {
            let due = flush_at.unwrap_or_else(|| Instant::now() + FLUSH);
            let entry = tokio::select! {
                entry = inbox.recv() => entry,
                () = tokio::time::sleep_until(due), if flush_at.is_some() => {
                    self.flush(false).await;
                    flush_at = self.masker.has_pending().then(|| Instant::now() + FLUSH);
                    continue;
                }
            };
            match entry {
                Some(Entry::Line {
                    at,
                    stage,
                    line,
                    why_gap,
                }) => {
                    self.stage(stage).await;
                    self.line(at, line, why_gap.as_deref().unwrap_or(BEYOND)).await;
                    flush_at.get_or_insert_with(|| Instant::now() + FLUSH);
                }
                Some(Entry::Secrets(secrets)) => {
                    self.flush(true).await;
                    self.masker = Masker::new(secrets);
                }
                Some(Entry::Finish(tell)) => {
                    self.flush(true).await;
                    // Whoever asked may be gone; the chunks are not.
                    drop(tell.send(self.chunker.total()));
                    return;
                }
                None => return self.flush(true).await,
            }
        }
    }

    async fn stage(&mut self, stage: String) {
        if self.stage != stage {
            self.flush(true).await;
            self.chunker.stage(&stage);
            self.stage = stage;
        }
    }

    async fn line(&mut self, at: UnixMillis, line: Line, why_gap: &str) {
        match line {
            Line::Text { source, text } => {
                let size = text.len() as u64 + 1;
                if self.kept + size > KEPT_BYTES {
                    self.beyond = (self.beyond.0 + 1, self.beyond.1 + size);
                    return;
                }
                self.kept += size;
                self.masker.push(at, source, text);
                if self.masker.pending_bytes() >= SEARCH_BYTES {
                    self.flush(false).await;
                }
            }
            Line::Gap { lines, bytes } => {
                self.flush(true).await;
                let chunk = self.chunker.gap(lines, bytes, why_gap);
                self.sink.chunk(chunk).await;
            }
        }
    }

    /// Sends off what may leave; with `all`, everything.
    async fn flush(&mut self, all: bool) {
        let overdue = self.held_since.is_some_and(|since| since.elapsed() >= HOLD);
        for line in self.masker.release(all || overdue) {
            if let Some(chunk) = self.chunker.line(line) {
                self.sink.chunk(chunk).await;
            }
        }
        let held = self.masker.has_pending();
        self.held_since = held.then(|| self.held_since.unwrap_or_else(Instant::now));
        if let Some(chunk) = self.chunker.flush() {
            self.sink.chunk(chunk).await;
        }
        let (lines, bytes) = self.beyond;
        if all && lines > 0 {
            self.beyond = (0, 0);
            let chunk = self.chunker.gap(lines, bytes, BEYOND);
            self.sink.chunk(chunk).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::clock::SystemClock;
    use pointsman_shared::ids::{Epoch, StreamId};
    use pointsman_shared::wire::logs::LogContent;
    use uuid::Uuid;

    struct Collected(mpsc::UnboundedSender<LogChunk>);

    impl ChunkSink for Collected {
        async fn chunk(&mut self, chunk: LogChunk) {
            self.0.send(chunk).unwrap();
        }
    }

    fn begin() -> (JobLog, mpsc::UnboundedReceiver<LogChunk>) {
        let (tell, chunks) = mpsc::unbounded_channel();
        let id = ChunkerId {
            host: "web-1".parse().unwrap(),
            stream: StreamId(Uuid::from_u128(7)),
            epoch: Epoch(1),
        };
        (JobLog::begin(id, Arc::new(SystemClock), Collected(tell)), chunks)
    }

    #[tokio::test]
    async fn lines_leave_live_and_secrets_do_not() {
        let (log, mut chunks) = begin();
        log.mask(Arc::new(Secrets::new(["hunter2-hunter2"])));
        log.say("build", LogSource::Agent, "the word is hunter2-hunter2");
        let chunk = tokio::time::timeout(Duration::from_secs(5), chunks.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(chunk.stage, "build");
        let LogContent::Lines(lines) = chunk.content else {
            panic!("lines")
        };
        assert_eq!(lines[0].text, "the word is ***");
        let total = log.finish().await.unwrap();
        assert_eq!((total.last_seq, total.lines), (1, 1));
    }

    #[tokio::test]
    async fn a_silent_epoch_has_no_log() {
        let (log, _chunks) = begin();
        assert_eq!(log.finish().await, None);
    }
}
