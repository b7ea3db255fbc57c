//! The edge: does what the dispatcher decides, and tells it what happened.
//!
//! ```text
//! Link --letters--> screen --> Dispatcher --actions--> perform --> Link, spools, workers
//! worker: variables, masks, log, executor, result
//! ```

mod desk;
mod facts;
mod given;
mod perform;
mod prepare;
mod run;
mod running;
mod scrape;
mod screen;
mod scribe;
mod seen;
mod state;
mod survivors;
mod tools;
mod worker;

pub use prepare::PrepareError;
pub use run::{Ending, run};
pub use tools::load_policy;
