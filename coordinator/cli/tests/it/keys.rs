//! The ssh key of a project, as a person keeps it: every change says how it is taken back. And what builders collect.

use crate::coordinator::{Coordinator, LUCY};
use crate::person::Person;

fn lucy(coordinator: &Coordinator) -> Person {
    let lucy = Person::newcomer();
    let login = format!("login {} --with-token", coordinator.url());
    assert_eq!(lucy.pipes(LUCY, &login).exit, 0);
    lucy
}

#[track_caller]
fn says(transcript: &impl std::fmt::Display, words: &[&str]) {
    let text = transcript.to_string();
    for words in words {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn a_key_is_made_given_and_removed_with_its_way_back() {
    let coordinator = Coordinator::start();
    let lucy = lucy(&coordinator);
    says(
        &lucy.runs("project key show shop"),
        &[
            "shop has no key of its own; pointsman project key generate shop makes one",
            "exit 0",
        ],
    );
    says(
        &lucy.runs("project key generate shop"),
        &[
            "Kept  the deploy key of shop, SHA256:made",
            "Undo  pointsman project key remove shop",
            "known_hosts of every machine",
            "ssh-ed25519 AAAAC3 pointsman-shop",
            "exit 0",
        ],
    );
    let given = lucy.pipes("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "project key set shop");
    says(
        &given,
        &[
            "Kept  the deploy key of shop, SHA256:given-37",
            "Undo  pointsman project key set shop < FILE, with the file of the key SHA256:made",
        ],
    );
    assert!(!given.to_string().contains("BEGIN OPENSSH"), "{given}");
    says(
        &lucy.pipes("git.example.org ssh-ed25519 AAAA\n", "project key trust shop -"),
        &[
            "1 lines of known hosts",
            "Undo  pointsman project key trust shop /dev/null",
        ],
    );
    says(
        &lucy.pipes("", "project key trust shop -"),
        &[
            "trust shop FILE, with the lines below",
            "git.example.org ssh-ed25519 AAAA",
        ],
    );
    says(
        &lucy.runs("project key remove shop"),
        &[
            "Removed  the deploy key of shop",
            "with the file of the key SHA256:given-37",
            "exit 0",
        ],
    );
}

#[test]
fn builders_say_what_their_collections_took() {
    let coordinator = Coordinator::start();
    let lucy = lucy(&coordinator);
    let took =
        "mirrors and build caches of builder-1: job #8090 took 1 folder, 812 MB, at 2026-12-19 03:12 UTC";
    says(
        &lucy.runs("gc plan"),
        &[took, "cache 5feceb66ffc8, 812 MB: unused for 15 d", "exit 0"],
    );
    says(
        &lucy.runs("gc run"),
        &[
            "mirrors and build caches of builder-1 by job #8122",
            took,
            "mirrors and build caches of builder-2 are left alone: it takes no collections",
        ],
    );
}

#[test]
fn a_private_key_comes_from_a_file() {
    let coordinator = Coordinator::start();
    let empty = lucy(&coordinator).pipes("", "project key set shop");
    says(
        &empty,
        &[
            "stdin holds no key",
            "pointsman project key set shop < id_ed25519",
            "exit 2",
        ],
    );
}
