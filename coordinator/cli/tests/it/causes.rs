//! What failed logs mean.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn a_cause_is_added_changed_and_removed_each_with_its_way_back() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("cause"), @"
    $ pointsman cause
    --- stdout
    CAUSE  PATTERN               MEANS                          DO
        1  no space left|ENOSPC  The disk of the host is full.  pointsman gc run
    --- exit 0
    ");
    let add = "cause add 'is broken' --means 'It broke.' --do 'pointsman doctor'";
    insta::assert_snapshot!(lucy.runs(add), @"
    $ pointsman cause add 'is broken' --means 'It broke.' --do 'pointsman doctor'
    --- stderr
           Added  cause 2: is broken means: It broke.
            Undo  pointsman cause rm 2
    --- exit 0
    ");
    let change = "cause change 2 broke[n] --means 'It broke again.'";
    insta::assert_snapshot!(lucy.runs(change), @"
    $ pointsman cause change 2 broke[n] --means 'It broke again.'
    --- stderr
         Changed  cause 2: broke[n] means: It broke again.
            Undo  pointsman cause change 2 'is broken' --means 'It broke.' --do 'pointsman doctor'
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("cause rm 1"), @"
    $ pointsman cause rm 1
    --- stderr
         Removed  cause 1: no space left|ENOSPC means: The disk of the host is full.
            Undo  pointsman cause add 'no space left|ENOSPC' --means 'The disk of the host is full.' --do 'pointsman gc run'
    --- exit 0
    ");
    assert_eq!(lucy.runs("cause rm 7").exit, 6);
    assert_eq!(lucy.runs("cause add x").exit, 2);
}
