//! Bytes and values from and to the coordinator: manifests, packings, archives, variables.
//!
//! Every request is signed with the host's key and names the epoch that allows it. What arrives is believed for its
//! digest alone. Commands never travel here.

mod client;
mod download;
mod retry;
mod upload;

pub use client::{Artifacts, Signer};
pub use retry::ArtifactError;

#[cfg(test)]
mod tests;
