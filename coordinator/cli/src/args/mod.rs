//! The command line: what may be typed, and nothing of what it does.

mod accounts;
mod audit;
mod causes;
mod comfort;
mod deploy;
mod garbage;
mod keys;
mod locks;
mod manage;
mod migrations;
mod notifications;
mod overview;
mod parse;
mod pushes;
mod recipes;
mod root;
mod variables;

pub use accounts::AccountCommand;
pub use audit::Audit;
pub use causes::{CauseCommand, SaidCause};
pub use comfort::{Complete, Completions, KnownShell, ManPages, NameKind, Open, Why};
pub use deploy::{
    Build, Cancel, Decide, Deploy, Deployments, Follow, Logs, MakePlan, MarkRelease, OneMark, Pause, Promote,
    Resume, Retry, Rollback, Skip, Versions, Watch,
};
pub use garbage::{GarbageCommand, Pin, ScheduleGarbage, UndoGarbage};
pub use keys::KeyCommand;
pub use locks::{LockTarget, Stop, UnlockTarget};
pub use manage::{
    Apply, EnvironmentCommand, Events, HostsCommand, InviteHost, JobsCommand, ListJobs, ProjectCommand,
    TargetCommand, TokenCommand,
};
pub use migrations::{Found, MigrationsCommand};
pub use notifications::{
    AddChannel, AddRule, ChannelCommand, DeliveryCommand, ListDeliveries, PlaceArgs, RotateChannel,
    RuleCommand,
};
pub use parse::{LogSubject, Pair, Scope, Subject};
pub use pushes::{OneWebhook, PushCommand, WebhookCommand};
pub use recipes::RecipeCommand;
pub use root::{Cli, Command, Login, Options, Status};
pub use variables::{SetVariable, UnsetVariable, VariableCommand, VariableScopeArgs};
