//! Sentences about people at the dashboard, each told by a real browser, and checked in the API as well.

mod access;
mod alike;
mod crawl;
mod deciding;
mod ending;
mod flow;
mod keyboard;
mod logged;
mod long_log;
mod pay;
mod plain;
mod soon;
mod states;
mod streams;
mod told;
mod upkeep;
mod waiting;
mod world;
