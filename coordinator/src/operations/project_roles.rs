//! Roles in single projects, as people and tokens are given them: the projects must exist, and what is of no project,
//! such as accounts and environments, is never part of such a role.

use std::collections::BTreeMap;

use pointsman_domain::Refusal;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::ids::{PrincipalId, ProjectId};
use pointsman_shared::name::ProjectName;
use pointsman_store::{PgConnection, Transaction, accounts};

use super::known;
use crate::error::OperationResult;

/// The projects by their ids, each with a role that can be held there.
pub async fn judged(
    conn: &mut PgConnection,
    projects: &BTreeMap<ProjectName, RoleName>,
) -> OperationResult<Vec<(ProjectId, RoleName)>> {
    let mut judged = Vec::new();
    for (name, role) in projects {
        if matches!(role, RoleName::None | RoleName::Admin) {
            let what = format!("{} is no role in a project ({name})", role.as_str());
            return Err(Refusal::invalid("invalid_role", what)
                .hint("viewer, deployer or maintainer; an admin is one everywhere")
                .into());
        }
        judged.push((known::project(conn, name).await?.id, *role));
    }
    Ok(judged)
}

/// Gives an account roles in projects; `none` takes the one there away.
pub async fn change(
    tx: &mut Transaction,
    principal: PrincipalId,
    projects: &BTreeMap<ProjectName, RoleName>,
) -> OperationResult<()> {
    let (away, given): (BTreeMap<_, _>, BTreeMap<_, _>) = projects
        .iter()
        .map(|(name, role)| (name.clone(), *role))
        .partition(|(_, role)| *role == RoleName::None);
    for name in away.keys() {
        let project = known::project(tx, name).await?.id;
        accounts::unset_project_role(tx, principal, project).await?;
    }
    for (project, role) in judged(tx, &given).await? {
        accounts::set_project_role(tx, principal, project, role).await?;
    }
    Ok(())
}
