//! `rule add | ls | remove`

use std::fmt::Write as _;

use pointsman_shared::api::notifications::{NewRule, Rule};

use super::listing;
use crate::args::{AddRule, RuleCommand};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// What a rule without events takes.
const USUAL: &str = "failures and recoveries";

/// Runs the command.
pub async fn rule(session: &Session, command: RuleCommand) -> Result<Exit, CliError> {
    match command {
        RuleCommand::Add(args) => add(session, args).await,
        RuleCommand::Ls(rows) => {
            let rules = session.client()?.rules(rows.most()).await?;
            let empty = "no rules yet, so nobody is told anything; pointsman rule add CHANNEL";
            listing::show(session, &rules, &table(&rules.items), empty)
        }
        RuleCommand::Remove { number } => remove(session, number).await,
    }
}

async fn add(session: &Session, args: AddRule) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let wish = NewRule {
        channel: args.channel,
        project: args.project,
        environments: args.environments,
        events: args.events,
    };
    let rule = session.client()?.add_rule(&wish).await?;
    let printer = &session.printer;
    let number = rule.number;
    printer.say(
        Tone::Good,
        "Added",
        &format!("rule {number}: {}", sentence(&rule)),
    );
    printer.undo(&format!("pointsman rule remove {number}"));
    let rules = [rule];
    printer.show(&rules, &table(&rules))?;
    Ok(Exit::Ok)
}

async fn remove(session: &Session, number: i64) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let rule = session.client()?.remove_rule(number).await?;
    let printer = &session.printer;
    printer.say(
        Tone::Good,
        "Removed",
        &format!("rule {number}: {}", sentence(&rule)),
    );
    printer.undo(&command(&NewRule {
        channel: rule.channel,
        project: rule.project,
        environments: rule.environments,
        events: rule.events,
    }));
    Ok(Exit::Ok)
}

/// `ops hears of failures and recoveries of shop in production`
fn sentence(rule: &Rule) -> String {
    let what = match rule.events.as_slice() {
        [] => USUAL.to_owned(),
        events => events.join(", "),
    };
    let project = rule.project.as_ref().map(|project| format!(" of {project}"));
    let environments: Vec<_> = rule.environments.iter().map(AsRef::as_ref).collect();
    let place = match environments.as_slice() {
        [] => String::new(),
        environments => format!(" in {}", environments.join(", ")),
    };
    format!(
        "{} hears of {what}{}{place}",
        rule.channel,
        project.unwrap_or_default()
    )
}

/// What makes a rule.
pub fn command(rule: &NewRule) -> String {
    let mut command = format!("pointsman rule add {}", rule.channel);
    // A text in memory takes whatever is written to it.
    if let Some(project) = &rule.project {
        write!(command, " --project {project}").ok();
    }
    for environment in &rule.environments {
        write!(command, " --environment {environment}").ok();
    }
    for event in &rule.events {
        write!(command, " --event '{event}'").ok();
    }
    command
}

fn table(rules: &[Rule]) -> Table {
    let mut table = Table::new([
        ("RULE", Narrow::Keep),
        ("CHANNEL", Narrow::Keep),
        ("PROJECT", Narrow::Keep),
        ("ENVIRONMENTS", Narrow::Cut(10)),
        ("EVENTS", Narrow::Cut(12)),
        ("BY", Narrow::Drop(1)),
        ("AGE", Narrow::Drop(2)),
    ]);
    for rule in rules {
        let events = match rule.events.as_slice() {
            [] => USUAL.into(),
            events => Cell::list(events),
        };
        table.row([
            Cell::Number(rule.number),
            rule.channel.as_str().into(),
            rule.project
                .as_ref()
                .map_or_else(|| "all".into(), |project| project.as_str().into()),
            Cell::list(&rule.environments),
            events,
            rule.created_by.as_str().into(),
            Cell::At(rule.created_at),
        ]);
    }
    table
}
