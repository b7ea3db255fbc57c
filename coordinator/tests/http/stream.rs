//! The event stream: replayed from a cursor, live after it, nothing skipped.

use std::time::Duration;

use futures_util::StreamExt as _;
use pointsman_store::events::{self, NewEvent};
use reqwest::Method;

use crate::people::Person;
use crate::world::World;

/// Events as a reader of the stream gets them: (cursor, kind).
pub struct Reader {
    bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Reader {
    pub async fn open(person: &Person, query: &str, last: Option<i64>) -> Self {
        let mut request = person.api(Method::GET, &format!("events{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut reader = Self {
            bytes: Box::pin(response.bytes_stream()),
            text: String::new(),
        };
        // The first comment says that the stream is open.
        reader.read().await;
        reader
    }

    async fn read(&mut self) -> bool {
        let piece = tokio::time::timeout(Duration::from_secs(20), self.bytes.next())
            .await
            .unwrap();
        let Some(Ok(piece)) = piece else { return false };
        self.text.push_str(std::str::from_utf8(&piece).unwrap());
        true
    }

    async fn next(&mut self) -> (i64, String) {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    frame
                        .lines()
                        .find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                if let (Some(id), Some(kind)) = (field("id: "), field("event: ")) {
                    return (id.parse().unwrap(), kind);
                }
                continue;
            }
            assert!(self.read().await, "the stream ended");
        }
    }

    pub async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.next().await.1);
        }
        kinds
    }
}

pub async fn happen(world: &World, kind: &str) {
    let mut tx = world.app.store.begin().await.unwrap();
    append(world, &mut tx, kind).await;
    tx.commit().await.unwrap();
}

async fn append(world: &World, tx: &mut pointsman_store::Transaction, kind: &str) {
    let event = NewEvent {
        kind,
        message: kind.to_owned(),
        ..NewEvent::default()
    };
    events::append(tx, world.app.clock.now(), &event).await.unwrap();
}

async fn newest(world: &World) -> i64 {
    let mut conn = world.app.store.read().await.unwrap();
    events::newest_cursor(&mut conn).await.unwrap()
}

async fn numbered(world: &World, at_least: i64) {
    for _ in 0..400 {
        if newest(world).await >= at_least {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("events were not numbered");
}

#[tokio::test]
async fn a_reader_sees_what_comes_and_comes_back_where_it_left() {
    let world = World::new().await;
    let viewer = world.person("viewer").await;
    let mut reader = Reader::open(&viewer, "", None).await;
    for kind in ["a", "b", "c"] {
        happen(&world, kind).await;
    }
    assert_eq!(reader.kinds(2).await, ["a", "b"]);
    let (cursor, kind) = reader.next().await;
    assert_eq!(kind, "c");
    drop(reader);
    happen(&world, "d").await;
    happen(&world, "e").await;
    let mut back = Reader::open(&viewer, "?after=0", Some(cursor)).await;
    assert_eq!(back.kinds(2).await, ["d", "e"]);
    let mut from_start = Reader::open(&viewer, "?after=0", None).await;
    assert_eq!(from_start.kinds(5).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_late_commit_is_never_skipped() {
    let world = World::new().await;
    let viewer = world.person("viewer").await;
    let mut reader = Reader::open(&viewer, "", None).await;
    let mut late = world.app.store.begin().await.unwrap();
    append(&world, &mut late, "late").await;
    happen(&world, "early").await;
    let (early, kind) = reader.next().await;
    assert_eq!(kind, "early");
    late.commit().await.unwrap();
    let (cursor, kind) = reader.next().await;
    assert_eq!(kind, "late");
    assert!(cursor > early);
    let mut replay = Reader::open(&viewer, &format!("?after={early}"), None).await;
    assert_eq!(replay.next().await, (cursor, "late".to_owned()));
}

#[tokio::test]
async fn several_numberers_give_every_event_one_place() {
    let world = World::new().await;
    let writers = (0..4).map(|writer| {
        let world = &world;
        async move {
            for n in 0..25 {
                happen(world, &format!("{writer}.{n}")).await;
                let mut tx = world.app.store.begin().await.unwrap();
                events::number(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
    });
    futures_util::future::join_all(writers).await;
    numbered(&world, 100).await;
    let row: (i64, i64, i64) = sqlx::query_as("SELECT count(*), count(DISTINCT seq), count(seq) FROM event")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(row, (100, 100, 100));
    let viewer = world.person("viewer").await;
    let mut reader = Reader::open(&viewer, "?after=0", None).await;
    let mut last = 0;
    for _ in 0..100 {
        let (cursor, _) = reader.next().await;
        assert!(cursor > last);
        last = cursor;
    }
}

#[tokio::test]
async fn a_reader_that_cannot_keep_up_is_let_go_and_misses_nothing() {
    const ALL: i64 = 30_000;
    let world = World::new().await;
    let viewer = world.person("viewer").await;
    let mut reader = Reader::open(&viewer, "", None).await;
    sqlx::query("INSERT INTO event (at, kind, message) SELECT now(), 'flood', repeat('x', 2000) FROM generate_series(1, $1)")
        .bind(ALL)
        .execute(world.pool())
        .await
        .unwrap();
    numbered(&world, ALL).await;
    while reader.read().await {}
    let last = reader
        .text
        .rsplit("id: ")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap_or(0);
    assert!(last < ALL, "it was not let go");
    let mut back = Reader::open(&viewer, "", Some(ALL - 5)).await;
    for cursor in ALL - 4..=ALL {
        assert_eq!(back.next().await.0, cursor);
    }
}

#[tokio::test]
async fn the_end_of_the_coordinator_ends_the_stream() {
    let world = World::new().await;
    let mut reader = Reader::open(&world.admin(), "", None).await;
    world.shut_down();
    while reader.read().await {}
}

#[tokio::test]
async fn pruning_keeps_cursors_rising() {
    let world = World::new().await;
    happen(&world, "old").await;
    numbered(&world, 1).await;
    sqlx::query("UPDATE event SET at = now() - interval '40 days'")
        .execute(world.pool())
        .await
        .unwrap();
    let pruned = pointsman_coordinator::operations::prune_history::execute(&world.app)
        .await
        .unwrap();
    assert_eq!(pruned, 1);
    happen(&world, "new").await;
    numbered(&world, 2).await;
    let mut reader = Reader::open(&world.admin(), "?after=1", None).await;
    assert_eq!(reader.next().await, (2, "new".to_owned()));
}
