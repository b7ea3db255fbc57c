//! Runs one command in a job's name and turns its end into a step's end.

use pointsman_shared::outcome::{ExitReason, Phase, ProcessExit};

use super::{Desk, Failure, Job, StepError};
use crate::process::{Command, Ended, Limits, Line, ProcessError};

/// Runs `command`, its lines going to the job's log under `stage`.
pub(super) async fn run<D: Desk>(
    job: &Job<D>,
    lease: &crate::lease::Lease,
    stage: &str,
    command: &Command,
    limits: &Limits,
) -> Result<Ended, ProcessError> {
    let desk = &job.desk;
    let mut sink = |line: Line| match line {
        Line::Text { source, text } => desk.say(stage, source, text),
        Line::Gap { lines, bytes } => {
            desk.leave_out(
                stage,
                lines,
                bytes,
                "more output than is kept of one command".to_owned(),
            );
        }
    };
    job.processes.run(command, limits, lease, &mut sink).await
}

/// Whether it ended well; if not, why, in words that say whose fault it was.
pub(super) fn judge(
    phase: Phase,
    what: &str,
    limits: &Limits,
    ended: Result<Ended, ProcessError>,
) -> Result<(), StepError> {
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let exit = ProcessExit {
                status: None,
                signal: None,
                reason: ExitReason::NotStarted,
            };
            return Err(Failure {
                exit: Some(exit),
                ..Failure::of(phase, "not_started", &error)
            }
            .into());
        }
    };
    if ended.success() {
        return Ok(());
    }
    let silence = limits.silence.unwrap_or_default();
    let (code, words) = match ended.exit.reason {
        ExitReason::Cancelled | ExitReason::LeaseLost => return Err(StepError::Stopped),
        ExitReason::Finished | ExitReason::NotStarted => ("command_failed", ended_words(&ended.exit)),
        ExitReason::TimedOut => (
            "timed_out",
            format!("did not end within {:?} and was ended", limits.total),
        ),
        ExitReason::Silent => ("silent", format!("printed nothing for {silence:?} and was ended")),
        ExitReason::OutputLimit => (
            "output_limit",
            format!("printed more than {} bytes and was ended", limits.output.hard),
        ),
    };
    let survivor = ended.refused.as_ref().map_or_else(String::new, |group| {
        let number = group.group;
        format!("; process group {number} would not end and keeps this placement closed")
    });
    let message = format!("`{what}` {words}{survivor}");
    Err(Failure {
        exit: Some(ended.exit),
        ..Failure::new(phase, code, message)
    }
    .into())
}

fn ended_words(exit: &ProcessExit) -> String {
    match (exit.status, exit.signal) {
        (Some(status), _) => format!("ended with status {status}"),
        (None, Some(signal)) => format!("was ended by signal {signal} that we did not send"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}
