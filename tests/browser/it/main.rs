//! Sentences about people at the dashboard, each told by a real browser, and checked in the API as well.

mod access;
mod flow;
mod keyboard;
mod logged;
mod long_log;
mod soon;
mod states;
mod streams;
mod world;
