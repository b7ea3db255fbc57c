//! Does what the dispatcher wants, each thing where it belongs: commands to the link in order, everything that may wait
//! in a task of its own, everything that touches a disk where blocking is allowed.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Fault, SlotCount};
use pointsman_shared::wire::to_agent::{Adopt, KnownPlacement};
use pointsman_shared::wire::topology::{REPORTS, report_key};
use pointsman_shared::wire::{FromAgent, KeySet, TraceParent, UnixMillis};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use super::state::{self, Introduction};
use super::tools::Tools;
use super::worker;
use crate::adoption::adopt;
use crate::broker::{Command, Publisher};
use crate::crash_point;
use crate::describe::describe;
use crate::dispatcher::{Action, Event};
use crate::identity::{IdentityFolder, Instances};
use crate::journal::RootRecord;
use crate::lease::BootInstant;

/// How far the clocks may be apart before somebody should know, in milliseconds.
const OFFSET_MS: i64 = 5000;
/// How often the disks are read anew for a hello, because a job ended meanwhile.
const READINGS: u32 = 3;
/// How long a hello waits for the reports of an earlier agent.
const INHERITED: Duration = Duration::from_secs(3);

/// Whoever performs.
pub(super) struct Performer {
    pub(super) tools: Arc<Tools>,
    pub(super) files: Arc<IdentityFolder>,
    pub(super) instances: Arc<Instances>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) messages: Publisher,
    pub(super) sent: watch::Receiver<u64>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) tasks: TaskTracker,
    pub(super) kinds: Vec<JobKind>,
    pub(super) clock_is_off: bool,
}

impl Performer {
    /// Performs one action; `refused` is how many messages were refused so far. Says whether the agent may end.
    pub(super) fn perform(&mut self, action: Action, refused: u64) -> bool {
        match action {
            Action::Settle(delivery, how) => self.command(Command::Settle(delivery, how)),
            Action::Consume(queue) => self.command(Command::Consume(queue)),
            Action::StopConsuming(queue) => self.command(Command::Stop(queue)),
            Action::Rebuild => self.command(Command::Rebuild),
            Action::Say(message, trace) => self.say(*message, trace),
            Action::SayHello {
                nonce,
                previous,
                working,
            } => self.say_hello(Introduction {
                nonce,
                previous,
                working,
                refused,
                slots: self.slots(),
            }),
            Action::Beat { beat, working } => {
                let tools = Arc::clone(&self.tools);
                self.publish(move || vec![state::heartbeat(&tools, beat, working)]);
            }
            Action::Begin(assignment) => {
                let (tools, events) = (Arc::clone(&self.tools), self.events.clone());
                self.tasks.spawn(async move {
                    let work = worker::work(&tools, *assignment).await;
                    // Nobody listens any more only when the agent ends hard.
                    drop(events.send(Event::Ended(work)));
                });
            }
            Action::Adopt(adopt) => self.adopt(*adopt),
            Action::Forget { spool, upto } => {
                let reports = Arc::clone(&self.tools.reports);
                self.tasks.spawn_blocking(move || {
                    if let Err(error) = reports.acknowledge(spool, upto) {
                        tracing::warn!(error = describe(&error), "acknowledged reports stay in the spool");
                    }
                });
            }
            Action::Welcomed(placements) => self.welcomed(placements),
            Action::Pin(keys) => self.pin(keys),
            Action::Heard(at) => self.heard(at),
            Action::Report(fault) => self.tools.scribe.fault(fault),
            Action::Drained => return true,
        }
        false
    }

    fn command(&self, command: Command) {
        // The link ends only with the agent.
        drop(self.commands.send(command));
    }

    fn slots(&self) -> Vec<SlotCount> {
        self.tools.config.slots.counts(&self.kinds)
    }

    fn say(&self, message: FromAgent, trace: Option<TraceParent>) {
        let is_claim = matches!(message, FromAgent::Claim(_));
        let (tools, publisher) = (Arc::clone(&self.tools), self.messages.clone());
        self.tasks.spawn(async move {
            send(&tools, &publisher, &message, trace.as_ref()).await;
            if is_claim {
                crash_point!(C4);
            }
        });
    }

    /// What an earlier agent could not report goes first: its epochs are over with the hello, and a result that comes
    /// after it would be late, and its work done twice.
    fn say_hello(&self, introduction: Introduction) {
        let (tools, publisher) = (Arc::clone(&self.tools), self.messages.clone());
        let mut sent = self.sent.clone();
        self.tasks.spawn(async move {
            let inherited = tools.reports.inherited();
            let first = sent.wait_for(|sent| *sent >= inherited);
            if tokio::time::timeout(INHERITED, first).await.is_err() {
                tracing::warn!("reports of an earlier agent are still unsent; the hello goes before them");
            }
            introduce(&tools, &publisher, introduction).await;
        });
    }

    /// Makes messages where disks may be read, then sends them in order.
    fn publish(&self, make: impl FnOnce() -> Vec<FromAgent> + Send + 'static) {
        let (tools, publisher) = (Arc::clone(&self.tools), self.messages.clone());
        self.tasks
            .spawn(async move { publish(&tools, &publisher, make).await });
    }

    fn adopt(&self, order: Adopt) {
        let (tools, events) = (Arc::clone(&self.tools), self.events.clone());
        self.tasks.spawn(async move {
            let placement = order.placement;
            if let Err(message) = adopt_root(&tools, order).await {
                tracing::error!(%placement, message, "a placement was not adopted");
                tools.scribe.fault(Fault {
                    placement: Some(placement),
                    code: "adopt_refused".to_owned(),
                    message,
                });
            }
            drop(events.send(Event::StateChanged));
        });
    }

    fn welcomed(&self, placements: Vec<KnownPlacement>) {
        let (instances, tools) = (Arc::clone(&self.instances), Arc::clone(&self.tools));
        let events = self.events.clone();
        self.tasks.spawn_blocking(move || {
            if let Err(error) = instances.welcomed() {
                tracing::warn!(%error, "this instance is welcome, but could not record it");
            }
            if record_roots(&tools, placements) {
                drop(events.send(Event::StateChanged));
            }
        });
    }

    fn pin(&self, keys: KeySet) {
        tracing::info!(
            version = keys.version,
            "a newer set of coordinator keys is trusted"
        );
        self.tools.trust(keys.clone());
        let files = Arc::clone(&self.files);
        self.tasks.spawn_blocking(move || {
            if let Err(error) = files.pin(&keys) {
                tracing::error!(
                    error = describe(&error),
                    "the newer keys are trusted, but could not be kept"
                );
            }
        });
    }

    fn heard(&mut self, at: UnixMillis) {
        self.tools.metrics.heard();
        let offset = self.tools.clock.wall_millis().saturating_sub(at);
        self.tools.clock.heard(at, BootInstant::now());
        let is_off = offset.abs() > OFFSET_MS;
        if is_off && !self.clock_is_off {
            self.tools.scribe.fault(Fault {
                placement: None,
                code: "clock_offset".to_owned(),
                message: format!(
                    "the host's clock is {offset} ms ahead of the coordinator's; set up NTP there"
                ),
            });
        }
        self.clock_is_off = is_off;
    }
}

async fn publish(
    tools: &Tools,
    publisher: &Publisher,
    make: impl FnOnce() -> Vec<FromAgent> + Send + 'static,
) {
    let Ok(messages) = tokio::task::spawn_blocking(make).await else {
        return;
    };
    for message in messages {
        if !send(tools, publisher, &message, None).await {
            return;
        }
    }
}

/// Sends a hello and the states that follow it. Jobs go on meanwhile: what was read before one of them ended is not told
/// after its result, or the coordinator would take a release that was just collected for one that lies there. Without
/// all its states a hello settles nothing, so the next beat brings the question for another.
async fn introduce(tools: &Arc<Tools>, publisher: &Publisher, introduction: Introduction) {
    let mut told = Vec::new();
    let mut done = 0;
    for _ in 0..READINGS {
        done = tools.running.done();
        let (making, introduction) = (Arc::clone(tools), introduction.clone());
        let Ok(read) = tokio::task::spawn_blocking(move || state::hello(&making, introduction)).await else {
            return;
        };
        told = read;
        if tools.running.done() == done {
            break;
        }
    }
    for message in told {
        let is_late = matches!(message, FromAgent::PlacementState(_)) && tools.running.done() != done;
        if is_late || !send(tools, publisher, &message, None).await {
            return;
        }
    }
}

/// Signs and sends a message; says whether the broker has it. What is lost is repeated by whoever wants an answer.
async fn send(
    tools: &Tools,
    publisher: &Publisher,
    message: &FromAgent,
    trace: Option<&TraceParent>,
) -> bool {
    let key = report_key(&tools.host, message.key());
    let bytes = tools.key.sign_from_agent(message).to_bytes();
    match publisher.publish(&REPORTS, &key, &bytes, trace).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(key, error = describe(&error), "a message was not sent");
            false
        }
    }
}

async fn adopt_root(tools: &Tools, order: Adopt) -> Result<(), String> {
    if !tools.config.allows_root(&order.root) {
        return Err(format!(
            "the root {} lies below none of agent.roots in this host's configuration; add its folder there",
            order.root
        ));
    }
    let policy = tools.policy().map_err(|error| describe(&error))?;
    let record = RootRecord {
        placement: order.placement,
        root: order.root,
    };
    let adopted = adopt(
        &policy,
        &tools.state.roots,
        &record,
        &order.slots,
        order.generation,
    )
    .await;
    adopted.map(drop).map_err(|error| describe(&error))
}

/// Records the roots that the coordinator knows and this host does not; says whether there were any.
fn record_roots(tools: &Tools, placements: Vec<KnownPlacement>) -> bool {
    let policy = match tools.policy() {
        Ok(policy) => policy,
        Err(error) => {
            tracing::error!(error = describe(&error), "no root is recorded");
            return false;
        }
    };
    let mut news = false;
    for known in placements {
        let record = RootRecord {
            placement: known.placement,
            root: known.root,
        };
        let allowed = tools.config.allows_root(&record.root) && policy.check_root(&record.root).is_ok();
        if !allowed || tools.state.roots.knows(&record) {
            continue;
        }
        match tools.state.roots.record(&record) {
            Ok(()) => news = true,
            Err(error) => {
                tracing::error!(root = %record.root, error = describe(&error), "a root is not recorded");
            }
        }
    }
    news
}
