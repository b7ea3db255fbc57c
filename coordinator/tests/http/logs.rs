//! Logs by line number: late chunks are waited for, gaps are said, and the end is known.

use serde_json::{Value, json};

use crate::people::Person;
use crate::world::World;

pub struct Log<'a> {
    world: &'a World,
    admin: Person,
    pub number: i64,
}

impl<'a> Log<'a> {
    pub async fn new(world: &'a World) -> Self {
        world.set_up_shop().await;
        let stream = world.app.ids.next();
        sqlx::query("INSERT INTO log_stream (id, kind, created_at) VALUES ($1, 'job', now())")
            .bind(stream)
            .execute(world.pool())
            .await
            .unwrap();
        let number = sqlx::query_scalar(
            "INSERT INTO job (id, kind, state, purpose, project_id, pool, body, body_digest, log_stream_id, epoch,
                              created_at)
             SELECT $1, 'build', 'offered', 'release', project.id, 'default', '{}', sha256('{}'), $1, 1, now()
             FROM project RETURNING number",
        )
        .bind(stream)
        .fetch_one(world.pool())
        .await
        .unwrap();
        Self {
            world,
            admin: world.admin(),
            number,
        }
    }

    pub async fn chunk(&self, seq: i64, first: i64, count: i64, content: Value) {
        sqlx::query(
            "INSERT INTO log_chunk (stream_id, epoch, seq, stage, first_line, line_count, byte_offset, content, received_at)
             SELECT log_stream_id, 1, $1, 'build', $2, $3, 0, $4, now() FROM job",
        )
        .bind(seq)
        .bind(first)
        .bind(count)
        .bind(content)
        .execute(self.world.pool())
        .await
        .unwrap();
    }

    pub async fn lines(&self, seq: i64, first: i64, count: i64) {
        let at = self.world.app.clock.now().timestamp_millis();
        let line = |n: i64| json!({ "at": at, "source": "out", "text": format!("line {n}") });
        let lines: Vec<_> = (first..first + count).map(line).collect();
        self.chunk(seq, first, count, json!({ "lines": lines })).await;
    }

    /// Ends the job so many seconds ago, with so many lines in all.
    pub async fn ends(&self, seconds_ago: i32, total: Option<i64>) {
        sqlx::query(
            "UPDATE job SET state = 'succeeded', ended_at = now() - make_interval(secs => $1), offer_expires_at = NULL",
        )
        .bind(f64::from(seconds_ago))
        .execute(self.world.pool())
        .await
        .unwrap();
        if let Some(total) = total {
            sqlx::query(
                "INSERT INTO principal (id, kind, name, created_at) VALUES (gen_random_uuid(), 'agent', 'b', now())",
            )
            .execute(self.world.pool())
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO host (id, principal_id, display_name, kinds, created_at)
                 SELECT 'b', id, 'b', '{}', now() FROM principal WHERE name = 'b'",
            )
            .execute(self.world.pool())
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO attempt (job_id, epoch, host_id, instance_id, nonce, granted, granted_at, ended_at, ending,
                                      log_lines)
                 SELECT id, 1, 'b', gen_random_uuid(), 'n', '', now(), ended_at, 'result', $1 FROM job",
            )
            .bind(total)
            .execute(self.world.pool())
            .await
            .unwrap();
        }
    }

    async fn page(&self, query: &str) -> Value {
        self.admin
            .get(&format!("jobs/{}/log{query}", self.number))
            .await
            .expect(200)
    }
}

fn numbers(page: &Value) -> Vec<(i64, i64)> {
    let number = |line: &Value| (line["line"].as_i64().unwrap(), line["gap"].as_i64().unwrap());
    page["lines"].as_array().unwrap().iter().map(number).collect()
}

#[tokio::test]
async fn pages_follow_each_other_and_wait_for_what_is_on_its_way() {
    let world = World::new().await;
    let log = Log::new(&world).await;
    log.lines(1, 1, 3).await;
    log.lines(3, 6, 2).await;
    let page = log.page("").await;
    assert_eq!(numbers(&page), [(1, 0), (2, 0), (3, 0)]);
    assert_eq!(page["complete"], false);
    log.chunk(
        2,
        4,
        2,
        json!({ "gap": { "lines": 2, "bytes": 90, "reason": "the spool was full" } }),
    )
    .await;
    let page = log.page("?after=3").await;
    assert_eq!(numbers(&page), [(4, 2), (6, 0), (7, 0)]);
    assert_eq!(
        page["lines"][0]["text"],
        "2 lines (90 bytes) are missing: the spool was full"
    );
    assert_eq!(numbers(&log.page("?after=1&limit=1").await), [(2, 0)]);
    assert_eq!(numbers(&log.page("?after=7").await), []);
    log.ends(0, Some(8)).await;
    let page = log.page("").await;
    assert_eq!(
        (page["total"].as_i64(), page["complete"].as_bool()),
        (Some(8), Some(false))
    );
    log.lines(4, 8, 1).await;
    let page = log.page("?after=4").await;
    assert_eq!(page["complete"], true);
    assert_eq!(log.page("?after=4&limit=1").await["complete"], false);
}

#[tokio::test]
async fn what_never_arrives_is_said_to_be_missing() {
    let world = World::new().await;
    let log = Log::new(&world).await;
    log.lines(1, 1, 1).await;
    log.lines(3, 4, 1).await;
    log.ends(120, Some(6)).await;
    let page = log.page("").await;
    assert_eq!(numbers(&page), [(1, 0), (2, 2), (4, 0), (5, 2)]);
    assert_eq!(page["complete"], true);
}

#[tokio::test]
async fn a_job_that_never_ran_has_an_empty_complete_log() {
    let world = World::new().await;
    let log = Log::new(&world).await;
    assert_eq!(log.page("").await["complete"], false);
    log.ends(0, None).await;
    assert_eq!(log.page("").await["complete"], true);
    assert_eq!(world.admin().get("jobs/99/log").await.refused(404), "unknown_job");
}
