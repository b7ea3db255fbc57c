//! Where a target may go back to: a release that was live there and healthy, whose bytes are still stored, and which
//! no applied post-migration forbids.

use chrono::{DateTime, Utc};
use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::ReleaseLabel;

use crate::refusal::Refusal;

/// A release that was live in the target and healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodRelease {
    /// The release.
    pub id: ReleaseId,
    /// Its label.
    pub label: ReleaseLabel,
    /// Whether its bytes are still stored.
    pub state: ReleaseState,
    /// When it was first live there.
    pub first_live_at: DateTime<Utc>,
    /// Whether a rollback left it, and it was not live again since.
    pub left_by_rollback: bool,
}

/// The newest good release first live before the live one, skipping those that a rollback left.
pub fn previous_good(live: Option<ReleaseId>, good: &[GoodRelease]) -> Option<&GoodRelease> {
    let since = live
        .and_then(|live| good.iter().find(|release| release.id == live))
        .map(|live| live.first_live_at);
    good.iter()
        .filter(|release| Some(release.id) != live && !release.left_by_rollback)
        .filter(|release| release.state == ReleaseState::Built)
        .filter(|release| since.is_none_or(|since| release.first_live_at < since))
        .max_by_key(|release| release.first_live_at)
}

/// Whether the target may go back to `label`; `forbidding` names applied post-migrations that it does not know.
pub fn judge(
    label: &ReleaseLabel,
    state: ReleaseState,
    was_good: bool,
    forbidding: &[String],
    target: &str,
) -> Result<(), Refusal> {
    let refuse = |code, what: String| Err(Refusal::conflict(code, what));
    match state {
        ReleaseState::Built => {}
        ReleaseState::Pruned => {
            return refuse(
                "release_pruned",
                format!("release {label} was collected: its bytes are gone"),
            );
        }
        ReleaseState::Queued | ReleaseState::Building | ReleaseState::Failed | ReleaseState::Cancelled => {
            return refuse("release_not_built", format!("release {label} is not built"));
        }
    }
    if !was_good {
        let what = format!("release {label} was never live and healthy in {target}");
        return Err(Refusal::conflict("release_not_good", what)
            .hint(format!("deploy it instead: pointsman deploy {target} {label}")));
    }
    if let Some(migration) = forbidding.first() {
        let what = format!(
            "release {label} cannot run after the applied post-migration {migration}, which it does not know"
        );
        return Err(Refusal::conflict("migration_forbids", what)
            .hint("revert the migration first, or roll back to a release that has it"));
    }
    Ok(())
}

/// Whether the target's database still has what `label` needs; `missing` names its pre-migrations that are not applied.
pub fn judge_missing(label: &ReleaseLabel, missing: &[String], target: &str) -> Result<(), Refusal> {
    let Some(migration) = missing.first() else {
        return Ok(());
    };
    let what = format!(
        "release {label} needs the pre-migration {migration}, which is not applied in {target} any more"
    );
    let hint = format!("deploy it instead, which applies it first: pointsman deploy {target} {label}");
    Err(Refusal::conflict("migration_missing", what).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(number: u8, left_by_rollback: bool) -> GoodRelease {
        GoodRelease {
            id: id(number),
            label: number.to_string().parse().unwrap(),
            state: ReleaseState::Built,
            first_live_at: DateTime::from_timestamp(i64::from(number), 0).unwrap(),
            left_by_rollback,
        }
    }

    fn id(number: u8) -> ReleaseId {
        ReleaseId(uuid::Uuid::from_u128(number.into()))
    }

    #[test]
    fn the_previous_good_one_is_before_the_live_one_and_was_not_left_by_a_rollback() {
        let mut all = vec![good(1, false), good(2, true), good(3, false), good(4, false)];
        let label =
            |live, all: &[GoodRelease]| previous_good(live, all).map(|release| release.label.to_string());
        assert_eq!(label(Some(id(4)), &all).as_deref(), Some("3"));
        assert_eq!(label(Some(id(3)), &all).as_deref(), Some("1"));
        assert_eq!(label(Some(id(1)), &all), None);
        assert_eq!(label(None, &all).as_deref(), Some("4"));
        all[2].state = ReleaseState::Pruned;
        assert_eq!(label(Some(id(4)), &all).as_deref(), Some("1"));
    }

    #[test]
    fn the_way_back_goes_by_time_and_never_by_what_a_version_is_called() {
        let labels = ["1.9", "1.10", "1.99", "1.100", "1.1000"];
        let all: Vec<_> = (1..)
            .zip(labels)
            .map(|(number, label)| GoodRelease {
                label: label.parse().unwrap(),
                ..good(number, false)
            })
            .collect();
        let mut live = all.last();
        for expected in ["1.100", "1.99", "1.10", "1.9"] {
            live = previous_good(live.map(|release| release.id), &all);
            assert_eq!(live.map(|release| release.label.as_str()), Some(expected));
        }
    }

    #[test]
    fn refusals_name_the_reason() {
        let label: ReleaseLabel = "1.8".parse().unwrap();
        let code = |state, good, forbidding: &[String]| {
            judge(&label, state, good, forbidding, "shop@production").map_err(|refusal| refusal.code)
        };
        assert_eq!(code(ReleaseState::Built, true, &[]), Ok(()));
        assert_eq!(code(ReleaseState::Pruned, true, &[]), Err("release_pruned"));
        assert_eq!(code(ReleaseState::Failed, true, &[]), Err("release_not_built"));
        assert_eq!(code(ReleaseState::Built, false, &[]), Err("release_not_good"));
        assert_eq!(
            code(ReleaseState::Built, true, &["0003_drop".to_owned()]),
            Err("migration_forbids")
        );
    }
}
