//! The only place that prints: results on stdout, talk and progress on stderr.
//!
//! On a terminal talk is a right-aligned verb and a sentence, and progress is drawn in place; elsewhere progress is one
//! plain line with a timestamp per change. Colours follow `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and `--no-color`. Results
//! have three forms: tables for people, tab-separated values and JSON for scripts.

mod live;
mod screen;
mod tone;

use std::io::{IsTerminal as _, Write};
use std::sync::Arc;

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressDrawTarget};
use pointsman_shared::clock::Clock;
use serde::Serialize;

pub use live::{Live, LiveLine};
pub use screen::Screen;
pub use tone::Tone;

use crate::error::CliError;
use crate::table::{Cell, Table};
use crate::text;

/// The form of results on stdout. (Its variants have plain comments: the parser would print documentation at length.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    // Aligned tables, as wide as the terminal.
    #[default]
    Table,
    // JSON; while following, one object per line.
    Json,
    // Tab-separated exact values without a heading.
    Plain,
}

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Errors and warnings only.
    Quiet,
    /// What happens.
    Normal,
    /// Also every request.
    Verbose,
}

/// What a terminal may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visuals {
    /// Colours, where the streams take them.
    pub colours: bool,
    /// Progress drawn in place.
    pub redraws: bool,
}

/// Writes to both streams; cheap to clone.
#[derive(Clone)]
pub struct Printer {
    format: Format,
    talk: Talk,
    clock: Arc<dyn Clock>,
    drawing: MultiProgress,
    talks_to_terminal: bool,
    width: Option<usize>,
}

impl Printer {
    /// A printer for this process's streams.
    pub fn new(format: Format, talk: Talk, visuals: Visuals, clock: Arc<dyn Clock>) -> Self {
        if !visuals.colours {
            anstream::ColorChoice::Never.write_global();
        }
        let talks_to_terminal = visuals.redraws && std::io::stderr().is_terminal();
        let target = if talks_to_terminal && talk != Talk::Quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let width = std::io::stdout()
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(std::io::stdout()))
            .flatten()
            .map(|(width, _)| usize::from(width.0));
        Self {
            format,
            talk,
            clock,
            drawing: MultiProgress::with_draw_target(target),
            talks_to_terminal,
            width,
        }
    }

    /// The form of results.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether talk goes to a terminal.
    pub fn talks_to_terminal(&self) -> bool {
        self.talks_to_terminal
    }

    /// Whether results go to a terminal.
    pub fn shows_on_terminal(&self) -> bool {
        self.width.is_some()
    }

    /// Columns of the terminal that results go to; none elsewhere.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// An area of stderr that is redrawn in place; it draws nothing where there is no terminal.
    pub fn live(&self) -> Live {
        Live::new(&self.drawing, self.talks_to_terminal && self.talk != Talk::Quiet)
    }

    /// Shows a result: `value` as JSON, or the table.
    pub fn show<T: Serialize + ?Sized>(&self, value: &T, table: &Table) -> Result<(), CliError> {
        match self.format {
            Format::Json => self.json(value),
            Format::Plain => self.write_out(&table.for_scripts()),
            Format::Table if table.is_empty() => Ok(()),
            Format::Table => {
                let (text, left_out) = table.for_people(self.width, self.clock.now());
                self.write_out(&text)?;
                if left_out > 0 {
                    let columns = text::counted(left_out, "column");
                    self.note(&format!(
                        "{columns} left out for want of width; -o json has everything"
                    ));
                }
                Ok(())
            }
        }
    }

    /// Shows one thing: `value` as JSON, or its fields, a line each.
    pub fn show_fields<T: Serialize + ?Sized>(
        &self,
        value: &T,
        fields: &[(&str, Cell)],
    ) -> Result<(), CliError> {
        let now = self.clock.now();
        let longest = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut lines = String::new();
        for (name, cell) in fields {
            let line = match (self.format, cell) {
                (Format::Json, _) => return self.json(value),
                (Format::Plain, cell) => format!("{name}\t{}\n", cell.for_scripts()),
                (Format::Table, Cell::At(at)) => {
                    let label = Tone::Faint.paint(&format!("{name:<longest$}"));
                    let ago = if *at > now { "" } else { " ago" };
                    format!("{label}  {} ({}{ago})\n", text::moment(*at), text::age(*at, now))
                }
                (Format::Table, cell) => {
                    let label = Tone::Faint.paint(&format!("{name:<longest$}"));
                    format!("{label}  {}\n", cell.painted(now))
                }
            };
            lines.push_str(&line);
        }
        self.write_out(&lines)
    }

    /// Shows a secret or another single value that scripts take: `value` as JSON, else the bare text in a line.
    pub fn show_value<T: Serialize + ?Sized>(&self, value: &T, bare: &str) -> Result<(), CliError> {
        match self.format {
            Format::Json => self.json(value),
            Format::Table | Format::Plain => self.write_out(&format!("{}\n", text::plain(bare))),
        }
    }

    /// One object of a followed stream, a line of JSON; nothing in the other forms.
    pub fn stream<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        match self.format {
            Format::Json => self.write_out(&format!("{}\n", serde_json::to_string(value)?)),
            Format::Table | Format::Plain => Ok(()),
        }
    }

    /// Shows a text of several lines: `value` as JSON, else the lines, each made harmless.
    pub fn show_text<T: Serialize + ?Sized>(&self, value: &T, lines: &str) -> Result<(), CliError> {
        match self.format {
            Format::Json => self.json(value),
            Format::Table | Format::Plain => lines
                .lines()
                .try_for_each(|line| self.write_out(&format!("{}\n", text::plain(line)))),
        }
    }

    /// A line of result that was made ready elsewhere, such as a log line; must be harmless.
    pub fn line(&self, line: &str) -> Result<(), CliError> {
        self.write_out(&format!("{line}\n"))
    }

    /// Says what was done.
    pub fn say(&self, tone: Tone, verb: &str, sentence: &str) {
        if self.talk != Talk::Quiet {
            let verb = tone.bold(&format!("{verb:>12}"));
            self.write_err(&format!("{verb}  {}\n", text::plain(sentence)));
        }
    }

    /// Says how followed work moves: like [`Self::say`] on a terminal, with a timestamp elsewhere.
    pub fn step(&self, tone: Tone, verb: &str, sentence: &str) {
        if self.talks_to_terminal {
            return self.say(tone, verb, sentence);
        }
        if self.talk != Talk::Quiet {
            let at = text::moment(self.clock.now());
            let sentence = text::plain(sentence);
            let gap = if sentence.is_empty() { "" } else { " " };
            self.write_err(&format!("{at} {}{gap}{sentence}\n", verb.to_lowercase()));
        }
    }

    /// A line of progress that was made ready elsewhere, such as a build's log line; must be harmless.
    pub fn progress_line(&self, line: &str) {
        if self.talk != Talk::Quiet {
            self.write_err(&format!("{line}\n"));
        }
    }

    /// How to take a change back; `none: ...` where there is no way.
    pub fn undo(&self, command: &str) {
        self.say(Tone::Busy, "Undo", command);
    }

    /// An aside.
    pub fn note(&self, sentence: &str) {
        self.say(Tone::Faint, "Note", sentence);
    }

    /// Something the user should know even with `-q`.
    pub fn warn(&self, sentence: &str) {
        let label = Tone::Warning.bold("warning:");
        self.write_err(&format!("{label} {}\n", text::plain(sentence)));
    }

    /// What a request was and how it was answered, with `-v`.
    pub fn trace(&self, line: &str) {
        if self.talk == Talk::Verbose {
            self.write_err(&format!("{}\n", Tone::Faint.paint(&text::plain(line))));
        }
    }

    /// An error: what, why, what to do.
    pub fn error(&self, error: &CliError) {
        let line =
            |tone: Tone, label: &str, text: &str| format!("{} {}\n", tone.bold(label), text::plain(text));
        self.write_err(&line(Tone::Bad, "error:", &error.to_string()));
        if let Some(cause) = error.cause() {
            self.write_err(&line(Tone::Plain, "cause:", &cause));
        }
        if let Some(help) = error.help() {
            self.write_err(&line(Tone::Busy, " help:", &help));
        }
        if let Some(request) = error.request() {
            self.trace(&format!("request {request}"));
        }
    }

    /// Help, versions and usage errors as the argument parser words them.
    pub fn usage(&self, error: &clap::Error) {
        let text = error.render().ansi().to_string();
        if error.use_stderr() {
            self.write_err(&text);
        } else {
            // A closed pipe loses nothing that help would miss.
            self.write_out(&text).ok();
        }
    }

    /// A question on the terminal, without a line end.
    pub fn ask(&self, question: &str) {
        self.write_err(&format!("{} ", text::plain(question)));
    }

    fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        self.write_out(&format!("{}\n", serde_json::to_string_pretty(value)?))
    }

    fn write_out(&self, text: &str) -> Result<(), CliError> {
        self.drawing
            .suspend(|| write_all(&mut anstream::stdout(), text))
            .map_err(|source| {
                if source.kind() == std::io::ErrorKind::BrokenPipe {
                    return CliError::OutputClosed;
                }
                CliError::Io {
                    what: "write to stdout",
                    source,
                }
            })
    }

    fn write_err(&self, text: &str) {
        // Where stderr is gone there is nobody left to tell.
        self.drawing
            .suspend(|| write_all(&mut anstream::stderr(), text))
            .ok();
    }
}

fn write_all(stream: &mut impl Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
