//! The operator's command as a person or a script meets it: the real binary, against a living coordinator that keeps
//! state and speaks the real API types, with and without a terminal.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "where the world of a test cannot be made, the test is over"
)]

mod coordinator;
mod person;

mod causes;
mod completing;
mod contents;
mod deciding;
mod deploying;
mod errors;
mod examining;
mod explaining;
mod following;
mod keys;
mod logging;
mod looking;
mod managing;
mod notifying;
mod people;
mod pushing;
mod settings;
mod tickets;
mod topping;
mod troubled;
mod undoing;
mod upkeep;
