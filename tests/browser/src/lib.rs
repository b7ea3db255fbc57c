//! The dashboard as people meet it: a real Chromium on a real fleet.
//!
//! It knows the browser, not the product: what a page must show is said by the tests. A missing browser is a failure,
//! never a skip.

mod line;
mod page;
mod scripts;
mod window;

pub use line::Line;
pub use page::{Look, Painting, Tab, Theme, Weight};
pub use window::Window;
