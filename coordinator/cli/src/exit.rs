//! The exit codes: the part of the command's answer that scripts read.
//!
//! Every way to end stands here, and nowhere else; `pointsman help exit-codes` prints this list.

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Ok = 0,
    /// It failed.
    Failed = 1,
    /// The command line, a file it names, or a value in it is wrong; nothing was changed.
    Usage = 2,
    /// Somebody cancelled what was followed, or a newer wish took its place.
    Cancelled = 3,
    /// No token, or one that is not accepted.
    NotLoggedIn = 4,
    /// A policy, a lock, a stop or the present state of things forbids it.
    Refused = 5,
    /// There is no such thing.
    NotFound = 6,
    /// The time given was up, or the coordinator stopped answering; the work goes on.
    TimedOut = 7,
    /// The deployment failed and was rolled back; the service runs what it ran before.
    RolledBack = 8,
    /// Ctrl-C: the command let go; what it followed goes on.
    Interrupted = 130,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::Cancelled,
        Self::NotLoggedIn,
        Self::Refused,
        Self::NotFound,
        Self::TimedOut,
        Self::RolledBack,
        Self::Interrupted,
    ];

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in words for `help exit-codes`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "failed",
            Self::Usage => "the command line, or a file or value it names, is wrong; nothing was changed",
            Self::Cancelled => "cancelled by someone, or superseded by a newer wish",
            Self::NotLoggedIn => "not logged in, or the token is not accepted",
            Self::Refused => "refused by a policy, a lock, a stop or the present state",
            Self::NotFound => "there is no such thing",
            Self::TimedOut => "the time was up, or the coordinator stopped answering; the work goes on",
            Self::RolledBack => "failed and rolled back; the service runs what it ran before",
            Self::Interrupted => "Ctrl-C; what was followed goes on",
        }
    }
}
