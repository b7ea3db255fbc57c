//! The hosts: a finding and a cure for each thing that is wrong with one.

use pointsman_domain::presence::Absence;
use pointsman_shared::api::fleet::{Finding, Host, Severity};
use pointsman_store::StoreResult;
use pointsman_store::views::hosts::{self, Examined, Problem};

use super::{fail, ok, warn};
use crate::app::App;

/// Hosts that are looked at.
const MOST: i64 = 10_000;

/// Looks at every member. Hosts are heard through the broker: while that is away, their silence says nothing of them.
pub(super) async fn look(app: &App, is_broker_away: bool) -> StoreResult<Vec<Finding>> {
    let mut conn = app.store.read().await?;
    let mut members = hosts::examined(&mut conn, None, MOST, &app.config.timing.rhythm()).await?;
    members.retain(|member| member.host.revoked_at.is_none());
    if members.is_empty() {
        return Ok(vec![warn("no host has joined", "pointsman hosts invite HOST")]);
    }
    let well = members.iter().filter(|member| member.problems.is_empty()).count();
    let mut findings = vec![ok(format!("{well} of {} hosts seen and well", members.len()))];
    let mut unheard = 0;
    let mut wrong: Vec<(&Problem, Vec<&Host>)> = Vec::new();
    for member in &members {
        for problem in &member.problems {
            let is_silence = matches!(
                problem,
                Problem::Absent(Absence::NeverHeard | Absence::Silent { .. }) | Problem::Late(_)
            );
            if is_broker_away && is_silence {
                unheard += 1;
            } else {
                let same = wrong.iter_mut().find(|(known, _)| *known == problem);
                match same.filter(|_| is_cured_alike(problem)) {
                    Some((_, hosts)) => hosts.push(&member.host),
                    None => wrong.push((problem, vec![&member.host])),
                }
            }
        }
    }
    findings.extend(wrong.iter().map(|(problem, hosts)| finding(hosts, problem)));
    let ours = env!("CARGO_PKG_VERSION");
    findings.extend(members.iter().filter_map(|member| older(&member.host, ours)));
    if unheard > 0 {
        let text = format!("{unheard} of the hosts cannot be heard while the broker does not answer");
        findings.push(warn(text, "see to the broker first"));
    }
    Ok(findings)
}

/// What is wrong with a host, each with what to do about it.
pub fn troubles(member: &Examined) -> Vec<(String, String)> {
    let with_cure = |problem: &Problem| (problem.to_string(), cure(member.host.id.as_str(), problem));
    member.problems.iter().map(with_cure).collect()
}

/// Whether one cure, told once, does for many hosts: commands that name a host take one.
const fn is_cured_alike(problem: &Problem) -> bool {
    match problem {
        Problem::Absent(Absence::NotJoined | Absence::Paused(_)) => false,
        Problem::Absent(Absence::NeverHeard | Absence::Silent { .. })
        | Problem::Stopped(_)
        | Problem::Late(_)
        | Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Disk(_)
        | Problem::Survivors(_)
        | Problem::Root(_)
        | Problem::Drift(_) => true,
    }
}

fn finding(hosts: &[&Host], problem: &Problem) -> Finding {
    let names: Vec<&str> = hosts.iter().map(|host| host.id.as_str()).collect();
    let names = names.join(", ");
    let word = if hosts.len() == 1 { "host" } else { "hosts" };
    let text = format!("{word} {names}: {problem}");
    let cure = cure(&names, problem);
    let severity = match problem {
        // What a paused host waits for is a person's wish.
        Problem::Absent(Absence::Paused(_))
        | Problem::Stopped(_)
        | Problem::Late(_)
        | Problem::BrokerNotReady
        | Problem::Clock(_)
        | Problem::Survivors(_)
        | Problem::Drift(_) => Severity::Warn,
        Problem::Absent(Absence::NotJoined | Absence::NeverHeard | Absence::Silent { .. })
        | Problem::Disk(_)
        | Problem::Root(_) => Severity::Fail,
    };
    match severity {
        Severity::Fail => fail(text, cure),
        Severity::Ok | Severity::Warn => warn(text, cure),
    }
}

fn cure(id: &str, problem: &Problem) -> String {
    match problem {
        Problem::Absent(Absence::NotJoined) => {
            format!("on {id}: pointsman-agent join --token TOKEN; pointsman hosts invite {id} makes one")
        }
        Problem::Absent(Absence::Paused(_)) => format!("pointsman hosts resume {id}"),
        Problem::Absent(Absence::NeverHeard | Absence::Silent { .. }) | Problem::Late(_) => {
            format!("on {id}: systemctl status pointsman-agent; journalctl -u pointsman-agent -n 50")
        }
        Problem::Stopped(_) => format!("on {id}: systemctl start pointsman-agent"),
        Problem::BrokerNotReady => {
            "set broker.admin_url, or let an administrator run what `pointsman-agent join` printed".to_owned()
        }
        Problem::Clock(_) => format!("on {id}: keep its clock with NTP (timedatectl set-ntp true)"),
        Problem::Disk(_) => {
            format!("pointsman gc plan shows what goes, pointsman gc run collects it; else make room on {id}")
        }
        Problem::Survivors(_) => {
            format!("on {id}: end them by hand; systemctl status pointsman-agent names them")
        }
        Problem::Root(_) => {
            format!("on {id}: pointsman-agent setup prints the lines that give the root its owner and rights")
        }
        Problem::Drift(_) => {
            "drift is never mended unasked; pointsman deploy PROJECT@ENVIRONMENT RELEASE mends it".to_owned()
        }
    }
}

/// An agent older than the coordinator may not read its newest messages.
fn older(host: &Host, ours: &str) -> Option<Finding> {
    let theirs = host.software.as_deref()?;
    (parts(theirs)? < parts(ours)?).then(|| {
        warn(
            format!(
                "host {}: its agent is {theirs}, older than the coordinator, which is {ours}",
                host.id
            ),
            format!(
                "upgrade the agent of {}; agents are upgraded before coordinators",
                host.id
            ),
        )
    })
}

/// The three numbers of a version; what is behind them does not count.
fn parts(version: &str) -> Option<[u32; 3]> {
    let numbers = version.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(parts("0.9.9") < parts("0.10.0"));
        assert!(parts("1.0.0-rc.1") == parts("1.0.0"));
        assert_eq!(parts("unknown"), None);
    }
}
