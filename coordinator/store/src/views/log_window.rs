//! A long log as a window shows it: how far it reaches, its stages and marks, and the lines that a search finds.
//!
//! It is all about the newest attempt. What is counted here is what is stored; lines that are on their way count when
//! they arrive.

use chrono::DateTime;
use pointsman_domain::log_marks::{self, Mark, MarkKind};
use pointsman_shared::api::jobs::NumberedLine;
use pointsman_shared::wire::logs::{LogLine, LogSource};
use sqlx::PgConnection;

use super::logs::{Head, head, unsigned};
use crate::{StoreError, StoreResult};

/// Marks of groups that are read of one log.
const MOST_MARKS: i64 = 2000;

/// Which lines are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    /// They hold this, whatever its case.
    pub text: String,
    /// They come from here.
    pub source: Option<LogSource>,
    /// They belong to this step.
    pub stage: Option<String>,
}

impl Sought {
    /// Whether every line is meant.
    pub fn is_all(&self) -> bool {
        self.text.is_empty() && self.source.is_none() && self.stage.is_none()
    }

    fn words(&self) -> String {
        let text = self.text.to_lowercase();
        text.chars().filter(|c| !c.is_control() || *c == '\t').collect()
    }

    fn sign(&self) -> String {
        self.source
            .map(log_marks::sign)
            .map(String::from)
            .unwrap_or_default()
    }
}

/// The lines of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its first line.
    pub first: u64,
    /// How many it has.
    pub lines: u64,
}

/// A log as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The attempt.
    pub epoch: u32,
    /// Number of its last line, or 0.
    pub last: u64,
    /// Whether the job is over.
    pub over: bool,
    /// Its steps in order.
    pub stages: Vec<Stage>,
    /// Where groups begin and end, and errors between them.
    pub marks: Vec<Mark>,
    /// How many places tell of an error.
    pub errors: u64,
}

/// How far a job's log reaches and what stands in it. None when there is no such job.
pub async fn extent(conn: &mut PgConnection, job: i64) -> StoreResult<Option<Extent>> {
    let Some(head) = head(conn, job, None).await? else {
        return Ok(None);
    };
    let stages = stages(conn, &head).await?;
    let end = |stage: &Stage| stage.first + stage.lines - 1;
    let last = stages.iter().map(end).max().unwrap_or_default();
    Ok(Some(Extent {
        epoch: u32::try_from(head.epoch).unwrap_or_default(),
        last: last.max(head.total.unwrap_or_default()),
        over: head.over,
        marks: marks(conn, &head, job).await?,
        errors: errors(conn, &head).await?,
        stages,
    }))
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Number of its last line, or 0.
    pub last: u64,
    /// Whether the job is over.
    pub over: bool,
    /// Whether it ended in a way that wants to be explained.
    pub failed: bool,
}

/// Where a job's log ends. None when there is no such job.
pub async fn end(conn: &mut PgConnection, job: i64) -> StoreResult<Option<End>> {
    let Some(head) = head(conn, job, None).await? else {
        return Ok(None);
    };
    let last = sqlx::query_scalar!(
        "SELECT first_line + line_count - 1 FROM log_chunk WHERE stream_id = $1 AND epoch = $2
         ORDER BY first_line DESC LIMIT 1",
        head.stream.0,
        head.epoch,
    )
    .fetch_optional(conn)
    .await?;
    let last = unsigned(last.flatten().unwrap_or_default());
    Ok(Some(End {
        last: last.max(head.total.unwrap_or_default()),
        over: head.over,
        failed: head.failed,
    }))
}

async fn stages(conn: &mut PgConnection, head: &Head) -> StoreResult<Vec<Stage>> {
    let rows = sqlx::query!(
        r#"SELECT stage, min(first_line) AS "first!", (max(first_line + line_count) - min(first_line))::bigint AS "lines!"
           FROM log_chunk WHERE stream_id = $1 AND epoch = $2 AND line_count > 0 GROUP BY stage ORDER BY 2"#,
        head.stream.0,
        head.epoch,
    )
    .fetch_all(conn)
    .await?;
    let stage = |name, first, lines| Stage {
        name,
        first: unsigned(first),
        lines: unsigned(lines),
    };
    Ok(rows
        .into_iter()
        .map(|row| stage(row.stage, row.first, row.lines))
        .collect())
}

/// Marks of groups, and of errors where there are groups that they could stand in.
async fn marks(conn: &mut PgConnection, head: &Head, job: i64) -> StoreResult<Vec<Mark>> {
    let rows = sqlx::query_scalar!(
        r#"SELECT mark.content AS "content!"
           FROM log_chunk, LATERAL jsonb_array_elements(marks) WITH ORDINALITY AS mark (content, place)
           WHERE stream_id = $1 AND epoch = $2 AND marks IS NOT NULL AND EXISTS (
               SELECT 1 FROM log_chunk AS any_chunk WHERE any_chunk.stream_id = $1 AND any_chunk.epoch = $2
                   AND any_chunk.marks IS NOT NULL AND any_chunk.marks @? '$[*] ? (@.kind != "error")')
           ORDER BY first_line, mark.place LIMIT $3"#,
        head.stream.0,
        head.epoch,
        MOST_MARKS,
    )
    .fetch_all(conn)
    .await?;
    let read = |content| {
        serde_json::from_value(content).map_err(|error| StoreError::inconsistent("log_chunk", job, error))
    };
    rows.into_iter().map(read).collect()
}

async fn errors(conn: &mut PgConnection, head: &Head) -> StoreResult<u64> {
    let count = sqlx::query_scalar!(
        r#"SELECT COALESCE(sum(jsonb_array_length(jsonb_path_query_array(marks, '$[*] ? (@.kind == "error")'))), 0)::bigint
                  AS "count!"
           FROM log_chunk WHERE stream_id = $1 AND epoch = $2 AND marks IS NOT NULL"#,
        head.stream.0,
        head.epoch,
    )
    .fetch_one(conn)
    .await?;
    Ok(unsigned(count))
}

/// Which way to go from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To a higher number.
    On,
    /// To a lower one.
    Back,
}

/// The nearest line that tells of an error.
pub async fn error_beside(
    conn: &mut PgConnection,
    job: i64,
    line: u64,
    way: Way,
) -> StoreResult<Option<u64>> {
    let Some(head) = head(conn, job, None).await? else {
        return Ok(None);
    };
    let found = sqlx::query_scalar!(
        r#"SELECT (mark.content->>'line')::bigint AS "line!"
           FROM log_chunk, LATERAL jsonb_array_elements(marks) AS mark (content)
           WHERE stream_id = $1 AND epoch = $2 AND marks IS NOT NULL AND mark.content->>'kind' = $5
             AND CASE WHEN $4 THEN first_line + line_count > $3 AND (mark.content->>'line')::bigint > $3
                      ELSE first_line < $3 AND (mark.content->>'line')::bigint < $3 END
           ORDER BY abs((mark.content->>'line')::bigint - $3) LIMIT 1"#,
        head.stream.0,
        head.epoch,
        i64::try_from(line).unwrap_or(i64::MAX),
        way == Way::On,
        kind(MarkKind::Error),
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(unsigned))
}

const fn kind(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Error => "error",
        MarkKind::Header => "header",
        MarkKind::OpenHeader => "open_header",
        MarkKind::Reopen => "reopen",
        MarkKind::Begin => "begin",
        MarkKind::End => "end",
    }
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// How many lines there are in all.
    pub total: u64,
    /// How many of them come before the first of these.
    pub before: u64,
    /// These lines, in order.
    pub lines: Vec<u64>,
}

/// Numbers of lines that a search finds: at most `limit` of those from `from` on, or of those before it.
pub async fn search(
    conn: &mut PgConnection,
    job: i64,
    sought: &Sought,
    (from, way): (u64, Way),
    limit: i64,
) -> StoreResult<Found> {
    let Some(head) = head(conn, job, None).await? else {
        return Ok(Found::default());
    };
    let rows = sqlx::query!(
        r#"WITH hit AS MATERIALIZED (
               SELECT first_line + found.place - 1 AS line
               FROM log_chunk, LATERAL string_to_table(COALESCE(body, (
                        SELECT string_agg(CASE line->>'source' WHEN 'out' THEN E'\x01' WHEN 'err' THEN E'\x02' ELSE E'\x03' END
                                          || lower(line->>'text'), E'\n')
                        FROM jsonb_array_elements(content->'lines') AS line)), E'\n')
                    WITH ORDINALITY AS found (text, place)
               WHERE stream_id = $1 AND epoch = $2 AND (body IS NULL OR strpos(body, $3) > 0)
                 AND strpos(found.text, $3) > 0 AND starts_with(found.text, $4) AND ($5::text IS NULL OR stage = $5)),
           counted AS (SELECT line, row_number() OVER (ORDER BY line) - 1 AS before, count(*) OVER () AS total FROM hit)
           SELECT line AS "line!", before AS "before!", total AS "total!" FROM counted
           WHERE CASE WHEN $7 THEN line >= $6 ELSE line < $6 END
           ORDER BY CASE WHEN $7 THEN line ELSE -line END LIMIT $8"#,
        head.stream.0,
        head.epoch,
        sought.words(),
        sought.sign(),
        sought.stage.as_deref(),
        i64::try_from(from).unwrap_or(i64::MAX),
        way == Way::On,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let mut rows = rows;
    rows.sort_by_key(|row| row.line);
    let first = rows.first();
    Ok(Found {
        total: first.map(|row| unsigned(row.total)).unwrap_or_default(),
        before: first.map(|row| unsigned(row.before)).unwrap_or_default(),
        lines: rows.iter().map(|row| unsigned(row.line)).collect(),
    })
}

/// The lines of these numbers that are there.
pub async fn lines(conn: &mut PgConnection, job: i64, numbers: &[u64]) -> StoreResult<Vec<NumberedLine>> {
    let Some(head) = head(conn, job, None).await? else {
        return Ok(Vec::new());
    };
    let numbers: Vec<i64> = numbers
        .iter()
        .map(|line| i64::try_from(*line).unwrap_or(i64::MAX))
        .collect();
    let rows = sqlx::query!(
        r#"SELECT wanted.line AS "line!", stage, content->'lines'->((wanted.line - first_line)::integer) AS "content!"
           FROM unnest($3::bigint[]) AS wanted (line), LATERAL (
               SELECT stage, first_line, line_count, content FROM log_chunk
               WHERE stream_id = $1 AND epoch = $2 AND first_line <= wanted.line
               ORDER BY first_line DESC, seq DESC LIMIT 1) AS chunk
           WHERE wanted.line < first_line + line_count AND content ? 'lines' ORDER BY 1"#,
        head.stream.0,
        head.epoch,
        &numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let line: LogLine = serde_json::from_value(row.content)
                .map_err(|error| StoreError::inconsistent("log_chunk", job, error))?;
            Ok(NumberedLine {
                line: unsigned(row.line),
                at: DateTime::from_timestamp_millis(line.at).unwrap_or_default(),
                stage: row.stage,
                source: line.source,
                text: line.text,
                gap: 0,
            })
        })
        .collect()
}
