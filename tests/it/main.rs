//! Whole-fleet sentences. Each module starts its own fleet; they run one after the other.

mod faults;
mod journey;
mod readers;
mod trees;
mod unhappy;
