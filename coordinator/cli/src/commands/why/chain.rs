//! The lines of an explanation: a thing below the one that waits for it.

use serde::Serialize;

use crate::error::CliError;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// One thing and how it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// How far below the wish, from 0.
    pub depth: usize,
    /// Such as `deployment #812`.
    pub about: String,
    /// How it stands, and why.
    pub says: String,
    /// What to do about it.
    pub cure: Option<String>,
    /// How it feels.
    #[serde(skip)]
    pub tone: Tone,
}

/// All of them, from the wish down.
#[derive(Debug, Default)]
pub struct Chain(Vec<Link>);

impl Chain {
    /// Adds a line.
    pub fn add(
        &mut self,
        depth: usize,
        tone: Tone,
        about: impl Into<String>,
        says: impl Into<String>,
        cure: Option<String>,
    ) {
        let link = Link {
            depth,
            about: about.into(),
            says: says.into(),
            cure,
            tone,
        };
        // Two jobs may wait for one host; it is explained once.
        if !self
            .0
            .iter()
            .any(|known| known.about == link.about && known.says == link.says)
        {
            self.0.push(link);
        }
    }

    /// Prints them.
    pub fn show(&self, session: &Session) -> Result<(), CliError> {
        let printer = &session.printer;
        match printer.format() {
            Format::Json | Format::Plain => printer.show(&self.0, &self.table()),
            Format::Table => self.0.iter().try_for_each(|link| printer.line(&shown(link))),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new([
            ("DEPTH", Narrow::Keep),
            ("ABOUT", Narrow::Keep),
            ("SAYS", Narrow::Keep),
            ("CURE", Narrow::Keep),
        ]);
        for link in &self.0 {
            table.row([
                Cell::Number(i64::try_from(link.depth).unwrap_or(i64::MAX)),
                link.about.as_str().into(),
                link.says.as_str().into(),
                Cell::maybe(link.cure.as_ref()),
            ]);
        }
        table
    }
}

fn shown(link: &Link) -> String {
    let indent = "  ".repeat(link.depth);
    let cure = link.cure.as_ref().map_or_else(String::new, |cure| {
        format!("\n{indent}    {} {}", Tone::Busy.paint("->"), text::plain(cure))
    });
    format!(
        "{indent}{}  {}{cure}",
        link.tone.bold(&text::plain(&link.about)),
        text::plain(&link.says)
    )
}
