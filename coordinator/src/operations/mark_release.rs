//! Marks a release, such as `tested`, or takes the mark back. Gates of targets ask for marks.

use pointsman_domain::{Action, Actor, Refusal, reason};
use pointsman_shared::name::{MarkName, ProjectName};
use pointsman_store::marks;

use super::{act, find_release};
use crate::app::App;
use crate::error::OperationResult;

/// Longest evidence, in characters.
const EVIDENCE: usize = 2_000;

/// How a pin is kept.
const PIN: &str = "pinned";

/// What is said of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// It bears the mark, and this speaks for it.
    Marked(Option<&'a str>),
    /// It bears it no more.
    Unmarked,
}

/// Marks the release that `spec` names, or takes the mark back.
pub async fn execute(
    app: &App,
    actor: &Actor,
    project: &ProjectName,
    spec: &str,
    mark: &MarkName,
    said: Said<'_>,
) -> OperationResult<()> {
    let object = format!("{project} {spec}");
    let action = match said {
        Said::Marked(_) => "release.mark",
        Said::Unmarked => "release.unmark",
    };
    act::audited(app, actor, action, &object, async {
        actor.authorize_in(project, Action::Deploy, &object)?;
        if mark.as_str() == PIN {
            let refusal = Refusal::invalid("reserved_mark", "a pin is not given as a mark");
            return Err(refusal.hint(format!("pointsman pin {project} {spec}")).into());
        }
        let (mut tx, project, release) = find_release::to_speak_of(app, project, spec).await?;
        let evidence = match said {
            Said::Marked(evidence) => {
                find_release::judge(&release)?;
                judge(evidence)?;
                let now = pointsman_store::now(&mut tx).await?;
                marks::put(&mut tx, release.id, mark, actor.principal, evidence, now).await?;
                evidence
            }
            Said::Unmarked => {
                if !marks::remove(&mut tx, release.id, mark).await? {
                    let what = format!(
                        "release {} of {} is not marked {mark}",
                        release.label, project.name
                    );
                    return Err(Refusal::conflict("not_marked", what)
                        .hint(format!("pointsman versions {} {}", project.name, release.label))
                        .into());
                }
                None
            }
        };
        let detail = serde_json::json!({ "release": release.label, "mark": mark, "evidence": evidence });
        act::done(app, &mut tx, actor, action, &object, detail).await?;
        act::commit(tx).await
    })
    .await
}

fn judge(evidence: Option<&str>) -> Result<(), Refusal> {
    if evidence.is_some_and(|evidence| evidence.chars().count() > EVIDENCE) {
        let what = format!("evidence has at most {EVIDENCE} characters");
        return Err(Refusal::invalid("invalid_evidence", what).hint("give a link instead"));
    }
    reason::judge("evidence", evidence)
}
