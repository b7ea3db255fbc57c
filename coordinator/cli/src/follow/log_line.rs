//! A log line on its way to the reader.
//!
//! The text is the program's own; on a terminal its colours stay, everything else that could steer the terminal goes.

use chrono::{DateTime, SecondsFormat, Utc};
use owo_colors::{AnsiColors, OwoColorize as _};
use pointsman_shared::api::jobs::NumberedLine;
use pointsman_shared::wire::logs::LogSource;
use serde::Serialize;

use crate::printer::{Format, Tone};
use crate::text;

/// A line and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Number of the job.
    pub job: i64,
    /// The host that wrote it.
    pub host: Option<String>,
    /// The attempt.
    pub epoch: u32,
    /// Its number in the attempt.
    pub line: u64,
    /// When the agent read it.
    pub at: DateTime<Utc>,
    /// The step.
    pub stage: String,
    /// Where it came from.
    pub source: LogSource,
    /// The text, or for a gap what is missing and why.
    pub text: String,
    /// How many lines are missing from here; 0 for a line.
    pub gap: u64,
}

/// How lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The form of results.
    pub format: Format,
    /// Whether they go to a terminal.
    pub terminal: bool,
    /// Whether each begins with its host.
    pub hosts: bool,
    /// Whether each begins with its time.
    pub times: bool,
}

const HOST_COLOURS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::Green,
    AnsiColors::Yellow,
    AnsiColors::BrightCyan,
];

impl LogLine {
    /// Puts a line under its job's name.
    pub fn new(job: i64, host: Option<String>, epoch: u32, line: NumberedLine) -> Self {
        Self {
            job,
            host,
            epoch,
            line: line.line,
            at: line.at,
            stage: line.stage,
            source: line.source,
            text: line.text,
            gap: line.gap,
        }
    }

    /// The line as it is shown; not for JSON.
    pub fn shown(&self, look: Look) -> String {
        if look.format == Format::Plain {
            return self.for_scripts();
        }
        let mut shown = String::new();
        if look.times {
            let time = self.at.format("%H:%M:%S%.3f ").to_string();
            shown.push_str(&Tone::Faint.paint(&time));
        }
        if look.hosts {
            let host = self.host.as_deref().unwrap_or("?");
            let prefix = format!("{host} |");
            shown.push_str(&prefix.color(colour(host)).to_string());
            shown.push(' ');
        }
        shown.push_str(&self.words(look.terminal));
        shown
    }

    fn words(&self, terminal: bool) -> String {
        if self.gap > 0 {
            let missing = text::counted(usize::try_from(self.gap).unwrap_or(usize::MAX), "line");
            return Tone::Warning.paint(&format!("... {missing} missing: {}", text::plain(&self.text)));
        }
        match self.source {
            LogSource::Agent => Tone::Faint.paint(&text::plain(&self.text)),
            LogSource::Out | LogSource::Err if terminal => text::coloured(&self.text),
            LogSource::Out | LogSource::Err => text::plain(&self.text),
        }
    }

    fn for_scripts(&self) -> String {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let host = self.host.as_deref().unwrap_or_default();
        format!(
            "{at}\t{host}\t{}\t{}",
            text::plain(&self.stage),
            text::plain(&self.text)
        )
    }
}

/// A host keeps its colour from run to run.
fn colour(host: &str) -> AnsiColors {
    let sum = host.bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    HOST_COLOURS[sum % HOST_COLOURS.len()]
}
