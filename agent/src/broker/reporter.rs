//! Sends the report spool: in order, all of it again over a new connection, and again when nobody acknowledges.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::name::HostId;
use pointsman_shared::wire::from_agent::{Report, ReportContent};
use pointsman_shared::wire::topology::{REPORTS, report_key};
use pointsman_shared::wire::{FromAgent, SigningKey, VERSION};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use crate::crash_point;
use crate::describe::describe;
use crate::spool::{ReportSpool, StoredReport};

/// Pause before unacknowledged reports are sent again; it doubles.
const FIRST: Duration = Duration::from_secs(5);
/// Longest pause.
const LONGEST: Duration = Duration::from_mins(1);
/// Pause after a report that was not confirmed.
const UNCONFIRMED: Duration = Duration::from_secs(1);

/// Sends reports until it is stopped.
#[derive(Debug)]
pub struct Reporter {
    /// The spool.
    pub spool: Arc<ReportSpool>,
    /// How to publish.
    pub publisher: Publisher,
    /// The host.
    pub host: HostId,
    /// Its key.
    pub key: Arc<SigningKey>,
    /// Where the highest number that the broker has is told.
    pub sent: watch::Sender<u64>,
}

impl Reporter {
    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        while self.publisher.until_connected().await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.over_one_connection() => {}
            }
        }
    }

    async fn over_one_connection(&mut self) {
        let mut news = self.spool.news();
        let mut connection = self.publisher.clone();
        // Whatever is the connection now is the one we speak of.
        connection.until_connected().await;
        let mut sent = self.spool.acknowledged();
        let mut pause = FIRST;
        loop {
            while let Some((seq, report)) = self.spool.after(sent.max(self.spool.acknowledged())) {
                if !self.send(seq, &report).await {
                    tokio::select! {
                        () = connection.until_changed() => return,
                        () = tokio::time::sleep(UNCONFIRMED) => continue,
                    }
                }
                sent = seq;
                self.sent.send_if_modified(|highest| {
                    let higher = seq > *highest;
                    *highest = seq.max(*highest);
                    higher
                });
            }
            tokio::select! {
                () = connection.until_changed() => return,
                changed = news.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    pause = FIRST;
                }
                () = tokio::time::sleep(pause), if self.spool.waiting() > 0 => {
                    sent = self.spool.acknowledged();
                    pause = LONGEST.min(pause * 2);
                }
            }
        }
    }

    /// Sends one report; says whether the broker has it.
    async fn send(&self, seq: u64, report: &StoredReport) -> bool {
        let is_result = matches!(report.content, ReportContent::Result(_));
        let message = FromAgent::Report(Report {
            v: VERSION,
            host: self.host.clone(),
            instance: report.instance,
            spool: self.spool.id(),
            seq,
            at: report.at,
            content: report.content.clone(),
        });
        let key = report_key(&self.host, message.key());
        let bytes = self.key.sign_from_agent(&message).to_bytes();
        match self
            .publisher
            .publish(&REPORTS, &key, &bytes, report.trace.as_ref())
            .await
        {
            Ok(()) => {
                if is_result {
                    crash_point!(C16);
                }
                true
            }
            Err(error) => {
                tracing::warn!(
                    seq,
                    error = describe(&error),
                    "a report was not sent, trying again"
                );
                false
            }
        }
    }
}
