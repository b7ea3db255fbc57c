//! `webhook` and `push`: what is typed about deploys on push.

use clap::{Args, Subcommand};
use pointsman_shared::api::pushes::Forge;
use pointsman_shared::name::{ProjectName, TargetName, WebhookName};

use super::parse;
use super::root::{Listed, Rows};

/// `webhook`
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Make a webhook; its secret is shown once, alone on stdout.
    Add {
        /// The project whose pushes it tells.
        project: ProjectName,
        /// Who will call it.
        #[arg(long, value_parser = parse::word::<Forge>(&["github", "gitlab", "gitea", "generic"]))]
        forge: Forge,
        /// Its name within the project; the forge's when absent.
        #[arg(long)]
        name: Option<WebhookName>,
    },
    /// List webhooks.
    #[command(alias = "list")]
    Ls(NoOptions),
    /// Give a webhook another secret; the old one is void at once.
    Renew(OneWebhook),
    /// Remove a webhook.
    #[command(alias = "rm")]
    Remove(OneWebhook),
}

/// A list that takes nothing.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct NoOptions {}

impl Listed for WebhookCommand {
    type List = NoOptions;

    fn listed(list: NoOptions) -> Self {
        Self::Ls(list)
    }
}

/// A webhook by name.
#[derive(Debug, Args)]
pub struct OneWebhook {
    /// The project.
    pub project: ProjectName,
    /// Its name, as in `webhook ls`.
    pub name: WebhookName,
}

/// `push`
#[derive(Debug, Subcommand)]
pub enum PushCommand {
    /// List pushes that were told and what came of them, newest first.
    #[command(alias = "list")]
    Ls(ListPushes),
    /// Answer a push once more, such as after the lock is gone that refused it.
    Repeat {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
    },
    /// Hold all pushes to a target back; people deploy as before.
    Pause {
        /// Where, as project@environment.
        #[arg(value_name = "PROJECT@ENVIRONMENT")]
        target: TargetName,
    },
    /// Let pushes to a target go on, whatever held them back.
    Resume {
        /// Where, as project@environment.
        #[arg(value_name = "PROJECT@ENVIRONMENT")]
        target: TargetName,
    },
}

impl Listed for PushCommand {
    type List = ListPushes;

    fn listed(list: ListPushes) -> Self {
        Self::Ls(list)
    }
}

/// `push ls`
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct ListPushes {
    /// Only of this project.
    #[arg(long)]
    pub project: Option<ProjectName>,
    /// How many.
    #[command(flatten)]
    pub rows: Rows,
}
