//! A project's own tool instead of the built-in runner.

use std::os::unix::fs::PermissionsExt as _;

use pointsman_shared::migration::MigrationState;
use serde_json::json;

use super::{about, order, succeeded, told};
use crate::machine::{Machine, Release, failure};

/// A tool that keeps its record in a file beside the root.
const TOOL: &str = r#"#!/bin/sh
set -eu
record="$POINTSMAN_ROOT/../record"
touch "$record"
case "$1" in
list)
    echo "some tool 1.0"
    for name in 001_a 002_b; do
        if grep -qx "$name" "$record"; then printf 'applied\t%s\n' "$name"; else printf 'pending\t%s\n' "$name"; fi
    done ;;
up)
    if [ "$2" = 002_b ] && [ "${BROKEN:-}" = "$COLOUR" ]; then echo "no such column" >&2; exit 3; fi
    echo "$2" >> "$record" ;;
down)
    grep -vx "$2" "$record" > "$record.new" || true
    mv "$record.new" "$record" ;;
esac
"#;

#[tokio::test]
async fn a_projects_own_tool_is_asked_and_believed_only_when_it_lists_so() {
    let machine = Machine::new().await;
    let tree = machine.folder.join("tool");
    fs_err::create_dir_all(tree.join("bin")).unwrap();
    let install = async |number: u32, tool: &str| {
        fs_err::write(tree.join("bin/migrate"), tool).unwrap();
        fs_err::set_permissions(tree.join("bin/migrate"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let release = machine.pack(number, &tree);
        machine.install(&release).await;
        release
    };
    let release = install(1, TOOL).await;
    let commands = |release: &Release, mode: &str| {
        let mut order = order(&machine, release, mode, "");
        order["runner"] = json!({
            "runner": "commands", "list": ["bin/migrate", "list"], "apply": ["bin/migrate", "up"],
            "revert": ["bin/migrate", "down"],
        });
        order
    };
    let broken = install(2, &TOOL.replace("${BROKEN:-}", "green")).await;
    let done = machine.perform(10, 1, &commands(&broken, "apply")).await;
    let (code, message) = failure(&done);
    assert_eq!(code, "command_failed");
    assert!(message.contains("up 002_b` ended with status 3"), "{message}");
    assert_eq!(told(&machine), ["001_a applied", "002_b pending"]);

    succeeded(&machine.perform(11, 1, &commands(&release, "apply")).await);
    assert_eq!(told(&machine), ["001_a applied", "002_b applied"]);
    let revert = about(commands(&release, "revert"), "002_b", "");
    succeeded(&machine.perform(12, 1, &revert).await);
    assert_eq!(told(&machine), ["001_a applied", "002_b pending"]);

    let liar = install(3, &TOOL.replace("echo \"$2\" >>", "echo lost >>")).await;
    let done = machine.perform(13, 1, &commands(&liar, "apply")).await;
    assert_eq!(failure(&done).0, "migration_unconfirmed");
    let mark = about(commands(&release, "mark_applied"), "002_b", "");
    assert_eq!(failure(&machine.perform(14, 1, &mark).await).0, "not_ours");
    let states: Vec<_> = machine
        .desk
        .ledgers
        .lock()
        .unwrap()
        .last()
        .unwrap()
        .1
        .iter()
        .map(|entry| entry.state)
        .collect();
    assert_eq!(states, [MigrationState::Applied, MigrationState::Pending]);
}
