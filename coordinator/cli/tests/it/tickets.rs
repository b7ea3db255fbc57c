//! Tickets of a project's commits, kept with their way back; and commits of a branch that are not built.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[track_caller]
fn says(transcript: &impl std::fmt::Display, words: &[&str]) {
    let text = transcript.to_string();
    for words in words {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn tickets_are_linked_and_not_linked_any_more() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    says(
        &lucy.runs("project tickets shop --pattern SHOP-\\d+ --link https://t.example.org/{}"),
        &[
            "Kept  SHOP-\\d+ in commits of shop leads to https://t.example.org/{}",
            "Undo  pointsman project tickets shop --none",
            "exit 0",
        ],
    );
    says(
        &lucy.runs("project show shop"),
        &["SHOP-\\d+", "https://t.example.org/{}"],
    );
    says(
        &lucy.runs("project tickets shop --none"),
        &[
            "no tickets in commits of shop are linked",
            "Undo  pointsman project tickets shop --pattern 'SHOP-\\d+' --link 'https://t.example.org/{}'",
        ],
    );
    says(&lucy.runs("project tickets shop --none"), &["it was so before"]);
    says(
        &lucy.runs("project tickets shop --pattern x"),
        &["--link", "exit 2"],
    );
    says(&lucy.runs("project tickets shop"), &["--pattern", "exit 2"]);
}

#[test]
fn commits_of_a_branch_say_what_became_of_them() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let shown = lucy
        .types(100, "project refs shop --branch main")
        .ends()
        .to_string();
    says(
        &shown,
        &[
            "a1b2a1b2a1",
            "failed as 44",
            "Round down",
            "2 of the newest 100 commits of main are not built",
        ],
    );
}
