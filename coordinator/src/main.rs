//! `pointsman-coordinator`.
fn main() {}
