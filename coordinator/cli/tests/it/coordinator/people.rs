//! Accounts of people: remembered, invited, changed.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use pointsman_shared::api::accounts::{Account, AccountChange, Invitation, NewInvitation};
use pointsman_shared::api::tokens::RoleName;

use super::Shared;
use super::refusals::{Refusal, unknown};
use super::world::{JUST_NOW, ago};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/accounts", get(list))
        .route("/accounts/invitations", post(invite))
        .route("/accounts/{name}", put(change))
}

async fn list(State(shared): State<Shared>) -> Json<Vec<Account>> {
    Json(shared.world().accounts.clone())
}

/// The guest accepts at once.
async fn invite(
    State(shared): State<Shared>,
    Json(wish): Json<NewInvitation>,
) -> (StatusCode, Json<Invitation>) {
    let account = Account {
        name: wish.name.unwrap_or_else(|| "guest".to_owned()),
        role: wish.role,
        projects: wish.projects.clone(),
        created_at: ago(JUST_NOW),
        disabled_at: None,
        seen_at: None,
    };
    shared.world().accounts.push(account);
    let invitation = Invitation {
        url: "http://coordinator/invitation/secret".to_owned(),
        role: wish.role,
        projects: wish.projects,
        expires_at: ago(-3 * 86_400),
    };
    (StatusCode::CREATED, Json(invitation))
}

async fn change(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(wish): Json<AccountChange>,
) -> Result<Json<Account>, Refusal> {
    let mut world = shared.world();
    let found = world.accounts.iter_mut().find(|account| account.name == name);
    let Some(account) = found else {
        return Err(unknown("account", &name, None));
    };
    account.role = wish.role.unwrap_or(account.role);
    for (project, role) in wish.projects {
        if role == RoleName::None {
            account.projects.remove(&project);
        } else {
            account.projects.insert(project, role);
        }
    }
    if let Some(disabled) = wish.disabled {
        account.disabled_at = disabled.then(|| ago(JUST_NOW));
    }
    Ok(Json(account.clone()))
}
