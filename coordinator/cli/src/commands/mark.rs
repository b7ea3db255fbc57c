//! `mark` and `unmark`: what people say of a release, for targets to ask for.

use pointsman_shared::api::releases::NewMark;

use crate::args::{MarkRelease, OneMark};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;

/// Marks a release.
pub async fn mark(session: &Session, args: MarkRelease) -> Result<Exit, CliError> {
    let MarkRelease { said, evidence } = args;
    let OneMark {
        project,
        release,
        mark,
    } = said;
    let wish = NewMark { evidence };
    session.client()?.mark(&project, &release, &mark, &wish).await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Marked", &format!("{project} {release} {mark}"));
    printer.undo(&format!("pointsman unmark {project} {release} {mark}"));
    Ok(Exit::Ok)
}

/// Takes a mark back.
pub async fn unmark(session: &Session, args: OneMark) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let OneMark {
        project,
        release,
        mark,
    } = args;
    session.client()?.unmark(&project, &release, &mark).await?;
    let printer = &session.printer;
    printer.say(Tone::Good, "Unmarked", &format!("{project} {release} {mark}"));
    printer.undo(&format!("pointsman mark {project} {release} {mark}"));
    Ok(Exit::Ok)
}
