//! What releases hold and what they could be made of.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn the_files_of_a_release_and_what_differs_from_another() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --files").ends(), @"");
    let deep = lucy
        .runs("versions shop 1.9.1 --files --under app -o json")
        .json();
    assert_eq!(deep[0]["path"], "app/main.js");
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --against 1.9.0").ends(), @"");
    // What stands in a file moves nobody's cursor.
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --against 1.9.0 --file app/main.js").ends(), @"");
}

#[test]
fn branches_and_tags_say_how_far_they_are_built() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let shown = lucy.types(100, "project refs shop --fetch").ends().to_string();
    for told in [
        "3 after 1.9.0",
        "failed as 43",
        "as 43",
        "4 older ones are left out",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
}
