//! Every operation of the API by what it is about; each is described beside its neighbours, not beside its handler, so
//! that handlers stay readable.

mod agents;
mod causes;
mod deployments;
mod fleet;
mod notifications;
mod projects;
mod pushes;
mod service;

use super::operation::Operation;

/// All of them.
pub(super) fn all() -> Vec<Operation> {
    let mut all = service::operations();
    all.extend(projects::operations());
    all.extend(pushes::operations());
    all.extend(notifications::operations());
    all.extend(causes::operations());
    all.extend(deployments::operations());
    all.extend(fleet::operations());
    all.extend(agents::operations());
    all
}
