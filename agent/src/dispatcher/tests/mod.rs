//! The dispatcher against a coordinator that says what the tests let it say.

mod conversation;
mod intruders;
mod limits;
mod world;
