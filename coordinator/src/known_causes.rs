//! Known causes, kept ready between two pages: to compile their patterns takes longer than to look for them.
//!
//! It reads nothing by itself. The list that the database holds is handed over each time, and patterns are compiled when
//! it is another one than last time, whichever coordinator changed it.

use std::sync::{Arc, Mutex, PoisonError};

use pointsman_domain::known_causes::KnownCauses;
use pointsman_shared::api::causes::Cause;

/// The list that was asked for last, ready.
#[derive(Debug, Default)]
pub struct Ready(Mutex<(Vec<Cause>, Arc<KnownCauses>)>);

impl Ready {
    /// These causes, ready to be looked for.
    pub fn of(&self, causes: Vec<Cause>) -> Arc<KnownCauses> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != causes {
            *last = (causes.clone(), Arc::new(KnownCauses::new(causes)));
        }
        Arc::clone(&last.1)
    }
}
