//! What a release must have before it may go live in a target, and which way releases travel through the environments.
//!
//! A rollback passes every gate: where it goes was live there before.

use pointsman_shared::api::projects::{Environment, Gate};
use pointsman_shared::name::{MarkName, ProjectName, ReleaseLabel, TargetName};

use crate::refusal::Refusal;

/// What gates ask about a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The project's target in the environment before, and whether the release was live and healthy there and no
    /// rollback left it since. None = no environment with a target of the project comes before.
    pub before: Option<(TargetName, bool)>,
    /// What it was marked as.
    pub marks: Vec<MarkName>,
}

/// The gates of `target` that are closed for `label`, each with what opens it.
pub fn closed(
    gates: &[Gate],
    standing: &Standing,
    label: &ReleaseLabel,
    target: &TargetName,
) -> Vec<Refusal> {
    gates
        .iter()
        .filter_map(|gate| match (gate, &standing.before) {
            (Gate::PreviousLive, Some((before, false))) => {
                let what = format!(
                    "release {label} was not live and healthy in {before} yet, which {target} asks for"
                );
                Some(
                    Refusal::conflict("gate_previous_live", what)
                        .hint(format!("pointsman deploy {before} {label}")),
                )
            }
            (Gate::PreviousLive, None) => {
                let project = &target.project;
                let what =
                    format!("{target} asks for the environment before, and none with {project} comes before");
                let hint = "give the environments their `position` in an applied file, or drop the gate";
                Some(Refusal::conflict("gate_previous_live", what).hint(hint))
            }
            (Gate::Mark(mark), _) if !standing.marks.contains(mark) => {
                let what = format!("release {label} is not marked {mark}, which {target} asks for");
                let hint = format!("pointsman mark {} {label} {mark}", target.project);
                Some(Refusal::conflict("gate_mark", what).hint(hint))
            }
            (Gate::PreviousLive, Some((_, true))) | (Gate::Mark(_), _) => None,
        })
        .collect()
}

/// Refuses to promote backwards.
pub fn judge_direction(project: &ProjectName, from: &Environment, to: &Environment) -> Result<(), Refusal> {
    if from.position < to.position {
        return Ok(());
    }
    let what = format!(
        "{} does not come after {} in the order of environments (places {} and {})",
        to.name, from.name, to.position, from.position
    );
    Err(Refusal::conflict("not_ahead", what).hint(format!(
        "pointsman promote {project} {} {}, or change the order: pointsman environment ls",
        to.name, from.name
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(gates: &[&str], standing: &Standing) -> Vec<&'static str> {
        let gates: Vec<Gate> = gates
            .iter()
            .map(|gate| (*gate).to_owned().try_into().unwrap())
            .collect();
        let target = "shop@production".parse().unwrap();
        closed(&gates, standing, &"1.9.1".parse().unwrap(), &target)
            .iter()
            .map(|refusal| refusal.code)
            .collect()
    }

    #[test]
    fn each_gate_asks_for_its_own() {
        let before = |good| Some(("shop@staging".parse().unwrap(), good));
        let standing = |before, marks: &[&str]| Standing {
            before,
            marks: marks.iter().map(|mark| mark.parse().unwrap()).collect(),
        };
        let both = ["previous_live", "mark:tested"];
        assert_eq!(
            codes(&both, &standing(before(false), &[])),
            ["gate_previous_live", "gate_mark"]
        );
        assert_eq!(codes(&both, &standing(before(true), &["seen"])), ["gate_mark"]);
        assert!(codes(&both, &standing(before(true), &["seen", "tested"])).is_empty());
        assert_eq!(
            codes(&["previous_live"], &standing(None, &[])),
            ["gate_previous_live"],
            "places were forgotten"
        );
        assert!(codes(&[], &standing(before(false), &[])).is_empty());
    }

    #[test]
    fn releases_travel_forward() {
        let stage = |name: &str, position| Environment {
            name: name.parse().unwrap(),
            position,
        };
        let (staging, production) = (stage("staging", 0), stage("production", 1));
        let project = "shop".parse().unwrap();
        assert!(judge_direction(&project, &staging, &production).is_ok());
        assert!(judge_direction(&project, &production, &staging).is_err());
        assert!(judge_direction(&project, &staging, &staging).is_err());
    }

    #[test]
    fn gates_are_written_as_text() {
        for text in ["previous_live", "mark:tested"] {
            assert_eq!(Gate::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for bad in ["mark:", "mark:A b", "previous", ""] {
            assert!(Gate::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
