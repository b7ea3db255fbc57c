//! The sandbox kept to its promises: services come up, come back, live side by side, and leave nothing behind.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod services;
#[cfg(test)]
mod web;
