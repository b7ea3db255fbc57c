//! Health checks against a real little web server that resolves `current` for every answer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use pointsman_agent::executor::Execution;
use pointsman_shared::outcome::{Effect, Outcome, Phase};

use crate::machine::{Machine, failure};

/// Serves `answer(path of current's release)` on a port of its own until the test ends.
fn serve(current: PathBuf, answer: fn(&str) -> String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let release = fs_err::read_link(&current).unwrap_or_default();
                let name = release
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                // A client that went away is its own business.
                let _sent = stream.write_all(answer(&name).as_bytes());
            }
        }
    });
    port
}

fn check(port: u16, deadline_ms: u64, asserts_release: bool) -> serde_json::Value {
    serde_json::json!({
        "probe": {"probe": "http", "url": format!("http://127.0.0.1:{port}/healthz?colour=${{COLOUR}}")},
        "passes": 3, "interval_ms": 20, "deadline_ms": deadline_ms, "asserts_release": asserts_release,
    })
}

async fn switch_with(machine: &Machine, generation: u64, health: serde_json::Value) -> Execution {
    let release = machine.release(1);
    machine.install(&release).await;
    let mut order = machine.switch_order(&release, generation);
    order["health"] = health;
    machine.perform(u128::from(generation), 1, &order).await
}

fn ok(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_release_that_names_itself_is_healthy() {
    let machine = Machine::new().await;
    let header = serve(machine.in_root("current"), |name| {
        ok(&format!("Pointsman-Release: {name}\r\n"), "fine")
    });
    let done = switch_with(&machine, 1, check(header, 10_000, true)).await;
    assert!(
        matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
        "{done:?}"
    );
    let body = serve(machine.in_root("current"), |name| {
        ok("", &format!("<p>{name}</p>"))
    });
    let done = switch_with(&machine, 2, check(body, 10_000, true)).await;
    assert!(
        matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
        "{done:?}"
    );
    assert!(machine.desk.log().contains("health: passed 3 times in a row"));
}

#[tokio::test]
async fn an_old_process_is_not_taken_for_the_new_release() {
    let machine = Machine::new().await;
    let port = serve(machine.in_root("current"), |_| {
        ok("Pointsman-Release: 000009-bbbbbbbbbbbb\r\n", "fine")
    });
    let done = switch_with(&machine, 1, check(port, 2000, true)).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "unhealthy");
    assert!(
        message.contains("is live but not healthy") && message.contains("000009-bbbbbbbbbbbb"),
        "{message}"
    );
    let live = matches!(
        &done,
        Execution::Ended(Outcome::Failed {
            phase: Phase::Health,
            effect: Effect::Done,
            ..
        })
    );
    assert!(live, "{done:?}");
    let done = switch_with(&machine, 2, check(port, 10_000, false)).await;
    assert!(
        matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
        "{done:?}"
    );
    assert!(
        machine.desk.log().contains("does not assert the release"),
        "said loudly"
    );
}

#[tokio::test]
async fn errors_redirects_and_silence_do_not_pass() {
    let machine = Machine::new().await;
    let broken = serve(machine.in_root("current"), |_| {
        "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned()
    });
    let done = switch_with(&machine, 1, check(broken, 2000, true)).await;
    assert!(failure(&done).1.contains("500"), "{done:?}");
    let redirect = serve(machine.in_root("current"), |_| {
        "HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned()
    });
    let done = switch_with(&machine, 2, check(redirect, 2000, true)).await;
    assert!(failure(&done).1.contains("302"), "{done:?}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let done = switch_with(
        &machine,
        3,
        check(silent.local_addr().unwrap().port(), 2000, true),
    )
    .await;
    assert!(failure(&done).1.contains("no answer in time"), "{done:?}");
}

#[tokio::test]
async fn a_command_of_the_release_can_be_asked() {
    let machine = Machine::new().await;
    let command = |argv: &[&str]| {
        serde_json::json!({
            "probe": {"probe": "command", "argv": argv}, "passes": 2, "interval_ms": 10, "deadline_ms": 5000,
            "asserts_release": false,
        })
    };
    let done = switch_with(&machine, 1, command(&["bin/hook", "asked"])).await;
    assert!(
        matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
        "{done:?}"
    );
    assert_eq!(
        machine.effects().iter().filter(|line| *line == "asked 1").count(),
        2
    );
    let done = switch_with(&machine, 2, command(&["curl", "http://127.0.0.1"])).await;
    assert_eq!(failure(&done).0, "hook_refused");
}
