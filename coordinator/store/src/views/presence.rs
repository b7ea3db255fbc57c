//! Whether a host is there, from the columns that tell it. Views read these beside columns of their own, so that a row
//! type cannot be shared; what they mean stands here once. Who paused a host, and why, is asked elsewhere.

/// The presence in a row with `joined_at`, `revoked_at`, `paused_at`, `last_seen_at` and `has_instance`, of a host that
/// works or does not.
macro_rules! presence_of {
    ($row:expr, $working:expr) => {
        ::pointsman_domain::presence::Presence {
            joined_at: $row.joined_at,
            revoked_at: $row.revoked_at,
            paused: $row.paused_at.map(::pointsman_domain::presence::Pause::since),
            last_seen_at: $row.last_seen_at,
            has_instance: $row.has_instance,
            working: $working,
        }
    };
}

pub(super) use presence_of;
