//! Signing in by an OpenID provider: which one, who we are there, and which role each of its groups gives.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::name::ProjectName;
use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use super::sections::read_secret;

/// An OpenID provider.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSection {
    /// Its address, exactly as it names itself in its tokens.
    pub issuer: String,
    /// What it is called on the sign-in page; its host when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Who we are there.
    pub client_id: String,
    /// What proves it.
    #[serde(default)]
    pub client_secret: String,
    /// A file that holds it.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim of the identity token that lists a person's groups.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// Which roles each group gives: `"deployer"`, or `"shop=maintainer"`, or several of both.
    #[serde(default)]
    pub roles: BTreeMap<String, GroupRoles>,
    /// Certificates of CAs to trust as well as the system's, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// The roles that one group gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum GroupRoles {
    /// One.
    One(GroupRole),
    /// Several.
    Several(Vec<GroupRole>),
}

impl GroupRoles {
    /// Each of them.
    pub fn each(&self) -> &[GroupRole] {
        match self {
            Self::One(role) => std::slice::from_ref(role),
            Self::Several(roles) => roles,
        }
    }
}

/// A role everywhere, or in one project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum GroupRole {
    /// Everywhere.
    Everywhere(RoleName),
    /// In a project.
    In(ProjectName, RoleName),
}

impl TryFrom<String> for GroupRole {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let role = |name: &str, known: &[RoleName]| {
            let found = known.iter().find(|role| role.as_str() == name).copied();
            found.ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|role| role.as_str()).collect();
                format!("{name:?} is no role; write {}", names.join(", "))
            })
        };
        let of_project = [RoleName::Viewer, RoleName::Deployer, RoleName::Maintainer];
        if let Some((project, name)) = text.split_once('=') {
            let project = project.trim();
            let parsed = project.parse();
            let project = parsed.map_err(|error| format!("{project:?} is no project: {error}"))?;
            return Ok(Self::In(project, role(name.trim(), &of_project)?));
        }
        let everywhere = [of_project.as_slice(), &[RoleName::Admin]].concat();
        Ok(Self::Everywhere(role(text.trim(), &everywhere)?))
    }
}

/// Without the secret.
impl std::fmt::Debug for OidcSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSection")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("groups_claim", &self.groups_claim)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl OidcSection {
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        let file = self.client_secret_file.as_ref();
        read_secret("oidc.client_secret_file", file, &mut self.client_secret)?;
        let invalid = |key, rule: String| Err(ConfigError::Invalid { key, rule });
        let Ok(issuer) = self.issuer.parse::<Url>() else {
            return invalid("oidc.issuer", format!("{:?} is no address", self.issuer));
        };
        let is_here = match issuer.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && is_here) {
            let rule = format!("{} must begin with https://", self.issuer);
            return invalid("oidc.issuer", rule);
        }
        if self.client_id.is_empty() {
            return invalid(
                "oidc.client_id",
                "set it to what the provider registered".to_owned(),
            );
        }
        if self.roles.values().all(|roles| roles.each().is_empty()) {
            let rule = "name a group and its role, such as ops = \"maintainer\"; without one nobody gets in"
                .to_owned();
            return invalid("oidc.roles", rule);
        }
        Ok(())
    }

    /// What it is called on the sign-in page.
    pub fn shown(&self) -> String {
        let host = || {
            let issuer = self.issuer.parse::<Url>().ok()?;
            issuer.host_str().map(ToOwned::to_owned)
        };
        self.name
            .clone()
            .or_else(host)
            .unwrap_or_else(|| self.issuer.clone())
    }
}

fn scopes() -> Vec<String> {
    ["profile", "email", "groups"].map(ToOwned::to_owned).to_vec()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(lines: &str) -> Result<OidcSection, String> {
        let text = format!("client_id = \"pointsman\"\n{lines}");
        let mut section: OidcSection = toml::from_str(&text).map_err(|error| error.to_string())?;
        section.resolve().map_err(|error| error.to_string())?;
        Ok(section)
    }

    #[test]
    fn groups_give_roles_everywhere_or_in_a_project() {
        let read = section(
            "issuer = \"https://id.example.com/\"\nroles.ops = \"admin\"\nroles.shop = [\"viewer\", \"shop=maintainer\"]",
        );
        let read = read.unwrap();
        assert_eq!(read.shown(), "id.example.com");
        assert_eq!(read.roles["ops"].each(), [GroupRole::Everywhere(RoleName::Admin)]);
        let shop = GroupRole::In("shop".parse().unwrap(), RoleName::Maintainer);
        assert_eq!(
            read.roles["shop"].each(),
            [GroupRole::Everywhere(RoleName::Viewer), shop]
        );
    }

    #[test]
    fn what_would_let_in_nobody_or_everybody_is_refused_by_name() {
        for (lines, told) in [
            (
                "issuer = \"http://id.example.com\"\nroles.ops = \"admin\"",
                "oidc.issuer",
            ),
            (
                "issuer = \"id.example.com\"\nroles.ops = \"admin\"",
                "oidc.issuer",
            ),
            ("issuer = \"https://id.example.com\"", "oidc.roles"),
            (
                "issuer = \"https://id.example.com\"\nroles.ops = \"root\"",
                "roles",
            ),
            (
                "issuer = \"https://id.example.com\"\nroles.ops = \"shop=admin\"",
                "roles",
            ),
            (
                "issuer = \"https://id.example.com\"\nroles.ops = \"admin\"\ncolour = 1",
                "colour",
            ),
        ] {
            let error = section(lines).unwrap_err();
            assert!(error.contains(told), "{lines}: {error}");
        }
        assert!(section("issuer = \"http://127.0.0.1:9/\"\nroles.ops = \"admin\"").is_ok());
    }
}
