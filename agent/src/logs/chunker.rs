//! Numbers lines and cuts them into chunks that fit an envelope.

use pointsman_shared::ids::{Epoch, StreamId};
use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::LogTotal;
use pointsman_shared::wire::logs::{LogContent, LogLine};
use pointsman_shared::wire::{LogChunk, VERSION};

use super::MaskedLine;

/// Most bytes of lines in one chunk, as they are written on the wire.
const CHUNK_BYTES: usize = 28 * 1024;
/// What a line costs on the wire beside its text.
const LINE_OVERHEAD: usize = 64;

/// Whose log it is.
#[derive(Debug, Clone)]
pub struct ChunkerId {
    /// The host.
    pub host: HostId,
    /// The stream.
    pub stream: StreamId,
    /// The epoch.
    pub epoch: Epoch,
}

/// Lines in, chunks out.
#[derive(Debug)]
pub struct Chunker {
    id: ChunkerId,
    stage: String,
    seq: u64,
    next_line: u64,
    offset: u64,
    lines: Vec<LogLine>,
    bytes: usize,
}

impl Chunker {
    /// A chunker whose first chunk and first line have number 1.
    pub fn new(id: ChunkerId) -> Self {
        Self {
            id,
            stage: String::new(),
            seq: 0,
            next_line: 1,
            offset: 0,
            lines: Vec::new(),
            bytes: 0,
        }
    }

    /// Begins another stage; lines so far must have been flushed, they belong to the old one.
    pub fn stage(&mut self, stage: &str) {
        stage.clone_into(&mut self.stage);
    }

    /// Takes a line; answers with the chunk it did not fit into.
    pub fn line(&mut self, line: MaskedLine) -> Option<LogChunk> {
        let text = fit(line.text);
        let size = wire_size(&text) + LINE_OVERHEAD;
        let full = if self.bytes + size > CHUNK_BYTES {
            self.flush()
        } else {
            None
        };
        self.bytes += size;
        self.lines.push(LogLine {
            at: line.at,
            source: line.source,
            text,
        });
        full
    }

    /// The waiting lines as a chunk.
    pub fn flush(&mut self) -> Option<LogChunk> {
        if self.lines.is_empty() {
            return None;
        }
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        let bytes = lines.iter().map(|line| line.text.len() as u64 + 1).sum();
        let count = lines.len() as u64;
        Some(self.chunk(LogContent::Lines(lines), count, bytes))
    }

    /// A gap; lines that wait must have been flushed.
    pub fn gap(&mut self, lines: u64, bytes: u64, reason: &str) -> LogChunk {
        let content = LogContent::Gap {
            lines,
            bytes,
            reason: reason.to_owned(),
        };
        self.chunk(content, lines, bytes)
    }

    /// What was written; lines that wait are not counted yet.
    pub fn total(&self) -> LogTotal {
        LogTotal {
            stream: self.id.stream,
            last_seq: self.seq,
            lines: self.next_line - 1,
        }
    }

    fn chunk(&mut self, content: LogContent, lines: u64, bytes: u64) -> LogChunk {
        self.seq += 1;
        let chunk = LogChunk {
            v: VERSION,
            host: self.id.host.clone(),
            stream: self.id.stream,
            epoch: self.id.epoch,
            seq: self.seq,
            stage: self.stage.clone(),
            first_line: self.next_line,
            offset: self.offset,
            content,
        };
        self.next_line += lines;
        self.offset += bytes;
        chunk
    }
}

/// Bytes of a text inside JSON.
fn wire_size(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            c if c.is_control() && c.is_ascii() => 6,
            c => c.len_utf8(),
        })
        .sum()
}

/// A line of control characters may be six times as long on the wire; it is cut where it would not fit a chunk.
fn fit(mut text: String) -> String {
    let room = CHUNK_BYTES - LINE_OVERHEAD;
    if wire_size(&text) <= room {
        return text;
    }
    let mut end = text.len().min(room / 6);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = text.len() - end;
    text.truncate(end);
    text + &format!(" [... {cut} more bytes]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::wire::logs::LogSource;
    use pointsman_shared::wire::{MAX_ENVELOPE, SigningKey};
    use uuid::Uuid;

    fn chunker() -> Chunker {
        let id = ChunkerId {
            host: "web-1".parse().unwrap(),
            stream: StreamId(Uuid::from_u128(7)),
            epoch: Epoch(2),
        };
        let mut chunker = Chunker::new(id);
        chunker.stage("checkout");
        chunker
    }

    fn line(text: &str) -> MaskedLine {
        MaskedLine {
            at: 0,
            source: LogSource::Out,
            text: text.to_owned(),
        }
    }

    #[test]
    fn chunks_lines_and_offsets_are_numbered_without_holes() {
        let mut chunker = chunker();
        assert_eq!(chunker.line(line("one")), None);
        assert_eq!(chunker.line(line("zwölf")), None);
        let first = chunker.flush().unwrap();
        chunker.stage("npm ci");
        assert_eq!(
            (first.seq, first.first_line, first.offset, first.stage.as_str()),
            (1, 1, 0, "checkout")
        );
        let gap = chunker.gap(10, 100, "too much");
        assert_eq!((gap.seq, gap.first_line, gap.offset), (2, 3, 4 + 7));
        assert_eq!(chunker.line(line("last")), None);
        let last = chunker.flush().unwrap();
        assert_eq!(
            (last.seq, last.first_line, last.offset, last.stage.as_str()),
            (3, 13, 111, "npm ci")
        );
        assert_eq!(chunker.flush(), None);
        assert_eq!((chunker.total().last_seq, chunker.total().lines), (3, 13));
    }

    #[test]
    fn every_chunk_fits_an_envelope() {
        let key = SigningKey::from_seed(&[1; 32]);
        let mut chunker = chunker();
        let mut chunks = Vec::new();
        for text in [
            "\u{1b}".repeat(8192),
            "\"".repeat(8192),
            "ü".repeat(4096),
            "x".repeat(8192),
        ] {
            for _ in 0..9 {
                chunks.extend(chunker.line(line(&text)));
            }
        }
        chunks.extend(chunker.flush());
        assert!(chunks.len() > 9);
        for chunk in chunks {
            let size = key.sign_log_chunk(&chunk).to_bytes().len();
            assert!(size < MAX_ENVELOPE * 3 / 4, "{size}");
        }
    }
}
