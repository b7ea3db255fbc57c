//! A job's log by line number: lines and gaps in order, and whether all of it is here.
//!
//! Chunks may arrive late. A page ends before lines that are still on their way, so that a reader who goes on after
//! the last number it saw misses nothing; a while after the attempt's end they are shown as missing.

use chrono::{DateTime, TimeDelta, Utc};
use pointsman_shared::api::jobs::{LogPage, NumberedLine};
use pointsman_shared::ids::StreamId;
use pointsman_shared::wire::logs::{LogContent, LogSource};
use sqlx::PgConnection;

use crate::{StoreError, StoreResult};

/// How long after an attempt's end lines are waited for.
const STRAGGLERS: TimeDelta = TimeDelta::minutes(1);

/// Lines with a higher number than `after`, of the attempt `epoch` or the newest one. None when there is no such job.
pub async fn page(
    conn: &mut PgConnection,
    job: i64,
    epoch: Option<u32>,
    after: u64,
    limit: usize,
) -> StoreResult<Option<LogPage>> {
    let epoch = epoch.map(|epoch| i32::try_from(epoch).unwrap_or(i32::MAX));
    let Some(head) = head(conn, job, epoch).await? else {
        return Ok(None);
    };
    let (chunks, more) = chunks(conn, &head, after, limit).await?;
    let now = crate::now(conn).await?;
    let given_up = head.ended_at.is_some_and(|ended_at| ended_at + STRAGGLERS < now);
    let mut reading = Reading {
        reached: after,
        lines: Vec::new(),
        limit,
        given_up: given_up.then_some(now),
    };
    let whole = chunks.into_iter().all(|chunk| reading.take(chunk)) && !more;
    if whole && let (Some(at), Some(total)) = (reading.given_up, head.total) {
        reading.note_missing(total + 1, at);
    }
    Ok(Some(LogPage {
        stream: head.stream,
        epoch: u32::try_from(head.epoch).unwrap_or_default(),
        total: head.total,
        complete: head.over && whole && head.total.is_none_or(|total| reading.reached >= total),
        lines: reading.lines,
    }))
}

pub(super) struct Head {
    pub(super) stream: StreamId,
    pub(super) epoch: i32,
    pub(super) total: Option<u64>,
    pub(super) over: bool,
    pub(super) failed: bool,
    ended_at: Option<DateTime<Utc>>,
}

/// The stream, the attempt that is meant, how many lines it wrote, and whether no more can come. A lost attempt never
/// says how many lines it wrote; it is over all the same.
pub(super) async fn head(conn: &mut PgConnection, job: i64, epoch: Option<i32>) -> StoreResult<Option<Head>> {
    let row = sqlx::query!(
        r#"SELECT job.log_stream_id, job.ended_at AS job_ended, job.epoch AS newest, job.state, COALESCE($2, job.epoch) AS "epoch!",
                  attempt.log_lines AS "log_lines?", attempt.ended_at AS "attempt_ended?"
           FROM job LEFT JOIN attempt ON attempt.job_id = job.id AND attempt.epoch = COALESCE($2, job.epoch)
           WHERE job.number = $1"#,
        job,
        epoch,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Head {
        stream: StreamId(row.log_stream_id),
        epoch: row.epoch,
        total: row.log_lines.map(unsigned),
        failed: matches!(row.state.as_str(), "failed" | "indeterminate" | "abandoned"),
        over: row.job_ended.is_some() || (row.epoch < row.newest && row.attempt_ended.is_some()),
        ended_at: row.attempt_ended.or(row.job_ended),
    }))
}

struct Chunk {
    stage: String,
    first_line: u64,
    content: LogContent,
    received_at: DateTime<Utc>,
}

/// The chunks that hold the next lines, and whether there are more. The first is found by the index: the last one
/// that begins no later than the wanted line; chunks that follow are taken until they hold enough.
async fn chunks(
    conn: &mut PgConnection,
    head: &Head,
    after: u64,
    limit: usize,
) -> StoreResult<(Vec<Chunk>, bool)> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX).max(1);
    let rows = sqlx::query!(
        r#"SELECT stage, first_line, content, received_at, found AS "found!"
           FROM (SELECT stage, first_line, seq, content, received_at, count(*) OVER () AS found,
                        sum(ahead) OVER (ORDER BY first_line, seq)::bigint - ahead AS before
                 FROM (SELECT stage, first_line, seq, content, received_at,
                              LEAST(line_count, first_line + line_count - $3) AS ahead
                       FROM log_chunk
                       WHERE stream_id = $1 AND epoch = $2 AND first_line > $3 - line_count AND first_line >= COALESCE(
                           (SELECT max(first_line) FROM log_chunk
                            WHERE stream_id = $1 AND epoch = $2 AND first_line <= $3), 0)
                       ORDER BY first_line, seq LIMIT $4) AS next) AS counted
           WHERE before < $4 ORDER BY first_line, seq"#,
        head.stream.0,
        head.epoch,
        i64::try_from(after).unwrap_or(i64::MAX).saturating_add(1),
        most,
    )
    .fetch_all(conn)
    .await?;
    let taken = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let more = rows
        .first()
        .is_some_and(|row| row.found >= most || row.found > taken);
    let chunks = rows.into_iter().map(|row| {
        Ok(Chunk {
            stage: row.stage,
            first_line: unsigned(row.first_line),
            content: serde_json::from_value(row.content)
                .map_err(|error| StoreError::inconsistent("log_chunk", head.stream, error))?,
            received_at: row.received_at,
        })
    });
    Ok((chunks.collect::<StoreResult<_>>()?, more))
}

/// Lines put in order, one after the other.
struct Reading {
    reached: u64,
    lines: Vec<NumberedLine>,
    limit: usize,
    given_up: Option<DateTime<Utc>>,
}

impl Reading {
    /// Takes a chunk; false when the page is full, or when lines before it are still on their way.
    fn take(&mut self, chunk: Chunk) -> bool {
        if chunk.first_line > self.reached + 1 {
            match self.given_up {
                Some(at) => self.note_missing(chunk.first_line, at),
                None => return false,
            }
        }
        match chunk.content {
            LogContent::Lines(lines) => {
                for (number, line) in (chunk.first_line..).zip(lines) {
                    if number <= self.reached {
                        continue;
                    }
                    let at = DateTime::from_timestamp_millis(line.at).unwrap_or(chunk.received_at);
                    if !self.push(number, at, &chunk.stage, line.source, line.text, 0) {
                        return false;
                    }
                }
                true
            }
            LogContent::Gap { lines, bytes, reason } => {
                let first = chunk.first_line.max(self.reached + 1);
                let missing = (chunk.first_line + lines).saturating_sub(first);
                let text = format!("{missing} lines ({bytes} bytes) are missing: {reason}");
                missing == 0
                    || self.push(
                        first,
                        chunk.received_at,
                        &chunk.stage,
                        LogSource::Agent,
                        text,
                        missing,
                    )
            }
        }
    }

    /// Says that lines before `next` never arrived.
    fn note_missing(&mut self, next: u64, at: DateTime<Utc>) {
        let missing = next.saturating_sub(self.reached + 1);
        if missing > 0 {
            let text = format!("{missing} lines have not arrived");
            self.push(self.reached + 1, at, "", LogSource::Agent, text, missing);
        }
    }

    fn push(
        &mut self,
        line: u64,
        at: DateTime<Utc>,
        stage: &str,
        source: LogSource,
        text: String,
        gap: u64,
    ) -> bool {
        if self.lines.len() >= self.limit {
            return false;
        }
        self.reached = line + gap.max(1) - 1;
        self.lines.push(NumberedLine {
            line,
            at,
            stage: stage.to_owned(),
            source,
            text,
            gap,
        });
        true
    }
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
