//! Whole-fleet sentences. Each module starts its own fleet; they run one after the other.

mod broker;
mod crash_points;
mod faults;
mod garbage;
mod journey;
mod migrations;
mod rds;
mod readers;
mod rounds;
mod trees;
mod unhappy;
