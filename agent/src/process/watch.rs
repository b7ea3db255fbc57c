//! Watches one group until it is gone: reads its output, counts its time, ends it when it must end.

use std::pin::pin;
use std::time::Duration;

use pointsman_shared::outcome::ExitReason;
use pointsman_shared::wire::logs::LogSource;
use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};

use super::output::{Collector, LineSink};
use super::run::{Group, Limits};
use super::{live_members, signal_group};
use crate::lease::{Lease, Standing};

/// How often the group is counted while it ends.
const COUNT_EVERY: Duration = Duration::from_millis(20);
/// How long the pipes are read after the group is gone: only a process that left the group can hold them open.
const DRAIN: Duration = Duration::from_secs(1);

/// The agent's ends of the child's outputs; none once at their end.
pub(super) struct Pipes {
    pub(super) out: Option<pipe::Receiver>,
    pub(super) err: Option<pipe::Receiver>,
}

/// Where the end of a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It runs.
    Running,
    /// TERM was sent; KILL follows then.
    Terminated { kill_at: Instant },
    /// KILL was sent; beyond then it is given up.
    Killed { give_up_at: Instant },
    /// Nothing of it lives; the pipes are read until then.
    Gone { until: Instant },
    /// It survived KILL.
    Refused,
}

pub(super) struct Watch {
    limits: Limits,
    pipes: Pipes,
    collector: Collector,
    stage: Stage,
    leader_gone: bool,
    reason: Option<ExitReason>,
    last_output: Instant,
    started: Instant,
}

enum Happening {
    Output(LogSource, usize),
    Closed(LogSource),
    LeaderGone,
    Lease(Standing),
    Tick,
}

impl Watch {
    pub(super) fn new(limits: Limits, pipes: Pipes) -> Self {
        let now = Instant::now();
        Self {
            limits,
            pipes,
            collector: Collector::new(limits.output),
            stage: Stage::Running,
            leader_gone: false,
            reason: None,
            last_output: now,
            started: now,
        }
    }

    /// Whether the group survived KILL for the whole time it was waited for.
    pub(super) fn refused(&self) -> bool {
        self.stage == Stage::Refused
    }

    /// Returns when nothing of the group lives and its output is read, or when it was given up. Says why it is gone.
    pub(super) async fn until_gone(
        &mut self,
        group: &Group,
        lease: &Lease,
        sink: &mut dyn LineSink,
    ) -> ExitReason {
        let mut lease_ended = pin!(lease.ended());
        let mut out_bytes = vec![0; 16 * 1024];
        let mut err_bytes = vec![0; 16 * 1024];
        loop {
            let asked = self.stage != Stage::Running;
            let wake = self.wake_at();
            let leader_gone = self.leader_gone;
            let happening = tokio::select! {
                biased;
                exited = group.exited.readable(), if !leader_gone => {
                    drop(exited);
                    Happening::LeaderGone
                }
                standing = &mut lease_ended, if !asked => Happening::Lease(standing),
                // Fairly between the two outputs: neither may starve the other.
                happening = read_either(&mut self.pipes, &mut out_bytes, &mut err_bytes) => happening,
                () = sleep_until(wake) => Happening::Tick,
            };
            match happening {
                Happening::Output(source, count) => {
                    let bytes = if source == LogSource::Err {
                        &err_bytes
                    } else {
                        &out_bytes
                    };
                    self.last_output = Instant::now();
                    self.collector
                        .feed(source, bytes.get(..count).unwrap_or_default(), sink);
                }
                Happening::Closed(LogSource::Err) => self.pipes.err = None,
                Happening::Closed(LogSource::Out | LogSource::Agent) => self.pipes.out = None,
                Happening::LeaderGone => self.leader_gone = true,
                Happening::Lease(standing) => self.end(group, reason_of(&standing)),
                Happening::Tick => {}
            }
            self.check_limits(group);
            self.advance(group);
            let read = self.pipes.out.is_none() && self.pipes.err.is_none();
            let over = match self.stage {
                Stage::Gone { until } => read || Instant::now() >= until,
                Stage::Refused => true,
                Stage::Running | Stage::Terminated { .. } | Stage::Killed { .. } => false,
            };
            if over {
                self.collector.finish(sink);
                return self.reason.unwrap_or(ExitReason::Finished);
            }
        }
    }

    /// The next moment at which something must be looked at even if nothing happens.
    fn wake_at(&self) -> Instant {
        match self.stage {
            Stage::Running if self.leader_gone => Instant::now(),
            Stage::Running => {
                let total = self.started + self.limits.total;
                self.limits
                    .silence
                    .map_or(total, |silence| total.min(self.last_output + silence))
            }
            Stage::Terminated { .. } | Stage::Killed { .. } => Instant::now() + COUNT_EVERY,
            Stage::Gone { until } => until,
            Stage::Refused => Instant::now(),
        }
    }

    fn check_limits(&mut self, group: &Group) {
        if self.stage != Stage::Running || self.leader_gone {
            return;
        }
        let now = Instant::now();
        if self.collector.over_hard_limit() {
            self.end(group, ExitReason::OutputLimit);
        } else if now >= self.started + self.limits.total {
            self.end(group, ExitReason::TimedOut);
        } else if self
            .limits
            .silence
            .is_some_and(|silence| now >= self.last_output + silence)
        {
            self.end(group, ExitReason::Silent);
        }
    }

    /// Asks the group to end, once, for the first reason.
    fn end(&mut self, group: &Group, reason: ExitReason) {
        if self.stage == Stage::Running {
            self.reason.get_or_insert(reason);
            signal_group(&group.record, Signal::TERM);
            self.stage = Stage::Terminated {
                kill_at: Instant::now() + self.limits.grace,
            };
        }
    }

    fn advance(&mut self, group: &Group) {
        let now = Instant::now();
        match self.stage {
            // The leader ended by itself; whatever it left behind in its group is asked to follow.
            Stage::Running if self.leader_gone => self.end(group, ExitReason::Finished),
            Stage::Running | Stage::Gone { .. } | Stage::Refused => return,
            Stage::Terminated { kill_at } if now >= kill_at => {
                signal_group(&group.record, Signal::KILL);
                self.stage = Stage::Killed {
                    give_up_at: now + self.limits.refusal,
                };
            }
            Stage::Killed { give_up_at } if now >= give_up_at => {
                self.stage = Stage::Refused;
                return;
            }
            Stage::Terminated { .. } | Stage::Killed { .. } => {}
        }
        if self.leader_gone && live_members(&group.record) == 0 {
            self.stage = Stage::Gone { until: now + DRAIN };
        }
    }
}

fn reason_of(standing: &Standing) -> ExitReason {
    match standing {
        Standing::Cancelled { .. } => ExitReason::Cancelled,
        Standing::Held | Standing::Lost => ExitReason::LeaseLost,
    }
}

async fn read_either(pipes: &mut Pipes, out_bytes: &mut [u8], err_bytes: &mut [u8]) -> Happening {
    tokio::select! {
        read = read(pipes.out.as_mut(), out_bytes) => happening(LogSource::Out, &read),
        read = read(pipes.err.as_mut(), err_bytes) => happening(LogSource::Err, &read),
    }
}

/// Never returns for an output that is at its end.
async fn read(pipe: Option<&mut pipe::Receiver>, bytes: &mut [u8]) -> std::io::Result<usize> {
    match pipe {
        Some(pipe) => pipe.read(bytes).await,
        None => std::future::pending().await,
    }
}

fn happening(source: LogSource, read: &std::io::Result<usize>) -> Happening {
    match read {
        Ok(count) if *count > 0 => Happening::Output(source, *count),
        Ok(_) | Err(_) => Happening::Closed(source),
    }
}
