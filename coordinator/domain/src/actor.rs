//! Who acts, and what each role may do: the one table of rights.
//!
//! [`Actor::authorize`] returns a [`Permit`]; operations that change something ask for it first.

use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::wire::TraceParent;

use crate::refusal::{Refusal, RefusalKind};

/// What kind of principal acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person.
    User,
    /// An API token.
    Token,
    /// An agent.
    Agent,
    /// A schedule.
    Schedule,
    /// The coordinator itself.
    System,
}

/// Who acts, from where.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The principal.
    pub principal: PrincipalId,
    /// Its kind.
    pub kind: ActorKind,
    /// Its name for people.
    pub name: String,
    /// What it may do.
    pub role: RoleName,
    /// Address the request came from.
    pub address: Option<String>,
    /// The trace of the request; what it causes belongs to it.
    pub trace: Option<TraceParent>,
}

/// What can be done, as coarse as roles need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at anything but secrets.
    Read,
    /// Build a release.
    Build,
    /// Deploy, roll back, decide, cancel.
    Deploy,
    /// Change projects, targets, variables.
    Configure,
    /// Invite, pause and revoke hosts.
    ManageHosts,
    /// Change environments.
    ManageEnvironments,
    /// Issue and revoke tokens.
    ManageTokens,
}

impl Action {
    /// Its name, for documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Build => "build",
            Self::Deploy => "deploy",
            Self::Configure => "configure",
            Self::ManageHosts => "manage_hosts",
            Self::ManageEnvironments => "manage_environments",
            Self::ManageTokens => "manage_tokens",
        }
    }

    /// The least role that may do it.
    pub const fn least_role(self) -> RoleName {
        match self {
            Self::Read => RoleName::Viewer,
            Self::Build | Self::Deploy => RoleName::Deployer,
            Self::Configure | Self::ManageHosts => RoleName::Maintainer,
            Self::ManageEnvironments | Self::ManageTokens => RoleName::Admin,
        }
    }

    const fn as_words(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Build => "build",
            Self::Deploy => "deploy, roll back or cancel",
            Self::Configure => "change projects, targets and variables",
            Self::ManageHosts => "manage hosts",
            Self::ManageEnvironments => "manage environments",
            Self::ManageTokens => "manage tokens",
        }
    }
}

/// Proof that an actor may do something; only [`Actor::authorize`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Permit(());

impl Actor {
    /// Whether this actor may do `action` on `object` (its name, for the refusal).
    pub fn authorize(&self, action: Action, object: &str) -> Result<Permit, Refusal> {
        if self.role >= action.least_role() {
            return Ok(Permit(()));
        }
        let least = action.least_role().as_str();
        Err(Refusal::new(
            RefusalKind::Forbidden,
            "not_allowed",
            format!(
                "{} may not {} ({object}): its role is {}",
                self.name,
                action.as_words(),
                self.role.as_str()
            ),
        )
        .hint(format!("ask an admin for a token with the role {least}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: RoleName) -> Actor {
        let principal = PrincipalId(uuid::Uuid::nil());
        Actor {
            principal,
            kind: ActorKind::Token,
            name: "ann".to_owned(),
            role,
            address: None,
            trace: None,
        }
    }

    #[test]
    fn each_role_includes_the_ones_below() {
        assert!(actor(RoleName::Viewer).authorize(Action::Read, "shop").is_ok());
        assert!(actor(RoleName::Viewer).authorize(Action::Build, "shop").is_err());
        assert!(
            actor(RoleName::Deployer)
                .authorize(Action::Deploy, "shop@production")
                .is_ok()
        );
        assert!(
            actor(RoleName::Deployer)
                .authorize(Action::Configure, "shop")
                .is_err()
        );
        assert!(
            actor(RoleName::Admin)
                .authorize(Action::ManageTokens, "tokens")
                .is_ok()
        );
    }
}
