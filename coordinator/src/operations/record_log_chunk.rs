//! Stores a chunk of a log; storing it twice is storing it once.

use pointsman_shared::wire::LogChunk;
use pointsman_shared::wire::logs::LogContent;
use pointsman_store::logs::{self, Stored};

use super::act;
use crate::app::App;
use crate::error::OperationResult;

/// Stores a verified chunk. The answer tells whether the stream is the host's own.
pub async fn execute(app: &App, chunk: &LogChunk) -> OperationResult<Stored> {
    let mut tx = app.store.begin().await?;
    let now = pointsman_store::now(&mut tx).await?;
    let stored = logs::append(&mut tx, chunk, now).await?;
    act::commit(tx).await?;
    if stored == Stored::Kept
        && let LogContent::Lines(lines) = &chunk.content
    {
        let bytes = lines.iter().map(|line| line.text.len() as u64).sum();
        app.metrics.process.took_lines(bytes);
    }
    Ok(stored)
}
