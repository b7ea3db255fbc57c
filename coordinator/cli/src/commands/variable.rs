//! `variable set | unset | ls`

use pointsman_shared::api::projects::{Variable, VariableRef, VariableScope};
use pointsman_shared::name::VariableName;

use super::listing;
use crate::args::{Pair, SetVariable, UnsetVariable, VariableCommand, VariableScopeArgs};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::prompt;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn variable(session: &Session, command: VariableCommand) -> Result<Exit, CliError> {
    let client = session.client()?;
    match command {
        VariableCommand::Set(args) => set(session, &client, args).await,
        VariableCommand::Unset(args) => unset(session, &client, args).await,
        VariableCommand::Ls(rows) => {
            let variables = client.variables(rows.most()).await?;
            let empty = "no variables yet; pointsman variable set --project NAME NAME=VALUE";
            listing::show(session, &variables, &table(&variables.items), empty)
        }
    }
}

/// All names are checked before the first value is set.
async fn set(session: &Session, client: &Client, args: SetVariable) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let scope = scope(&args.scope)?;
    let mut wishes: Vec<Variable> = args
        .values
        .into_iter()
        .map(|pair| variable_of(&scope, pair))
        .collect::<Result<_, _>>()?;
    if let Some(name) = args.secret {
        let how = format!("pointsman variable set ... --secret {name} < file");
        let value = prompt::secret(session, name.as_str(), &how)?;
        let scope = scope.clone();
        wishes.push(Variable {
            scope,
            name,
            value,
            secret: true,
        });
    }
    let before = client.variables(usize::MAX).await?.items;
    for wish in &wishes {
        client.set_variable(wish).await?;
        let (flag, name) = scope_words(&wish.scope);
        let printer = &session.printer;
        printer.say(
            Tone::Good,
            "Set",
            &format!("{} for {} {name}", wish.name, flag.trim_start_matches('-')),
        );
        let old = before
            .iter()
            .find(|known| known.scope == wish.scope && known.name == wish.name);
        match old {
            Some(_) if wish.secret => printer.undo("none: what it was before is not told"),
            Some(old) if old.value == wish.value && !wish.secret => printer.note("it had this value before"),
            Some(old) => printer.undo(&format!(
                "pointsman variable set {flag} {name} {}",
                quoted(&format!("{}={}", old.name, old.value))
            )),
            None => printer.undo(&format!("pointsman variable unset {flag} {name} {}", wish.name)),
        }
    }
    for wish in wishes.iter_mut().filter(|wish| wish.secret) {
        wish.value.clear();
    }
    session.printer.show(&wishes, &table(&wishes))?;
    Ok(Exit::Ok)
}

async fn unset(session: &Session, client: &Client, args: UnsetVariable) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let scope = scope(&args.scope)?;
    let (flag, place) = scope_words(&scope);
    let before = client.variables(usize::MAX).await?.items;
    for name in args.names {
        let variable = VariableRef {
            scope: scope.clone(),
            name,
        };
        client.unset_variable(&variable).await?;
        let name = &variable.name;
        let printer = &session.printer;
        printer.say(
            Tone::Good,
            "Unset",
            &format!("{name} for {} {place}", flag.trim_start_matches('-')),
        );
        let old = before
            .iter()
            .find(|known| known.scope == scope && known.name == *name);
        match old {
            Some(old) if !old.secret => printer.undo(&format!(
                "pointsman variable set {flag} {place} {}",
                quoted(&format!("{name}={}", old.value))
            )),
            Some(_) | None => printer.undo(&format!(
                "pointsman variable set {flag} {place} --secret {name} < file"
            )),
        }
    }
    Ok(Exit::Ok)
}

fn scope(scope: &VariableScopeArgs) -> Result<VariableScope, CliError> {
    let project = scope.project.clone().map(VariableScope::Project);
    let environment = scope.environment.clone().map(VariableScope::Environment);
    let target = scope.target.clone().map(VariableScope::Target);
    let host = scope.host.clone().map(VariableScope::Host);
    project
        .or(environment)
        .or(target)
        .or(host)
        .ok_or_else(|| CliError::usage("no scope", "pass --project, --environment, --target or --host"))
}

fn variable_of(scope: &VariableScope, pair: Pair) -> Result<Variable, CliError> {
    let name: VariableName = pair.name.parse().map_err(|error| CliError::Usage {
        what: "a name is wrong".to_owned(),
        why: Some(format!("{error}")),
        help: Some("nothing was set".to_owned()),
    })?;
    Ok(Variable {
        scope: scope.clone(),
        name,
        value: pair.value,
        secret: false,
    })
}

fn scope_words(scope: &VariableScope) -> (&'static str, String) {
    match scope {
        VariableScope::Project(name) => ("--project", name.to_string()),
        VariableScope::Environment(name) => ("--environment", name.to_string()),
        VariableScope::Target(name) => ("--target", name.to_string()),
        VariableScope::Host(name) => ("--host", name.to_string()),
    }
}

/// As a shell takes it back.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-=./:@%+,".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn table(variables: &[Variable]) -> Table {
    let mut table = Table::new([
        ("SCOPE", Narrow::Keep),
        ("OF", Narrow::Keep),
        ("NAME", Narrow::Keep),
        ("VALUE", Narrow::Cut(8)),
    ]);
    for variable in variables {
        let (flag, name) = scope_words(&variable.scope);
        table.row([
            flag.trim_start_matches('-').into(),
            name.into(),
            variable.name.as_str().into(),
            if variable.secret {
                Cell::Toned(Tone::Faint, "(secret)".to_owned())
            } else {
                variable.value.as_str().into()
            },
        ]);
    }
    table
}
