//! Whole-fleet sentences. Each module starts its own fleet; they run one after the other.

mod broker;
mod by_hand;
mod crash_points;
mod encrypted;
mod faults;
mod garbage;
mod journey;
mod members;
mod migrations;
mod rds;
mod readers;
mod rounds;
mod sources;
mod trees;
mod unhappy;
