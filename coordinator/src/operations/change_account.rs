//! Changes what an account may do, keeps it from signing in, or gives it another password. The last admin stays.

use pointsman_domain::{Action, Actor, Refusal, RefusalKind};
use pointsman_shared::api::accounts::{Account, AccountChange};
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::digest::Digest;
use pointsman_store::accounts::KnownAccount;
use pointsman_store::{Transaction, accounts, sessions};
use zeroize::Zeroizing;

use super::{act, project_roles};
use crate::app::App;
use crate::error::OperationResult;
use crate::password;

/// Changes role or standing; gives the account as it is then.
pub async fn execute(
    app: &App,
    actor: &Actor,
    name: &str,
    change: &AccountChange,
) -> OperationResult<Account> {
    let object = format!("account {name}");
    act::audited(app, actor, "account.change", &object, async {
        actor.authorize(Action::ManageTokens, &object)?;
        let now = app.clock.now();
        let mut tx = app.store.begin().await?;
        let account = known(&mut tx, name).await?;
        let loses = change.disabled == Some(true) || change.role.is_some_and(|role| role != RoleName::Admin);
        let is_admin = account.rights.role == RoleName::Admin && !account.disabled;
        if loses && is_admin && !accounts::lock_other_admins(&mut tx, account.principal).await? {
            let what = format!("{name} is the only admin who can sign in");
            return Err(Refusal::conflict("last_admin", what)
                .hint("make somebody else an admin first")
                .into());
        }
        if let Some(role) = change.role {
            accounts::set_role(&mut tx, account.principal, role).await?;
        }
        project_roles::change(&mut tx, account.principal, &change.projects).await?;
        if let Some(disabled) = change.disabled {
            accounts::set_disabled(&mut tx, account.principal, disabled.then_some(now)).await?;
            if disabled {
                sessions::end_all(&mut tx, account.principal, None, now).await?;
            }
        }
        let detail = serde_json::json!({
            "role": change.role,
            "projects": change.projects,
            "disabled": change.disabled,
            "before": account.rights.in_words(),
        });
        act::done(app, &mut tx, actor, "account.change", &object, detail).await?;
        let changed = accounts::all(&mut tx).await?;
        act::commit(tx).await?;
        let changed = changed.into_iter().find(|account| account.name == name);
        Ok(changed.ok_or_else(|| unknown(name))?)
    })
    .await
}

/// Gives one's own account another password; every other session of it ends.
pub async fn password(
    app: &App,
    actor: &Actor,
    session: &Digest,
    old: Zeroizing<String>,
    chosen: Zeroizing<String>,
) -> OperationResult<()> {
    let object = format!("account {}", actor.name);
    act::audited(app, actor, "account.password", &object, async {
        let account = {
            let mut tx = app.store.begin().await?;
            known(&mut tx, &actor.name).await?
        };
        if !password::is(old, account.password).await? {
            let what = "the present password is wrong";
            return Err(Refusal::new(RefusalKind::Forbidden, "wrong_credentials", what).into());
        }
        password::judge(
            &chosen,
            &[&actor.name, &app.config.installation.name, "pointsman"],
        )?;
        let hash = password::hash(chosen).await?;
        let now = app.clock.now();
        let mut tx = app.store.begin().await?;
        accounts::set_password(&mut tx, account.principal, &hash).await?;
        let ended = sessions::end_all(&mut tx, account.principal, Some(session), now).await?;
        let detail = serde_json::json!({ "sessions_ended": ended });
        act::done(app, &mut tx, actor, "account.password", &object, detail).await?;
        act::commit(tx).await
    })
    .await
}

/// Longest address.
const LONGEST: usize = 254;

/// Gives one's own account the e-mail address that one's commits bear, or none. Nothing is sent there, so that it need not
/// be proven.
pub async fn email(app: &App, actor: &Actor, email: &str) -> OperationResult<()> {
    let object = format!("account {}", actor.name);
    act::audited(app, actor, "account.email", &object, async {
        let email = email.trim().to_lowercase();
        let parts = email.split_once('@');
        let whole = parts.is_some_and(|(before, behind)| !before.is_empty() && !behind.is_empty());
        let plain = !email.contains(|c: char| c.is_whitespace() || c.is_control());
        let is_sound = email.is_empty() || (whole && plain && email.len() <= LONGEST);
        if !is_sound {
            let what = format!("{email:?} is no e-mail address");
            return Err(Refusal::invalid("invalid_email", what)
                .hint("such as lucy@example.org, as git config user.email says")
                .into());
        }
        let mut tx = app.store.begin().await?;
        let kept = (!email.is_empty()).then_some(email.as_str());
        if !accounts::set_email(&mut tx, actor.principal, kept).await? {
            let what = format!("{} is a token and has no account", actor.name);
            return Err(Refusal::not_found("unknown_account", what).into());
        }
        let detail = serde_json::json!({ "given": kept.is_some() });
        act::done(app, &mut tx, actor, "account.email", &object, detail).await?;
        act::commit(tx).await
    })
    .await
}

/// The account of somebody whom an admin does not let in.
pub(super) fn disabled(kind: RefusalKind, name: &str) -> Refusal {
    Refusal::new(
        kind,
        "account_disabled",
        format!("the account {name} may not sign in"),
    )
    .hint(format!(
        "an admin lets it in again: Settings, Accounts, or pointsman account enable {name}"
    ))
}

pub(super) async fn known(tx: &mut Transaction, name: &str) -> OperationResult<KnownAccount> {
    let found = accounts::find(tx, name).await?;
    Ok(found.ok_or_else(|| unknown(name))?)
}

fn unknown(name: &str) -> Refusal {
    Refusal::not_found("unknown_account", format!("there is no account {name}"))
        .hint("pointsman account ls, or Settings, Accounts")
}
