//! Writes reports into the spool, in order and for certain: when the disk does not take one, it is tried until it does.

use std::sync::Arc;
use std::time::Duration;

use pointsman_shared::clock::Clock;
use pointsman_shared::ids::InstanceId;
use pointsman_shared::wire::TraceParent;
use pointsman_shared::wire::from_agent::{Fault, ReportContent};
use tokio::sync::{mpsc, oneshot};

use crate::describe::describe;
use crate::spool::{ReportSpool, StoredReport};

/// Pause before a report is written again.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest message of a fault, in characters.
const MESSAGE: usize = 2000;

struct Entry {
    report: StoredReport,
    written: Option<oneshot::Sender<()>>,
}

/// A handle to the writer; it never waits unless asked to.
#[derive(Clone)]
pub(super) struct Scribe {
    entries: mpsc::UnboundedSender<Entry>,
    instance: InstanceId,
    wall: Arc<dyn Clock>,
    trace: Option<TraceParent>,
}

impl Scribe {
    /// Starts the writer; it ends with its last handle.
    pub(super) fn start(spool: Arc<ReportSpool>, instance: InstanceId, wall: Arc<dyn Clock>) -> Self {
        let (entries, mut inbox) = mpsc::unbounded_channel::<Entry>();
        tokio::spawn(async move {
            while let Some(entry) = inbox.recv().await {
                write(&spool, entry.report).await;
                if let Some(written) = entry.written {
                    // Whoever waited may have gone; the report is safe all the same.
                    let _told = written.send(());
                }
            }
        });
        Self {
            entries,
            instance,
            wall,
            trace: None,
        }
    }

    /// The same writer in the name of a job with this trace.
    pub(super) fn with_trace(&self, trace: Option<TraceParent>) -> Self {
        Self {
            trace,
            ..self.clone()
        }
    }

    /// Reports without waiting.
    pub(super) fn report(&self, content: ReportContent) {
        self.send(content, None);
    }

    /// Reports a fault, cut to a bearable length.
    pub(super) fn fault(&self, fault: Fault) {
        let message = fault.message.chars().take(MESSAGE).collect();
        self.report(ReportContent::Fault(Fault { message, ..fault }));
    }

    /// Reports and returns when the report is durable.
    pub(super) async fn report_durably(&self, content: ReportContent) {
        let (written, wait) = oneshot::channel();
        self.send(content, Some(written));
        drop(wait.await);
    }

    fn send(&self, content: ReportContent, written: Option<oneshot::Sender<()>>) {
        let report = StoredReport {
            instance: self.instance,
            at: self.wall.now().timestamp_millis(),
            content,
            trace: self.trace.clone(),
        };
        // The writer ends only with the process.
        drop(self.entries.send(Entry { report, written }));
    }
}

async fn write(spool: &Arc<ReportSpool>, report: StoredReport) {
    loop {
        let (spool, copy) = (Arc::clone(spool), report.clone());
        match tokio::task::spawn_blocking(move || spool.append(copy)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => {
                tracing::error!(error = describe(&error), "a report cannot be kept, trying again");
            }
            Err(error) => tracing::error!(%error, "a report cannot be kept, trying again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}
