//! Log chunks, stored once each by (stream, epoch, number), in whatever order they come.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use pointsman_domain::log_marks;
use pointsman_shared::wire::logs::{LogChunk, LogContent};
use sqlx::PgConnection;

use crate::jobs::epoch_column;
use crate::{StoreError, StoreResult};

/// What became of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is stored, now or before.
    Kept,
    /// The stream is not this host's: no epoch of its job was ever granted to it.
    NotItsStream,
}

/// Stores a chunk of a stream whose epoch was granted to the chunk's host, whatever state the job is in by now.
pub async fn append(conn: &mut PgConnection, chunk: &LogChunk, now: DateTime<Utc>) -> StoreResult<Stored> {
    let owned = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM job JOIN attempt ON attempt.job_id = job.id
               WHERE job.log_stream_id = $1 AND attempt.epoch = $2 AND attempt.host_id = $3
               UNION ALL
               SELECT 1 FROM log_stream WHERE id = $1 AND kind <> 'job' AND host_id = $3) AS "owned!""#,
        chunk.stream.0,
        epoch_column(chunk.epoch),
        chunk.host.as_str(),
    )
    .fetch_one(&mut *conn)
    .await?;
    if !owned {
        return Ok(Stored::NotItsStream);
    }
    let content = storable(&chunk.content);
    let (lines, body, marks) = match content.as_ref() {
        LogContent::Lines(lines) => {
            let marks = log_marks::read(chunk.first_line, lines);
            (lines.len() as u64, Some(log_marks::searchable(lines)), marks)
        }
        LogContent::Gap { lines, .. } => (*lines, None, Vec::new()),
    };
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let wrong = |error| StoreError::inconsistent("log_chunk", chunk.stream, error);
    let content = serde_json::to_value(&content).map_err(wrong)?;
    let marks = if marks.is_empty() {
        None
    } else {
        Some(serde_json::to_value(&marks).map_err(wrong)?)
    };
    sqlx::query!(
        "INSERT INTO log_chunk (stream_id, epoch, seq, stage, first_line, line_count, byte_offset, content, received_at,
                                body, marks)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        chunk.stream.0,
        epoch_column(chunk.epoch),
        number(chunk.seq),
        chunk.stage.replace('\0', ""),
        number(chunk.first_line),
        number(lines),
        number(chunk.offset),
        content,
        now,
        body,
        marks,
    )
    .execute(conn)
    .await?;
    Ok(Stored::Kept)
}

/// The database holds no NUL; a program that writes one must not make its log impossible to keep.
fn storable(content: &LogContent) -> Cow<'_, LogContent> {
    let LogContent::Lines(lines) = content else {
        return Cow::Borrowed(content);
    };
    if lines.iter().all(|line| !line.text.contains('\0')) {
        return Cow::Borrowed(content);
    }
    let mut lines = lines.clone();
    for line in &mut lines {
        line.text = line.text.replace('\0', "\u{2400}");
    }
    Cow::Owned(LogContent::Lines(lines))
}
