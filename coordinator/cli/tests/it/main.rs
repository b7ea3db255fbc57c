//! The operator's command as a person or a script meets it: the real binary, against a living coordinator that keeps
//! state and speaks the real API types, with and without a terminal.

mod coordinator;
mod person;

mod deploying;
mod errors;
mod following;
mod logging;
mod looking;
mod managing;
mod settings;
