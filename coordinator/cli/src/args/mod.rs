//! The command line: what may be typed, and nothing of what it does.

mod deploy;
mod garbage;
mod locks;
mod manage;
mod migrations;
mod overview;
mod parse;
mod root;

pub use deploy::{
    Build, Cancel, Decide, Deploy, Deployments, Follow, Logs, MakePlan, MarkRelease, Pause, Promote, Resume,
    Retry, Rollback, Skip, Versions, Watch,
};
pub use garbage::{GarbageCommand, Pin, ScheduleGarbage, UndoGarbage};
pub use locks::{LockTarget, Stop, UnlockTarget};
pub use manage::{
    Apply, Audit, EnvironmentCommand, Events, HostsCommand, InviteHost, JobsCommand, ListJobs,
    ProjectCommand, SetVariable, TargetCommand, TokenCommand, VariableCommand,
};
pub use migrations::{Found, MigrationsCommand};
pub use parse::{LogSubject, Pair, Scope};
pub use root::{Cli, Command, Login, Options, Status};
