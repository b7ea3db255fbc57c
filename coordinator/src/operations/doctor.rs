//! Looks at everything a person would look at when something is wrong, and says what to do. It changes nothing.

mod channels;
mod hosts;
mod store;
mod webhooks;
mod work;

pub use hosts::troubles;

use std::time::Duration;

use pointsman_domain::{Action, Actor};
use pointsman_shared::api::fleet::{Finding, Severity};
use pointsman_shared::api::locks::Lock;
use pointsman_store::troubles;
use pointsman_store::{StoreResult, locks, schema, variables};

use crate::app::App;
use crate::broker::{alarms, topology};
use crate::error::OperationResult;

/// Longest wait for the broker.
const BROKER_PATIENCE: Duration = Duration::from_secs(5);

/// Examines the installation.
pub async fn execute(app: &App, actor: &Actor) -> OperationResult<Vec<Finding>> {
    actor.authorize(Action::Read, "doctor")?;
    let mut findings = vec![coordinator(app)];
    findings.extend(database(app).await?);
    let of_broker = broker(app).await;
    // Nothing else can be said of one that does not answer.
    let is_broker_away = matches!(of_broker.as_slice(), [only] if only.severity == Severity::Fail);
    findings.extend(of_broker);
    findings.push(store::look(app).await);
    findings.extend(secrets(app).await?);
    findings.extend(hosts::look(app, is_broker_away).await?);
    findings.extend(channels::look(app).await?);
    findings.extend(webhooks::look(app).await?);
    let mut conn = app.store.read().await?;
    let now = pointsman_store::now(&mut conn).await?;
    let held = locks::all(&mut conn, now).await?;
    findings.extend(held.iter().map(in_force));
    let is_stopped = held.iter().any(|lock| lock.target.is_none());
    let mut of_work = work::look(&troubles::count(&mut conn).await?, is_stopped);
    of_work.extend(work::paused(&mut conn).await?);
    if of_work.is_empty() {
        of_work.push(ok("nothing stands still"));
    }
    findings.extend(of_work);
    Ok(findings)
}

/// What refuses people's wishes. It is meant, and easily forgotten.
fn in_force(lock: &Lock) -> Finding {
    let Lock { owner, reason, .. } = lock;
    let until = lock
        .expires_at
        .map_or_else(String::new, |at| format!(" until {}", at.format("%F %T UTC")));
    match &lock.target {
        None => warn(
            format!("everything is stopped by {owner}{until}: {reason}"),
            "pointsman resume",
        ),
        Some(target) => warn(
            format!("{target} is locked by {owner}{until}: {reason}"),
            format!("pointsman unlock {target}"),
        ),
    }
}

/// As it should be.
fn ok(text: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Ok,
        text: text.into(),
        cure: None,
    }
}

/// Worth a look.
fn warn(text: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Warn,
        text: text.into(),
        cure: Some(cure.into()),
    }
}

/// Broken.
fn fail(text: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Fail,
        ..warn(text, cure)
    }
}

fn coordinator(app: &App) -> Finding {
    let http = &app.config.http;
    let name = &app.config.installation.name;
    let text = format!(
        "coordinator {} of {name} at {}",
        env!("CARGO_PKG_VERSION"),
        http.public_url
    );
    if http.tls_cert.is_none() && !http.listen.ip().is_loopback() {
        return warn(
            format!("{text}, plain HTTP off loopback"),
            "set http.tls_cert and http.tls_key, or keep a proxy with TLS in front",
        );
    }
    ok(text)
}

/// Secrets that no job could read any more.
async fn secrets(app: &App) -> StoreResult<Option<Finding>> {
    let mut conn = app.store.read().await?;
    let mut keys = variables::keys(&mut conn).await?;
    keys.extend(pointsman_store::webhooks::keys(&mut conn).await?);
    drop(conn);
    keys.sort();
    keys.dedup();
    let known = |key: &String| app.vault.as_ref().is_some_and(|vault| vault.knows(key));
    let unknown: Vec<_> = keys
        .iter()
        .filter(|key| !known(key))
        .map(String::as_str)
        .collect();
    Ok(match (keys.is_empty(), unknown.as_slice()) {
        (true, _) => None,
        (false, []) => Some(ok("secrets can be read")),
        (false, unknown) => Some(fail(
            format!(
                "secrets were sealed with keys that are not here: {}",
                unknown.join(", ")
            ),
            "give every coordinator the same secrets.key_file, or set the secrets anew",
        )),
    })
}

async fn database(app: &App) -> StoreResult<Vec<Finding>> {
    let mut conn = app.store.read().await?;
    let version = schema::server_version(&mut conn).await?;
    let fit = schema::fit(&mut conn).await?;
    let mut findings = Vec::new();
    if fit.missing.is_empty() && fit.unknown.is_empty() {
        findings.push(ok(format!("database {version}, migrations current")));
    }
    if !fit.missing.is_empty() {
        let text = format!("database {version}: migrations {:?} are not applied", fit.missing);
        findings.push(fail(
            text,
            "restart a coordinator of this version; it applies them",
        ));
    }
    if !fit.unknown.is_empty() {
        let text = format!(
            "database {version}: migrations {:?} come from a newer coordinator",
            fit.unknown
        );
        findings.push(warn(text, "upgrade this coordinator"));
    }
    let off = (app.clock.now() - pointsman_store::now(&mut conn).await?).num_milliseconds();
    if off.abs() > 1_000 {
        let text = format!("this machine's clock and the database's are {off} ms apart");
        findings.push(warn(text, "keep both with NTP"));
    }
    Ok(findings)
}

async fn broker(app: &App) -> Vec<Finding> {
    let inspection = match tokio::time::timeout(BROKER_PATIENCE, topology::inspect(app)).await {
        Ok(Ok(inspection)) => inspection,
        Ok(Err(error)) => return vec![fail(format!("broker: {error}"), "look at the coordinator's log")],
        Err(_) => {
            return vec![fail(
                "broker: no answer within 5 s",
                "look at the broker's own log and memory",
            )];
        }
    };
    if let Some(why) = inspection.unreachable {
        return vec![fail(
            format!("broker: {why}"),
            "check broker.url and that the broker runs",
        )];
    }
    let mut findings = Vec::new();
    if inspection.missing.is_empty() {
        findings.push(ok("broker reachable, every queue is there"));
    } else {
        let text = format!(
            "broker: these queues are missing: {}",
            inspection.missing.join(", ")
        );
        findings.push(if inspection.repairs_itself {
            warn(text, "they are made again within a minute")
        } else {
            fail(text, "set broker.admin_url, or declare them by hand")
        });
    }
    findings.extend(outdated_queues(app).await);
    if !inspection.repairs_itself {
        let text = "broker.admin_url is not set: queues, users and rights are not repaired";
        findings.push(warn(
            text,
            "set it, or let an administrator run what `join` prints",
        ));
    }
    match tokio::time::timeout(BROKER_PATIENCE, alarms::raised(app)).await {
        Ok(Ok(raised)) => findings.extend(
            raised
                .into_iter()
                .map(|alarm| fail(alarm.to_string(), alarm.cure())),
        ),
        Ok(Err(error)) => findings.push(warn(format!("broker: {error}"), MANAGEMENT)),
        Err(_) => findings.push(warn(
            "broker: its management API does not answer within 5 s",
            MANAGEMENT,
        )),
    }
    findings
}

const MANAGEMENT: &str = "check broker.admin_url, and that the broker's management plugin runs";
/// Queues of an earlier version keep their arguments; from RabbitMQ 4 on, some of those set a limit of 20 deliveries.
async fn outdated_queues(app: &App) -> Option<Finding> {
    let queues = tokio::time::timeout(BROKER_PATIENCE, topology::outdated(app)).await;
    let queues = queues.ok()?.ok().filter(|queues| !queues.is_empty())?;
    Some(warn(
        format!(
            "broker: these queues have other arguments than this version gives them: {}",
            queues.join(", ")
        ),
        "they work; to renew them, delete them while nothing is deployed: they are made again within a minute",
    ))
}
