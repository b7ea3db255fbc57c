//! The stream of events, kept open: it reconnects by itself and goes on after the last cursor it saw.
//!
//! Events only say that something is worth a look. Whoever follows reads the state itself, so a stream that is away for
//! a while costs time, never truth.

use std::time::Duration;

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use pointsman_shared::api::events::Event;
use reqwest::header::ACCEPT;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Client, refusal};
use crate::error::CliError;

/// The first wait before a new connection; doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// What comes over the stream.
#[derive(Debug)]
pub enum Signal {
    /// Connected, first or again: what happened in between was not told.
    Connected,
    /// Something happened.
    Event(Box<Event>),
    /// The coordinator does not give events; nothing more will come.
    Refused(CliError),
}

/// An open stream; closed when dropped.
#[derive(Debug)]
pub struct EventStream {
    signals: mpsc::Receiver<Signal>,
    task: JoinHandle<()>,
}

impl EventStream {
    /// Opens the stream: what comes after the cursor, or after now.
    pub fn open(client: &Client, after: Option<i64>) -> Self {
        let (sender, signals) = mpsc::channel(256);
        let client = client.clone();
        let task = tokio::spawn(async move { keep_open(client, after, sender).await });
        Self { signals, task }
    }

    /// Waits until the stream is open, but no longer than `patience`: events are a comfort, not a condition.
    pub async fn opened(&mut self, patience: Duration) {
        // Only `Connected` can be first, or a refusal, which a follower does without.
        let _first: Result<_, tokio::time::error::Elapsed> =
            tokio::time::timeout(patience, self.signals.recv()).await;
    }

    /// The next signal; waits for ever once the stream was refused. Losing the wait loses no signal.
    pub async fn next(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// A signal that is already here.
    pub fn ready(&mut self) -> Option<Signal> {
        self.signals.try_recv().ok()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_open(client: Client, mut after: Option<i64>, sender: mpsc::Sender<Signal>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match read_one_connection(&client, &mut after, &sender, &mut pause).await {
            Ok(()) => {}
            Err(error) if error.is_passing() => client.printer.trace(&format!("events: {error}")),
            Err(error) => {
                // The receiver may be gone, then nobody needs to know.
                sender.send(Signal::Refused(error)).await.ok();
                return;
            }
        }
        if sender.is_closed() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn read_one_connection(
    client: &Client,
    after: &mut Option<i64>,
    sender: &mpsc::Sender<Signal>,
    pause: &mut Duration,
) -> Result<(), CliError> {
    let query: Vec<_> = after
        .map(|cursor| ("after", cursor.to_string()))
        .into_iter()
        .collect();
    let url = client.address(&["events"], &query);
    let response = client
        .streaming
        .get(url.clone())
        .header(ACCEPT, "text/event-stream")
        .bearer_auth(client.token.secret())
        .send()
        .await
        .map_err(|error| client.network(error, super::STREAM_SILENCE))?;
    let status = response.status();
    client
        .printer
        .trace(&format!("GET {url} {} (stream)", status.as_u16()));
    if !status.is_success() {
        let text = response
            .text()
            .await
            .map_err(|error| client.network(error, super::STREAM_SILENCE))?;
        return Err(refusal(&url, status, &text));
    }
    let mut events = response.bytes_stream().eventsource();
    if sender.send(Signal::Connected).await.is_err() {
        return Ok(());
    }
    while let Some(Ok(message)) = events.next().await {
        // An event of a newer coordinator that we cannot read is no reason to stop; its cursor still counts.
        *after = message.id.parse().ok().or(*after);
        *pause = FIRST_PAUSE;
        if let Ok(event) = serde_json::from_str::<Event>(&message.data)
            && sender.send(Signal::Event(Box::new(event))).await.is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}
