//! What a child prints: bytes in, whole lines out, within limits.
//!
//! Standard output and error are read as they come and keep that order between each other as far as two pipes can tell.
//! Long lines are cut and say so; beyond the kept amount lines are counted, not carried, and a gap says how many;
//! beyond the hard limit the child is ended by the caller.

use pointsman_shared::wire::logs::LogSource;

/// One piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A whole line without its newline; bytes that are no UTF-8 are replaced.
    Text {
        /// Which of the child's outputs.
        source: LogSource,
        /// The line.
        text: String,
    },
    /// Lines that were printed but not kept.
    Gap {
        /// How many.
        lines: u64,
        /// How many bytes.
        bytes: u64,
    },
}

/// Where lines go. It must not wait: a slow reader would let a silent child look alive.
pub trait LineSink: Send {
    /// Takes the next piece.
    fn line(&mut self, line: Line);
}

impl<F: FnMut(Line) + Send> LineSink for F {
    fn line(&mut self, line: Line) {
        self(line);
    }
}

/// How much a child may print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// Longest line that is kept whole, in bytes; longer ones are cut.
    pub line: usize,
    /// Output that is kept, in bytes.
    pub kept: u64,
    /// Output at which the child is ended, in bytes.
    pub hard: u64,
}

impl Default for OutputLimits {
    /// 8 KiB a line (a chunk of the log must fit an envelope), 16 MiB kept, 256 MiB in all.
    fn default() -> Self {
        Self {
            line: 8 * 1024,
            kept: 16 * 1024 * 1024,
            hard: 256 * 1024 * 1024,
        }
    }
}

/// A line that has no newline yet.
#[derive(Debug, Default)]
struct Partial {
    bytes: Vec<u8>,
    cut: usize,
}

/// Cuts two byte streams into lines.
#[derive(Debug)]
pub(super) struct Collector {
    limits: OutputLimits,
    partial: [Partial; 2],
    seen: u64,
    kept: u64,
    gap: (u64, u64),
}

impl Collector {
    pub(super) fn new(limits: OutputLimits) -> Self {
        Self {
            limits,
            partial: [Partial::default(), Partial::default()],
            seen: 0,
            kept: 0,
            gap: (0, 0),
        }
    }

    /// Whether the child printed more than it may.
    pub(super) fn over_hard_limit(&self) -> bool {
        self.seen > self.limits.hard
    }

    /// Takes bytes of one output and hands on the lines they complete.
    pub(super) fn feed(&mut self, source: LogSource, bytes: &[u8], sink: &mut dyn LineSink) {
        self.seen += bytes.len() as u64;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.append(source, line);
            self.end_line(source, sink);
            rest = after.get(1..).unwrap_or_default();
        }
        self.append(source, rest);
    }

    /// Hands on what is left: lines without a newline, and the gap.
    pub(super) fn finish(&mut self, sink: &mut dyn LineSink) {
        for source in [LogSource::Out, LogSource::Err] {
            if !self.partial_of(source).bytes.is_empty() {
                self.end_line(source, sink);
            }
        }
        self.end_gap(sink);
    }

    fn partial_of(&mut self, source: LogSource) -> &mut Partial {
        let [out, err] = &mut self.partial;
        match source {
            LogSource::Out | LogSource::Agent => out,
            LogSource::Err => err,
        }
    }

    fn append(&mut self, source: LogSource, bytes: &[u8]) {
        let limit = self.limits.line;
        let partial = self.partial_of(source);
        let room = limit.saturating_sub(partial.bytes.len()).min(bytes.len());
        let (fits, over) = bytes.split_at(room);
        partial.bytes.extend_from_slice(fits);
        partial.cut += over.len();
    }

    fn end_line(&mut self, source: LogSource, sink: &mut dyn LineSink) {
        let Partial { mut bytes, cut } = std::mem::take(self.partial_of(source));
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let size = (bytes.len() + cut) as u64 + 1;
        if self.kept + size > self.limits.kept {
            self.gap = (self.gap.0 + 1, self.gap.1 + size);
            return;
        }
        self.end_gap(sink);
        self.kept += size;
        let text = match (String::from_utf8_lossy(&bytes), cut) {
            (text, 0) => text.into_owned(),
            (text, cut) => format!("{text} [... {cut} more bytes]"),
        };
        sink.line(Line::Text { source, text });
    }

    fn end_gap(&mut self, sink: &mut dyn LineSink) {
        let (lines, bytes) = std::mem::take(&mut self.gap);
        if lines > 0 {
            sink.line(Line::Gap { lines, bytes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(limits: OutputLimits, pieces: &[(LogSource, &[u8])]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut sink = |line| lines.push(line);
        let mut collector = Collector::new(limits);
        for (source, bytes) in pieces {
            collector.feed(*source, bytes, &mut sink);
        }
        collector.finish(&mut sink);
        lines
    }

    fn text(source: LogSource, text: &str) -> Line {
        Line::Text {
            source,
            text: text.to_owned(),
        }
    }

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let pieces: [(LogSource, &[u8]); 5] = [
            (LogSource::Out, b"one\r\ntw"),
            (LogSource::Err, b"warn"),
            (LogSource::Out, b"o\n\nlast"),
            (LogSource::Err, b"ing\n"),
            (LogSource::Out, b" \xff"),
        ];
        assert_eq!(
            collect(OutputLimits::default(), &pieces),
            [
                text(LogSource::Out, "one"),
                text(LogSource::Out, "two"),
                text(LogSource::Out, ""),
                text(LogSource::Err, "warning"),
                text(LogSource::Out, "last \u{fffd}"),
            ]
        );
    }

    #[test]
    fn long_lines_are_cut_and_a_flood_becomes_a_gap() {
        let limits = OutputLimits {
            line: 4,
            kept: 12,
            hard: 100,
        };
        let lines = collect(limits, &[(LogSource::Out, b"123456\nab\nflood\nflood\n")]);
        assert_eq!(
            lines,
            [
                text(LogSource::Out, "1234 [... 2 more bytes]"),
                text(LogSource::Out, "ab"),
                Line::Gap { lines: 2, bytes: 12 },
            ]
        );
    }
}
