//! The agent's one loop: events in, actions out, until it is told to end.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::from_agent::{Fault, ReportContent};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::perform::Performer;
use super::prepare::{PrepareError, Prepared, prepare};
use super::tools::Tools;
use super::{scrape, screen, survivors};
use crate::broker::{Delivered, Link, LinkEvent, Queue, Reporter, ship_logs};
use crate::chance::SystemChance;
use crate::config::Config;
use crate::crash_point;
use crate::dispatcher::{Action, Dispatcher, Event, Me};
use crate::letter::{Letter, open};
use crate::lifecycle::{self, Signal, Signals};

/// Longest sleep: timers stop while a machine sleeps, so the boot clock is asked again at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How often surviving processes are looked for.
const LOOK: Duration = Duration::from_secs(10);
/// How long the last reports and lines are waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How an agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left running.
    Drained,
    /// Somebody asked twice: what ran is left to recovery.
    Hard,
}

/// Runs an agent for `kinds` until a signal ends it.
pub async fn run(config: &Config, kinds: &[JobKind], mut signals: Signals) -> Result<Ending, PrepareError> {
    let prepared = tokio::select! {
        prepared = prepare(config, kinds, Arc::new(SystemClock), &SystemIds) => prepared?,
        _ = signals.next() => return Ok(Ending::Drained),
    };
    let mut edge = Edge::start(prepared, kinds)?;
    // What the predecessor left is in order; whether the broker can be reached is no matter of starting.
    lifecycle::tell_ready();
    if let Some(listen) = config.metrics.listen {
        let scraped = scrape::run(Arc::clone(&edge.tools), listen, edge.stop.clone());
        edge.services.spawn(scraped);
    }
    let ending = edge.until_told(&mut signals).await;
    if ending == Ending::Drained {
        edge.say_goodbye(&mut signals).await;
        edge.last_words(&mut signals).await;
    }
    edge.stop.cancel();
    edge.services.close();
    // The connection closes politely, but nobody waits long for manners.
    drop(tokio::time::timeout(LAST_WORDS, edge.services.wait()).await);
    Ok(ending)
}

struct Edge {
    tools: Arc<Tools>,
    dispatcher: Dispatcher,
    performer: Performer,
    link: mpsc::Receiver<LinkEvent>,
    events: mpsc::UnboundedReceiver<Event>,
    services: TaskTracker,
    stop: CancellationToken,
}

impl Edge {
    fn start(prepared: Prepared, kinds: &[JobKind]) -> Result<Self, PrepareError> {
        let Prepared {
            tools,
            files,
            instances,
            broker,
        } = prepared;
        let me = Me {
            host: tools.host.clone(),
            instance: tools.instance,
            previous: instances.previous().to_vec(),
            slots: tools.config.slots,
            kinds: kinds.to_vec(),
            drain_grace: tools.config.drain_grace(),
        };
        let dispatcher = Dispatcher::new(me, tools.keys().version, Box::new(SystemChance::new()?));
        let (link, ends) = Link::new(broker, tools.host.clone(), Box::new(SystemChance::new()?));
        let (tell, events) = mpsc::unbounded_channel();
        let (services, stop) = (TaskTracker::new(), CancellationToken::new());
        let reporter = Reporter {
            spool: Arc::clone(&tools.reports),
            publisher: ends.messages.clone(),
            host: tools.host.clone(),
            key: Arc::clone(&tools.key),
            sent: watch::Sender::new(tools.reports.acknowledged()),
        };
        let sent = reporter.sent.subscribe();
        services.spawn(link.run(stop.clone()));
        services.spawn(reporter.run(stop.clone()));
        let shipping = ship_logs(
            Arc::clone(&tools.logs),
            ends.logs,
            Arc::clone(&tools.key),
            stop.clone(),
        );
        services.spawn(shipping);
        services.spawn(watch_survivors(Arc::clone(&tools), tell.clone(), stop.clone()));
        let performer = Performer {
            tools: Arc::clone(&tools),
            files: Arc::new(files),
            instances: Arc::new(instances),
            commands: ends.commands,
            messages: ends.messages,
            sent,
            events: tell,
            tasks: TaskTracker::new(),
            kinds: kinds.to_vec(),
            clock_is_off: false,
        };
        Ok(Self {
            tools,
            dispatcher,
            performer,
            link: ends.events,
            events,
            services,
            stop,
        })
    }

    async fn until_told(&mut self, signals: &mut Signals) -> Ending {
        loop {
            let sleep = self.dispatcher.wake_at().remaining().min(LONGEST_SLEEP);
            let event = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Soft => {
                        tracing::info!("draining: nothing new is taken, a second signal ends at once");
                        Some(Event::Drain)
                    }
                    Signal::Hard => return Ending::Hard,
                },
                Some(happened) = self.link.recv() => self.translate(happened),
                Some(event) = self.events.recv() => Some(event),
                () = tokio::time::sleep(sleep) => Some(Event::Tick),
            };
            if let Some(event) = event
                && self.handle(event)
            {
                return Ending::Drained;
            }
        }
    }

    /// Lets the dispatcher decide and does it; says whether the agent may end.
    fn handle(&mut self, event: Event) -> bool {
        let actions = self.dispatcher.handle(event, &self.tools.now());
        if actions.iter().any(|action| matches!(action, Action::Begin(_))) {
            crash_point!(C6);
        }
        self.tools.metrics.refused(self.dispatcher.refused());
        let mut may_end = false;
        for action in actions {
            may_end |= self.performer.perform(action, self.dispatcher.refused());
        }
        may_end
    }

    fn translate(&mut self, happened: LinkEvent) -> Option<Event> {
        match happened {
            LinkEvent::Up => {
                self.tools.metrics.broker_is(true);
                Some(Event::Up)
            }
            LinkEvent::Down => {
                self.tools.metrics.broker_is(false);
                Some(Event::Down)
            }
            LinkEvent::Delivered(delivered) => self.read(delivered),
        }
    }

    /// Opens a letter. An offer is screened where disks may be read and comes back as an event of its own.
    fn read(&self, delivered: Delivered) -> Option<Event> {
        let Delivered {
            id,
            queue,
            bytes,
            trace,
        } = delivered;
        match (
            open(&bytes, queue.door(), &self.tools.keys(), &self.tools.host),
            queue,
        ) {
            (Err(refusal), _) => Some(Event::Refused(id, refusal)),
            (Ok(Letter::Control(message)), _) => Some(Event::Control(id, Box::new(message))),
            (Ok(Letter::Offer(offer)), Queue::Jobs(queue)) => {
                let (tools, events) = (Arc::clone(&self.tools), self.performer.events.clone());
                self.performer.tasks.spawn_blocking(move || {
                    drop(events.send(screen::screen(&tools, id, queue, offer, trace)));
                });
                None
            }
            // `open` lets no offer through the control door.
            (Ok(Letter::Offer(_)), Queue::Control) => None,
        }
    }

    /// Says that it ends, so that nobody waits for missed beats to see it. Not where nobody listens: it would only be
    /// waited for.
    async fn say_goodbye(&self, signals: &mut Signals) {
        if !self.dispatcher.is_heard() {
            return;
        }
        let goodbye = ReportContent::Fault(Fault {
            placement: None,
            code: Fault::STOPPING.to_owned(),
            message: "the agent was asked to end".to_owned(),
        });
        tokio::select! {
            () = self.tools.scribe.report_durably(goodbye) => {}
            _ = signals.next() => {}
            () = tokio::time::sleep(LAST_WORDS) => {}
        }
    }

    /// Waits until what was said has arrived, as far as it does soon; answers still come in meanwhile.
    async fn last_words(&mut self, signals: &mut Signals) {
        let until = tokio::time::Instant::now() + LAST_WORDS;
        while self.tools.reports.waiting() > 0 || !self.tools.logs.is_empty() {
            let event = tokio::select! {
                _ = signals.next() => return,
                () = tokio::time::sleep_until(until) => return,
                () = tokio::time::sleep(Duration::from_millis(20)) => continue,
                Some(happened) = self.link.recv() => self.translate(happened),
                Some(event) = self.events.recv() => Some(event),
            };
            if let Some(event) = event {
                self.handle(event);
            }
        }
    }
}

/// Tells when a process that kept a placement closed is gone, or a new one stays.
async fn watch_survivors(tools: Arc<Tools>, events: mpsc::UnboundedSender<Event>, stop: CancellationToken) {
    let mut known = Vec::new();
    let mut first = true;
    loop {
        let looking = Arc::clone(&tools);
        if let Ok(found) = tokio::task::spawn_blocking(move || survivors::find(&looking)).await {
            if !first && found != known {
                drop(events.send(Event::StateChanged));
            }
            known = found;
            first = false;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
