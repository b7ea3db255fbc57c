//! The whole terminal, drawn anew each time. What stood there before comes back when it goes.

use std::io::Write as _;

use crate::error::CliError;

/// Another screen without a cursor; then back to the usual one.
const TAKE: &str = "\u{1b}[?1049h\u{1b}[?25l";
const GIVE_BACK: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// A terminal that was taken; given back when dropped.
#[derive(Debug)]
pub struct Screen {
    coloured: bool,
}

impl Screen {
    /// Takes the terminal on stdout.
    pub fn take() -> Self {
        let coloured = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        // A terminal that does not take it shows the error at the first drawing.
        write(TAKE).ok();
        Self { coloured }
    }

    /// Draws what fits of a text, which is made for the present width. Must be harmless.
    pub fn draw(&mut self, text: impl FnOnce(usize) -> String) -> Result<(), CliError> {
        let (width, height) = terminal_size::terminal_size_of(std::io::stdout())
            .map_or((80, 24), |(width, height)| {
                (usize::from(width.0), usize::from(height.0))
            });
        let text = text(width);
        let text = if self.coloured {
            text
        } else {
            anstream::adapter::strip_str(&text).to_string()
        };
        // From the top, each line cleared behind its end, and all below the last: nothing flickers.
        let lines: Vec<String> = text
            .lines()
            .take(height)
            .map(|line| format!("{line}\u{1b}[K"))
            .collect();
        write(&format!("\u{1b}[H{}\u{1b}[J", lines.join("\r\n"))).map_err(|source| CliError::Io {
            what: "draw on the terminal",
            source,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        write(GIVE_BACK).ok();
    }
}

/// Past the streams that strip colours: they would strip the movements, too.
fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
