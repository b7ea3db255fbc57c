//! `man`: manual pages, made from the same grammar that is parsed.

use clap::CommandFactory as _;

use super::help;
use crate::args::{Cli, ManPages};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::text;

/// Prints a page, or writes all of them.
pub fn man(session: &Session, args: &ManPages) -> Result<Exit, CliError> {
    let Some(folder) = args.folder() else {
        let mut root = Cli::command();
        root.build();
        let command = help::find(&mut root, &args.topic)?;
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone())
            .render(&mut page)
            .map_err(unwritten)?;
        session.printer.line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(Exit::Ok);
    };
    fs_err::create_dir_all(&folder).map_err(unwritten)?;
    clap_mangen::generate_to(Cli::command(), &folder).map_err(unwritten)?;
    let pages = fs_err::read_dir(&folder).map_err(unwritten)?.count();
    let sentence = format!(
        "{} in {}; man -l {}/pointsman.1",
        text::counted(pages, "page"),
        folder.display(),
        folder.display()
    );
    session.printer.say(Tone::Good, "Wrote", &sentence);
    Ok(Exit::Ok)
}

fn unwritten(source: std::io::Error) -> CliError {
    CliError::Io {
        what: "write the manual pages",
        source,
    }
}
