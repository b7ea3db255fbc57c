//! A job's log on its way out: lines become numbered chunks, and secrets are masked before anything leaves.
//!
//! ```text
//! children, steps --lines--> Masker --clean lines--> Chunker --chunks--> spool::LogSpool --> broker
//! ```
//!
//! Masking is a seat belt, not a wall: it knows the values of the job's secrets and their usual encodings, not what a
//! program may make of them.

mod chunker;
mod forms;
mod mask;
mod stream;

pub use chunker::{Chunker, ChunkerId};
pub use forms::{SHORTEST_SECRET, Secrets};
pub use mask::{MaskedLine, Masker};
pub use stream::{ChunkSink, JobLog};
