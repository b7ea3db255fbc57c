//! Who acts, and what each role may do: the one table of rights.
//!
//! [`Actor::authorize`] asks for the role that counts everywhere, [`Actor::authorize_in`] for the one in a project. Both
//! return a [`Permit`]; operations that change something ask for it first. What somebody may not even see is answered
//! like what does not exist.

use std::collections::BTreeMap;

use pointsman_shared::api::tokens::{RoleName, in_words};
use pointsman_shared::ids::PrincipalId;
use pointsman_shared::name::ProjectName;
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
    /// What it may do, and where.
    pub rights: Rights,
    /// Address the request came from.
    pub address: Option<String>,
    /// The trace of the request; what it causes belongs to it.
    pub trace: Option<TraceParent>,
}

/// Roles: one that counts everywhere, and higher ones in single projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The role everywhere.
    pub role: RoleName,
    /// Roles in single projects; the higher of the two counts.
    pub projects: BTreeMap<ProjectName, RoleName>,
}

impl From<RoleName> for Rights {
    fn from(role: RoleName) -> Self {
        Self {
            role,
            projects: BTreeMap::new(),
        }
    }
}

impl Rights {
    /// A role in one project, and none elsewhere.
    pub fn only_in(project: ProjectName, role: RoleName) -> Self {
        Self {
            role: RoleName::None,
            projects: BTreeMap::from([(project, role)]),
        }
    }

    /// The role that counts in a project.
    pub fn role_in(&self, project: &ProjectName) -> RoleName {
        let own = self.projects.get(project).copied();
        own.map_or(self.role, |own| own.max(self.role))
    }

    /// The highest role there is, in whichever project.
    fn highest(&self) -> RoleName {
        let highest = self.projects.values().copied().max();
        highest.map_or(self.role, |highest| highest.max(self.role))
    }

    /// The names of the projects that may be seen; none = every project.
    pub fn sight(&self) -> Option<Vec<String>> {
        (self.role < Action::Read.least_role()).then(|| {
            let seen = self
                .projects
                .iter()
                .filter(|(_, role)| **role >= Action::Read.least_role());
            seen.map(|(project, _)| project.to_string()).collect()
        })
    }

    /// Whether a project may be seen.
    pub fn sees(&self, project: &ProjectName) -> bool {
        self.role_in(project) >= Action::Read.least_role()
    }

    /// In words, such as `viewer, maintainer of shop`.
    pub fn in_words(&self) -> String {
        in_words(self.role, &self.projects)
    }
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
    /// Whether this actor may do `action` everywhere; `object` is named in the refusal.
    pub fn authorize(&self, action: Action, object: &str) -> Result<Permit, Refusal> {
        self.permit(self.rights.role, action, object)
    }

    /// Whether this actor may do `action` in a project, or to something of it.
    pub fn authorize_in(
        &self,
        project: &ProjectName,
        action: Action,
        object: &str,
    ) -> Result<Permit, Refusal> {
        if !self.rights.sees(project) {
            return Err(hidden(object));
        }
        self.permit(self.rights.role_in(project), action, object)
    }

    /// Whether this actor may do `action` in any project at all; whoever asks judges each project afterwards.
    pub fn authorize_somewhere(&self, action: Action, object: &str) -> Result<Permit, Refusal> {
        self.permit(self.rights.highest(), action, object)
    }

    fn permit(&self, role: RoleName, action: Action, object: &str) -> Result<Permit, Refusal> {
        if role >= action.least_role() {
            return Ok(Permit(()));
        }
        let what = format!(
            "{} may not {} ({object}): its role is {}",
            self.name,
            action.as_words(),
            self.rights.in_words()
        );
        let least = action.least_role().as_str();
        Err(Refusal::new(RefusalKind::Forbidden, "not_allowed", what)
            .hint(format!("ask an admin for the role {least}")))
    }
}

/// How everything is answered that somebody may not see, whether it exists or not.
pub fn hidden(object: &str) -> Refusal {
    let what = format!("there is no {object}, or it is of a project that you may not see");
    Refusal::not_found("not_visible", what).hint("ask an admin for a role in the project")
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
            rights: role.into(),
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
    /// Rows: somebody everywhere, the same in shop. Columns: read, build, deploy, configure, manage hosts, manage
    /// environments, manage tokens; first in shop, then in pay. `+` may, `-` may not, `.` does not even see it.
    #[test]
    fn a_role_in_a_project_counts_there_and_nowhere_else() {
        use RoleName::{Admin, Deployer, Maintainer, None as Nothing, Viewer};
        let (shop, pay): (ProjectName, ProjectName) = ("shop".parse().unwrap(), "pay".parse().unwrap());
        for (everywhere, in_shop, row) in [
            (Nothing, Nothing, "....... ......."),
            (Nothing, Viewer, "+------ ......."),
            (Nothing, Deployer, "+++---- ......."),
            (Nothing, Maintainer, "+++++-- ......."),
            (Viewer, Nothing, "+------ +------"),
            (Viewer, Deployer, "+++---- +------"),
            (Viewer, Maintainer, "+++++-- +------"),
            (Deployer, Viewer, "+++---- +++----"),
            (Deployer, Maintainer, "+++++-- +++----"),
            (Maintainer, Viewer, "+++++-- +++++--"),
            (Admin, Viewer, "+++++++ +++++++"),
        ] {
            let mut who = actor(everywhere);
            who.rights.projects.insert(shop.clone(), in_shop);
            let drawn = |project: &ProjectName| -> String {
                let sign = |action| match who.authorize_in(project, action, "it") {
                    Ok(_) => '+',
                    Err(refusal) if refusal.kind == RefusalKind::Forbidden => '-',
                    Err(_) => '.',
                };
                ALL.into_iter().map(sign).collect()
            };
            let case = who.rights.in_words();
            assert_eq!(format!("{} {}", drawn(&shop), drawn(&pay)), row, "{case}");
            // What is of no project asks for the role everywhere, and one in a project never helps.
            for action in ALL {
                let may = who.authorize(action, "it").is_ok();
                assert_eq!(
                    may,
                    everywhere >= action.least_role(),
                    "{case}: {}",
                    action.as_str()
                );
            }
        }
    }

    #[test]
    fn what_is_seen_is_told_from_all() {
        assert_eq!(actor(RoleName::Viewer).rights.sight(), None);
        assert_eq!(actor(RoleName::None).rights.sight(), Some(Vec::new()));
        let of_shop = Rights::only_in("shop".parse().unwrap(), RoleName::Deployer);
        assert_eq!(of_shop.sight(), Some(vec!["shop".to_owned()]));
        assert_eq!(of_shop.in_words(), "none, deployer of shop");
    }

    const ALL: [Action; 7] = [
        Action::Read,
        Action::Build,
        Action::Deploy,
        Action::Configure,
        Action::ManageHosts,
        Action::ManageEnvironments,
        Action::ManageTokens,
    ];
}
