//! A deployment against a model of its world: hosts come and go, jobs are granted, lost and reported in any order.

mod gate;
mod intervening;
mod left;
mod properties;
mod stories;
mod way_back;
mod world;
