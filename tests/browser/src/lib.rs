//! The dashboard as people meet it: a real Chromium on a real fleet.
//!
//! It knows the browser, not the product: what a page must show is said by the tests. A missing browser is a failure,
//! never a skip.

mod page;
mod window;

pub use page::{Look, Painting, Tab, Theme, Weight};
pub use window::Window;
