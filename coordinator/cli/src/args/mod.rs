//! The command line: what may be typed, and nothing of what it does.

mod deploy;
mod manage;
mod overview;
mod parse;
mod root;

pub use deploy::{
    Build, Cancel, Decide, Deploy, Deployments, Follow, Logs, Resume, Rollback, Versions, Watch,
};
pub use manage::{
    Apply, Audit, EnvironmentCommand, Events, HostsCommand, InviteHost, JobsCommand, ListJobs,
    ProjectCommand, SetVariable, TargetCommand, TokenCommand, VariableCommand,
};
pub use parse::{LogSubject, Pair, Scope};
pub use root::{Cli, Command, Login, Options, Status};
