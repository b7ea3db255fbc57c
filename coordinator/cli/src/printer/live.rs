//! The part of stderr that is redrawn in place while work is followed: a bar, then a line per host.
//!
//! It never holds what must stay readable afterwards: when it goes, its lines go with it.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Tone;
use crate::text;

/// Hosts that are drawn; more only scroll the first ones away.
const MOST_LINES: usize = 12;
const TICK: Duration = Duration::from_millis(120);

/// One line below the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLine {
    /// Whose line it is.
    pub name: String,
    /// How it stands.
    pub tone: Tone,
    /// In words.
    pub words: String,
}

/// The redrawn area; cleared when dropped.
#[derive(Debug)]
pub struct Live {
    drawing: MultiProgress,
    head: Option<ProgressBar>,
    lines: Vec<ProgressBar>,
}

impl Live {
    pub(super) fn new(drawing: &MultiProgress, visible: bool) -> Self {
        let head = visible.then(|| {
            let bar = drawing.add(ProgressBar::new(0));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            drawing: drawing.clone(),
            head,
            lines: Vec::new(),
        }
    }

    /// Redraws: a verb, `done` of `all` (no bar when there is nothing to count) and a line per host.
    pub fn draw(&mut self, verb: &str, done: usize, all: usize, sentence: &str, lines: &[LiveLine]) {
        let Some(head) = &self.head else { return };
        let verb = Tone::Busy.bold(&format!("{verb:>12}"));
        let template = if all > 0 {
            "{prefix}  [{bar:20}] {msg} {elapsed}"
        } else {
            "{prefix}  {spinner} {msg} {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            head.set_style(style.progress_chars("=> "));
        }
        head.set_length(all as u64);
        head.set_position(done as u64);
        head.set_prefix(shown(&verb));
        head.set_message(text::plain(sentence));
        self.draw_lines(lines);
    }

    fn draw_lines(&mut self, lines: &[LiveLine]) {
        let wanted = lines.len().min(MOST_LINES);
        let hidden = lines.len() - wanted;
        let drawn = wanted + usize::from(hidden > 0);
        while self.lines.len() < drawn {
            let bar = self.drawing.add(ProgressBar::new(0));
            if let Ok(style) = ProgressStyle::with_template("{prefix:>12}  {msg}") {
                bar.set_style(style);
            }
            self.lines.push(bar);
        }
        for bar in self.lines.drain(drawn..) {
            bar.finish_and_clear();
        }
        for (bar, line) in self.lines.iter().zip(&lines[..wanted]) {
            bar.set_prefix(text::plain(&line.name));
            bar.set_message(shown(&line.tone.paint(&text::plain(&line.words))));
        }
        if let (Some(bar), true) = (self.lines.get(wanted), hidden > 0) {
            bar.set_message(format!("and {}", text::counted(hidden, "more host")));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for bar in self.lines.drain(..).rev().chain(self.head.take()) {
            bar.finish_and_clear();
        }
    }
}

/// Colours only where stderr takes them: the redrawn area does not pass through the stripping streams.
fn shown(painted: &str) -> String {
    match anstream::AutoStream::choice(&std::io::stderr()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(painted).to_string(),
        anstream::ColorChoice::Auto | anstream::ColorChoice::AlwaysAnsi | anstream::ColorChoice::Always => {
            painted.to_owned()
        }
    }
}
