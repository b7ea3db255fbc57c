//! What releases hold and what they could be made of.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn the_files_of_a_release_and_what_differs_from_another() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --files").ends(), @"
     SIZE  FILES  MODE  PATH    SHA-256
    41 kB     12  755   app/    -
      3 B      -  644   README  2b7814d3fca2e99e56c51b6ff2aa313ea6e9da6424804240aa8…
    --- exit 0
    ");
    let deep = lucy
        .runs("versions shop 1.9.1 --files --under app -o json")
        .json();
    assert_eq!(deep[0]["path"], "app/main.js");
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --against 1.9.0").ends(), @"
    WHAT     BEFORE     NOW  PATH
    changed  1.1 kB  1.2 kB  app/main.js
    added         -   900 B  app/vat.js
            Note  1.9.1 against 1.9.0: 1 added, 0 removed, 1 changed
    --- exit 0
    ");
    // What stands in a file moves nobody's cursor.
    insta::assert_snapshot!(lucy.types(80, "versions shop 1.9.1 --against 1.9.0 --file app/main.js").ends(), @"
    @@ -1 +1 @@
    -vat = 19
    +vat = 21
    --- exit 0
    ");
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
