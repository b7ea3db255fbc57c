//! What a user of the crate relies on: the same tree comes back, the same tree has the same digest, and whatever is
//! not exactly as signed is refused without a trace outside the folder it was given.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says why it skips"
)]

mod craft;
mod documents;
mod full_disk;
mod golden;
mod hostile_entries;
mod hostile_fields;
mod hostile_members;
mod places;
mod property;
mod round_trip;
mod scanning;
mod trees;
mod verifying;
