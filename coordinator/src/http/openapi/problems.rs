//! Stable codes of problems, by what an operation does. They are part of the API: clients compare them.

use super::operation::Code;

/// Whoever is asked for by token: not known, or not allowed to.
pub(super) const TOKEN: &[Code] = &[
    (401, "unauthenticated"),
    (403, "not_allowed"),
    (404, "not_visible"),
    (504, "timed_out"),
];
/// Whatever reads the database.
pub(super) const DATABASE: &[Code] = &[
    (422, "invalid_text"),
    (500, "internal"),
    (503, "unavailable"),
    (503, "took_too_long"),
];
/// A change that can be repeated.
pub(super) const REPEATABLE: &[Code] = &[
    (400, "invalid_idempotency_key"),
    (409, "idempotency_key_reused"),
    (409, "answer_not_kept"),
    (409, "repeated_elsewhere"),
    // With a key the body is read before anything else.
    (413, "body_too_large"),
];
/// A JSON body.
pub(super) const BODY: &[Code] = &[
    (400, "body_broken"),
    (413, "body_too_large"),
    (415, "not_json"),
    (422, "invalid_body"),
];
/// A query.
pub(super) const QUERY: &[Code] = &[(422, "invalid_query")];
/// A cursor in it.
pub(super) const CURSOR: &[Code] = &[(422, "invalid_cursor")];
/// Names in the path.
pub(super) const PATH: &[Code] = &[(404, "invalid_path")];
/// A request that an agent signs.
pub(super) const SIGNED: &[Code] = &[
    (401, "not_signed"),
    (403, "unknown_key"),
    (403, "forged_request"),
    (403, "stale_request"),
    (403, "epoch_not_current"),
];

pub(super) const PROJECT: &[Code] = &[(404, "unknown_project")];
pub(super) const TARGET: &[Code] = &[(404, "unknown_target")];
pub(super) const WEBHOOK: &[Code] = &[(404, "unknown_webhook")];
pub(super) const DEPLOYMENT: &[Code] = &[(404, "unknown_deployment")];
pub(super) const JOB: &[Code] = &[(404, "unknown_job")];
pub(super) const HOST: &[Code] = &[(404, "unknown_host")];
/// A release of a project, named by number, label or commit.
pub(super) const RELEASE: &[Code] = &[
    (404, "unknown_release"),
    (409, "ambiguous_release"),
    (422, "invalid_release"),
];
/// A release that can never go live.
pub(super) const DEAD_RELEASE: &[Code] = &[
    (409, "release_failed"),
    (409, "release_cancelled"),
    (409, "release_pruned"),
    (409, "release_not_built"),
];
/// A repository that is asked what a ref means.
pub(super) const REPOSITORY: &[Code] = &[
    (404, "unknown_ref"),
    (404, "unknown_commit"),
    (404, "empty_repository"),
    (409, "ambiguous_ref"),
    (409, "secret_unreadable"),
    (422, "invalid_ref"),
    (422, "invalid_recipe"),
    (422, "repository_not_allowed"),
    (422, "repository_unsound"),
    (422, "no_such_folder"),
    (422, "unusable_path"),
    (422, "too_large"),
    (503, "repository_unreachable"),
    (503, "timeout"),
    (503, "stopped"),
    (503, "mirror_damaged"),
];
/// A repository that is fetched, or its mirror looked at.
pub(super) const MIRROR: &[Code] = &[
    (409, "secret_unreadable"),
    (422, "repository_not_allowed"),
    (422, "repository_unsound"),
    (503, "repository_unreachable"),
    (503, "timeout"),
    (503, "stopped"),
    (503, "mirror_damaged"),
];
/// A lock or the global stop.
pub(super) const LOCKED: &[Code] = &[(423, "locked"), (423, "stopped")];
/// A target's hosts.
pub(super) const HOSTS: &[Code] = &[(409, "no_hosts"), (409, "root_taken")];
/// A way back behind what was applied or collected.
pub(super) const WAY_BACK: &[Code] = &[
    (409, "migration_forbids"),
    (409, "migration_missing"),
    (409, "migration_running"),
    (409, "release_not_good"),
];
/// What a wish for a deployment may meet beside its release and its hosts.
pub(super) const WISH: &[Code] = &[
    (404, "unknown_plan"),
    (409, "gate_mark"),
    (409, "gate_previous_live"),
    (409, "plan_changed"),
    (409, "target_busy"),
    (422, "invalid_reason"),
    (422, "invalid_time"),
    (422, "invalid_waves"),
];
/// Why somebody wishes it.
pub(super) const REASON: &[Code] = &[(422, "invalid_reason")];
/// What is said while a deployment goes on.
pub(super) const UNDER_WAY: &[Code] = &[
    (409, "deployment_over"),
    (409, "not_started"),
    (409, "rolling_back"),
    (409, "cancelling"),
];
/// What a target may be like.
pub(super) const TARGET_RULES: &[Code] = &[
    (409, "root_in_use"),
    (409, "root_used_twice"),
    (422, "invalid_labels"),
    (422, "no_labels"),
    (422, "invalid_on_push"),
    (422, "invalid_waves"),
];
/// What a variable may be like.
pub(super) const VARIABLE: &[Code] = &[
    (404, "unknown_environment"),
    (409, "is_secret"),
    (409, "no_secrets_key"),
    (422, "invalid_value"),
];
/// What a project may be like.
pub(super) const PROJECT_RULES: &[Code] = &[
    (422, "file_repository"),
    (422, "invalid_subdirectory"),
    (422, "invalid_tickets"),
];
