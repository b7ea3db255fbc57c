//! What a plan is held to, and what has changed since it was made.

use pointsman_shared::api::plans::{Agreed, PlannedRelease};
use pointsman_shared::digest::Digest;
use pointsman_shared::name::HostId;

use crate::refusal::Refusal;

/// Version of what is hashed; another reading of the same deployment is another plan.
const VERSION: &[u8] = b"pointsman-plan-1\n";

/// The hash of a plan: SHA-256 over the version and the canonical JSON of what was agreed.
pub fn hash(agreed: &Agreed) -> Result<Digest, serde_json::Error> {
    let mut bytes = VERSION.to_vec();
    serde_json::to_writer(&mut bytes, agreed)?;
    Ok(Digest::of(&bytes))
}

/// Refuses a deployment that would not do what was planned, naming each difference.
pub fn judge(planned: &Agreed, now: &Agreed) -> Result<(), Refusal> {
    let differences = differences(planned, now);
    if differences.is_empty() {
        return Ok(());
    }
    let what = format!("the plan no longer holds: {}", differences.join("; "));
    Err(Refusal::conflict("plan_changed", what)
        .hint(format!("pointsman plan {} {}", now.target, now.release.label)))
}

fn differences(planned: &Agreed, now: &Agreed) -> Vec<String> {
    let name = |release: &PlannedRelease| format!("{} (#{})", release.label, release.number);
    let live = |release: &Option<PlannedRelease>| release.as_ref().map_or_else(|| "nothing".to_owned(), name);
    let mut found = Vec::new();
    if planned.target != now.target {
        found.push(format!("it was made for {}, not {}", planned.target, now.target));
    }
    if planned.release != now.release {
        found.push(format!(
            "it deploys {}, not {}",
            name(&planned.release),
            name(&now.release)
        ));
    }
    if planned.from != now.from {
        found.push(format!(
            "{} was live, now {} is",
            live(&planned.from),
            live(&now.from)
        ));
    }
    if planned.pre_migrations != now.pre_migrations {
        let list = |names: &[String]| match names {
            [] => "no pre-migration".to_owned(),
            names => names.join(", "),
        };
        found.push(format!(
            "it would apply {}, now {}",
            list(&planned.pre_migrations),
            list(&now.pre_migrations)
        ));
    }
    if planned.strategy != now.strategy {
        found.push("the strategy differs".to_owned());
    }
    if planned.waves != now.waves {
        found.push(hosts(&planned.waves, &now.waves));
    }
    found
}

fn hosts(planned: &[Vec<HostId>], now: &[Vec<HostId>]) -> String {
    let missing = |of: &[Vec<HostId>], from: &[Vec<HostId>]| -> Vec<String> {
        let hosts = of.iter().flatten();
        hosts
            .filter(|host| !from.iter().flatten().any(|other| other == *host))
            .map(ToString::to_string)
            .collect()
    };
    match (missing(now, planned), missing(planned, now)) {
        (came, went) if came.is_empty() && went.is_empty() => "the hosts stand in other waves".to_owned(),
        (came, went) if went.is_empty() => format!("{} came", came.join(", ")),
        (came, went) if came.is_empty() => format!("{} went", went.join(", ")),
        (came, went) => format!("{} came and {} went", came.join(", "), went.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use pointsman_shared::api::projects::Strategy;

    use super::*;

    fn release(number: u32) -> PlannedRelease {
        PlannedRelease {
            number,
            label: format!("1.{number}").parse().unwrap(),
            commit: "0".repeat(40).parse().unwrap(),
            digest: Digest::of(&number.to_le_bytes()),
        }
    }

    fn agreed() -> Agreed {
        Agreed {
            target: "shop@production".parse().unwrap(),
            release: release(2),
            from: Some(release(1)),
            pre_migrations: vec!["0002_add_vat".to_owned()],
            waves: vec![vec!["web-1".parse().unwrap()], vec!["web-2".parse().unwrap()]],
            strategy: Strategy::default(),
        }
    }

    #[test]
    fn the_same_plan_has_the_same_hash_and_another_one_another() {
        assert_eq!(hash(&agreed()).unwrap(), hash(&agreed()).unwrap());
        assert!(judge(&agreed(), &agreed()).is_ok());
        let mut other = agreed();
        other.pre_migrations.clear();
        assert_ne!(hash(&agreed()).unwrap(), hash(&other).unwrap());
    }

    #[test]
    fn every_difference_is_named() {
        let mut now = agreed();
        now.from = Some(release(3));
        now.pre_migrations.clear();
        now.waves = vec![vec!["web-1".parse().unwrap(), "web-3".parse().unwrap()]];
        now.strategy.max_failures = 2;
        let refusal = judge(&agreed(), &now).unwrap_err();
        assert_eq!(refusal.code, "plan_changed");
        assert_eq!(
            refusal.what,
            "the plan no longer holds: 1.1 (#1) was live, now 1.3 (#3) is; it would apply 0002_add_vat, now no \
             pre-migration; the strategy differs; web-3 came and web-2 went"
        );
        let mut moved = agreed();
        moved.waves.reverse();
        let refusal = judge(&agreed(), &moved).unwrap_err();
        assert_eq!(
            refusal.what,
            "the plan no longer holds: the hosts stand in other waves"
        );
    }
}
