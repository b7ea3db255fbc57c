//! The API's edge: HTTP in, one operation or one view, JSON out.
//!
//! Handlers extract, call one operation, present. They decide nothing and know no SQL.

mod router;
mod server;

pub use server::{ServeError, serve};
