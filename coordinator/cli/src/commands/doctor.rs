//! `doctor`: what is wrong and what to do about it, from here to the hosts.

use std::time::{Duration, Instant};

use pointsman_shared::api::fleet::{Finding, Severity};
use pointsman_shared::api::tokens::WhoAmI;

use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::{Format, Tone};
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;
use crate::wording;

/// A clock that is further off than this breaks signatures (60 s) before long.
const MOST_SKEW_MS: i64 = 5_000;

/// Shows every finding; fails when one is a failure.
pub async fn doctor(session: &Session) -> Result<Exit, CliError> {
    let client = session.client()?;
    let mut findings = Vec::new();
    // What cannot be asked is itself the first finding; the error that ends the command tells its cure.
    let asked = ask(session, &client, &mut findings).await;
    let printer = &session.printer;
    match printer.format() {
        Format::Table => {
            for finding in &findings {
                printer.line(&shown(finding))?;
            }
        }
        Format::Json | Format::Plain => printer.show(&findings, &table(&findings))?,
    }
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (failed, warned, well) = (count(Severity::Fail), count(Severity::Warn), count(Severity::Ok));
    let sentence = format!("{failed} failed, {}, {well} ok", text::counted(warned, "warning"));
    let (tone, exit) = match (failed, warned) {
        (0, 0) => (Tone::Good, Exit::Ok),
        (0, _) => (Tone::Warning, Exit::Ok),
        (_, _) => (Tone::Bad, Exit::Failed),
    };
    printer.say(tone, "Doctor", &sentence);
    asked.map(|()| exit)
}

/// From here outwards: the way, the token, the versions and clocks, then what the coordinator finds.
async fn ask(session: &Session, client: &Client, findings: &mut Vec<Finding>) -> Result<(), CliError> {
    let began = Instant::now();
    let me = match client.whoami().await {
        Ok(me) => me,
        Err(error) => {
            findings.push(Finding {
                severity: Severity::Fail,
                text: format!("{}: {error}", text::address(client.base())),
                cure: error.help(),
            });
            return Err(error);
        }
    };
    findings.push(way(session, client, &me, began.elapsed()));
    findings.push(Finding {
        severity: Severity::Ok,
        text: format!("the token is good: you are {}, {}", me.name, me.role.as_str()),
        cure: None,
    });
    findings.extend(other_version(&me));
    findings.extend(client.doctor().await?);
    Ok(())
}

/// A command that is older or newer may not know everything that the coordinator says.
fn other_version(me: &WhoAmI) -> Option<Finding> {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    (me.version != OURS).then(|| Finding {
        severity: Severity::Warn,
        text: format!("this command is {OURS}, the coordinator {}", me.version),
        cure: Some(format!("install pointsman {}", me.version)),
    })
}

/// What can be seen from here only: the way to the coordinator and the difference of the clocks.
fn way(session: &Session, client: &Client, me: &WhoAmI, took: Duration) -> Finding {
    // Its clock was read about in the middle of the way.
    let skew =
        (session.clock.now() - me.at).num_milliseconds() - i64::try_from(took.as_millis() / 2).unwrap_or(0);
    let (severity, cure) = if skew.abs() > MOST_SKEW_MS {
        (Severity::Warn, Some("set the clocks, with NTP".to_owned()))
    } else {
        (Severity::Ok, None)
    };
    Finding {
        severity,
        text: format!(
            "{} answers in {} ms, clocks {}.{} s apart",
            text::address(client.base()),
            took.as_millis(),
            skew.abs() / 1_000,
            skew.abs() % 1_000 / 100,
        ),
        cure,
    }
}

fn shown(finding: &Finding) -> String {
    let (tone, word) = wording::severity(finding.severity);
    let cure = finding.cure.as_ref().map_or(String::new(), |cure| {
        format!("\n        {} {}", Tone::Busy.paint("->"), text::plain(cure))
    });
    format!(
        "  {}  {}{cure}",
        tone.bold(&format!("{word:<4}")),
        text::plain(&finding.text)
    )
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new([
        ("SEVERITY", Narrow::Keep),
        ("FINDING", Narrow::Keep),
        ("CURE", Narrow::Keep),
    ]);
    for finding in findings {
        let (tone, word) = wording::severity(finding.severity);
        table.row([
            Cell::Toned(tone, word.to_owned()),
            finding.text.as_str().into(),
            Cell::maybe(finding.cure.as_ref()),
        ]);
    }
    table
}
