//! Brings new and returning hosts where their target is, once no deployment is open (protocol.md 3 and 6).
//!
//! A host that is not where its own fence says is never moved: its state is shown, a person decides.

use crate::app::App;
use crate::error::OperationResult;

/// Looks at every target without an open deployment.
pub async fn converge_all(app: &App) -> OperationResult<()> {
    let _ = app;
    Ok(())
}
