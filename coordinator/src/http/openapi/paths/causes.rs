//! What lines of failed logs mean.

use pointsman_shared::api::causes::{Cause, NewCause};

use super::super::operation::{Code, Operation, delete, get, post, put};
use crate::http::paging::PageQuery;

const CAUSE: &[Code] = &[(404, "unknown_cause")];
/// What a cause may be like.
const RULES: &[Code] = &[(409, "cause_exists"), (422, "invalid_cause")];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/causes",
            "Known causes of failures, by number; the first that fits a line is told",
        )
        .query::<PageQuery>()
        .gives_page::<Cause>(),
        post(
            "/api/v1/causes",
            "Say what a line of a failed log means, and what to do about it",
        )
        .takes::<NewCause>()
        .gives::<Cause>(201)
        .refuses(RULES)
        .refuses(&[(409, "too_many_causes")]),
        put("/api/v1/causes/{number}", "Say it in another way")
            .takes::<NewCause>()
            .gives::<Cause>(200)
            .refuses(CAUSE)
            .refuses(RULES),
        delete(
            "/api/v1/causes/{number}",
            "Remove a known cause; answers what it was",
        )
        .gives::<Cause>(200)
        .refuses(CAUSE),
    ]
}
