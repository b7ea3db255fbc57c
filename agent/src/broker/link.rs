//! The supervisor of the connection: one session after another, with growing, jittered pauses in between.

use std::time::Duration;

use pointsman_shared::name::HostId;
use pointsman_shared::wire::TraceParent;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connection::BrokerAddress;
use super::publisher::{Publisher, Stage, publisher};
use super::session::{Ending, Session};
use crate::describe::describe;
use crate::dispatcher::{Chance, DeliveryId, JobQueue, Settle};
use crate::letter::Door;

/// Pause after the first failed connection; it doubles.
const FIRST: Duration = Duration::from_millis(500);
/// Longest pause after the broker itself said no: asking again soon would not help, and would load it.
const LONGEST: Duration = Duration::from_mins(5);
/// Longest pause while nobody answers. A knock on a closed port costs nobody anything, and an agent that comes back
/// late is called absent: coordinators count from their own return.
const LONGEST_UNANSWERED: Duration = Duration::from_secs(3);
/// A session that lived this long was a good one: the next failure starts with short pauses.
const GOOD: Duration = Duration::from_secs(30);

/// A queue this agent consumes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Queue {
    /// The host's control queue.
    Control,
    /// A queue of offers.
    Jobs(JobQueue),
}

impl Queue {
    /// What may come over it.
    pub const fn door(&self) -> Door {
        match self {
            Self::Control => Door::Control,
            Self::Jobs(_) => Door::Jobs,
        }
    }
}

/// A message that came.
#[derive(Debug)]
pub struct Delivered {
    /// To settle it by.
    pub id: DeliveryId,
    /// Where it came from.
    pub queue: Queue,
    /// Its bytes, not looked at yet.
    pub bytes: Vec<u8>,
    /// The trace context beside it.
    pub trace: Option<TraceParent>,
}

/// What the link tells.
#[derive(Debug)]
pub enum LinkEvent {
    /// Connected, and the control queue is consumed.
    Up,
    /// The connection is gone; its deliveries cannot be settled any more.
    Down,
    /// A message.
    Delivered(Delivered),
}

/// What the link is told. Commands are obeyed in order.
#[derive(Debug)]
pub enum Command {
    /// Begin to consume a queue; tried again while the broker refuses.
    Consume(JobQueue),
    /// Stop consuming it.
    Stop(JobQueue),
    /// Settle a delivery.
    Settle(DeliveryId, Settle),
    /// Throw the connection away and make another.
    Rebuild,
}

/// The supervisor.
pub struct Link {
    address: BrokerAddress,
    host: HostId,
    chance: Box<dyn Chance>,
    stages: [Stage; 2],
    events: mpsc::Sender<LinkEvent>,
    commands: mpsc::UnboundedReceiver<Command>,
    deliveries: u64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The ends of a link that others hold.
#[derive(Debug)]
pub struct Ends {
    /// What happens.
    pub events: mpsc::Receiver<LinkEvent>,
    /// What to do.
    pub commands: mpsc::UnboundedSender<Command>,
    /// Publishes messages.
    pub messages: Publisher,
    /// Publishes log chunks; apart, so that a flood of lines never delays a heartbeat.
    pub logs: Publisher,
}

impl Link {
    /// A link that does nothing until it is run.
    pub fn new(address: BrokerAddress, host: HostId, chance: Box<dyn Chance>) -> (Self, Ends) {
        let (tell, events) = mpsc::channel(64);
        let (command, commands) = mpsc::unbounded_channel();
        let (messages_stage, messages) = publisher();
        let (logs_stage, logs) = publisher();
        let link = Self {
            address,
            host,
            chance,
            stages: [messages_stage, logs_stage],
            events: tell,
            commands,
            deliveries: 0,
        };
        let ends = Ends {
            events,
            commands: command,
            messages,
            logs,
        };
        (link, ends)
    }

    /// Keeps a connection until `stop`, then closes it.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = FIRST;
        while !stop.is_cancelled() {
            let begun = tokio::time::Instant::now();
            let ending = self.session(&stop).await;
            for stage in &self.stages {
                stage.clear();
            }
            // Nobody listens only when the agent ends.
            drop(self.events.send(LinkEvent::Down).await);
            let wait = match ending {
                Ending::Stopped => return,
                Ending::Rebuild => Duration::ZERO,
                Ending::Failed(error) => {
                    if begun.elapsed() >= GOOD {
                        pause = FIRST;
                    }
                    let longest = if error.is_an_answer() {
                        LONGEST
                    } else {
                        LONGEST_UNANSWERED
                    };
                    let wait = pause.min(longest).mul_f64(0.5 + self.chance.fraction() / 2.0);
                    pause = longest.min(pause * 2);
                    tracing::warn!(
                        error = describe(&error),
                        "no connection to the broker, trying again in {wait:?}"
                    );
                    wait
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn session(&mut self, stop: &CancellationToken) -> Ending {
        // Commands for a connection that is gone mean nothing to the next one: its dispatcher starts with `Up`.
        while self.commands.try_recv().is_ok() {}
        let opening = Session::open(&self.address, &self.host);
        let mut session = tokio::select! {
            () = stop.cancelled() => return Ending::Stopped,
            opened = opening => match opened {
                Ok(session) => session,
                Err(error) => return Ending::Failed(error),
            },
        };
        for (stage, channel) in self.stages.iter().zip(session.publishing()) {
            stage.set(channel);
        }
        tracing::info!(broker = self.address.broker(), "connected to the broker");
        if self.events.send(LinkEvent::Up).await.is_err() {
            return Ending::Stopped;
        }
        session
            .run(&self.events, &mut self.commands, &mut self.deliveries, stop)
            .await
    }
}
