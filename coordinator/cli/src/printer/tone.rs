//! Colours by meaning. A word always says the same thing as its colour; streams strip the colour where it is not wanted.

use owo_colors::OwoColorize as _;

/// What a text means to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Broken.
    Bad,
    /// In motion, or something to type.
    Busy,
    /// Of little weight.
    Faint,
    /// Title of a column.
    Heading,
}

impl Tone {
    /// The text in this tone.
    pub fn paint(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Good => text.green().to_string(),
            Self::Warning => text.yellow().to_string(),
            Self::Bad => text.red().to_string(),
            Self::Busy => text.cyan().to_string(),
            Self::Faint => text.dimmed().to_string(),
            Self::Heading => text.bold().to_string(),
        }
    }

    /// The same, bold: verbs and labels.
    pub fn bold(self, text: &str) -> String {
        match self {
            Self::Faint => self.paint(text),
            Self::Plain | Self::Good | Self::Warning | Self::Bad | Self::Busy | Self::Heading => {
                self.paint(&text.bold().to_string())
            }
        }
    }
}
