//! The end of the demo: where everything is, and what the reader can do now.

use super::story::{Stage, Tale};

/// Tells what the reader can do now.
pub(crate) fn show_next(stage: &Stage<'_>, tale: &Tale) {
    let narrator = &stage.narrator;
    let (sandbox, project) = (stage.sandbox, stage.project);
    narrator.line("");
    narrator.line(&format!("  dashboard and API    {}", sandbox.url()));
    narrator.line(&format!("  sign in with         {}", sandbox.token()));
    narrator.line(&format!("  or make an account   {}", sandbox.invitation()));
    for host in sandbox.web_hosts() {
        let site = host.site(project).map(|site| site.url()).unwrap_or_default();
        narrator.line(&format!(
            "  {:<19}  {site}  {}",
            host.id(),
            host.root(project).display()
        ));
    }
    narrator.line("\n  In another terminal:\n");
    narrator.line(&format!(
        "    set -a; . {}; set +a",
        sandbox.dir().join("env").display()
    ));
    narrator.line(&format!("    alias pointsman={}", stage.program.display()));
    for line in [
        "status".to_owned(),
        format!("versions {project}"),
        match tale {
            Tale::Sample => format!("deploy {project}@production 1.1.0"),
            Tale::Repository { .. } => format!("deploy {project}@production '#1'"),
        },
        format!("logs {project}@production"),
        "hosts ls".to_owned(),
    ] {
        narrator.line(&format!("    pointsman {line}"));
    }
    narrator.line("\n  Ctrl-C ends everything.");
}
