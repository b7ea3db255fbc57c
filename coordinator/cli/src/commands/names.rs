//! `__complete`: names for the shell's completion. It has 300 ms, and whatever goes wrong it says nothing: a person who
//! types is never interrupted by an error.

use std::time::Duration;

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use pointsman_shared::name::ProjectName;

use crate::args::{Cli, Complete, NameKind};
use crate::client::Client;
use crate::config::Config;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

/// Longer, and the terminal feels stuck.
const PATIENCE: Duration = Duration::from_millis(300);
/// Names of one kind that are asked for.
const MOST: usize = 200;

/// What stands at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    kinds: Vec<NameKind>,
    project: Option<String>,
}

/// Prints the names, a line each.
pub async fn complete(session: &Session, args: Complete) -> Result<Exit, CliError> {
    let wanted = match args.kind {
        NameKind::Word => at_cursor(&args.context),
        NameKind::Projects
        | NameKind::Targets
        | NameKind::Environments
        | NameKind::Hosts
        | NameKind::Releases => Wanted {
            kinds: vec![args.kind],
            project: args.context.into_iter().next(),
        },
    };
    let names = match client(session) {
        Some(client) => tokio::time::timeout(PATIENCE, names(&client, &wanted)).await,
        None => return Ok(Exit::Ok),
    };
    let mut names = names.unwrap_or_default();
    names.retain(|name| name.starts_with(&args.prefix));
    names.sort();
    names.dedup();
    for name in names {
        session.printer.line(&name)?;
    }
    Ok(Exit::Ok)
}

/// As [`Session::client`], but without a word about anything.
fn client(session: &Session) -> Option<Client> {
    let config = Config::load(&session.environment).ok()?;
    let url = session.coordinator(&config).ok()?;
    let token = session.environment.token.clone();
    let token = token.or_else(|| config.token(&url).cloned())?;
    session.client_for(&config, url, token).ok()
}

/// What could be read of all that is wanted.
async fn names(client: &Client, wanted: &Wanted) -> Vec<String> {
    let mut names = Vec::new();
    for kind in &wanted.kinds {
        names.extend(
            of_kind(client, *kind, wanted.project.as_deref())
                .await
                .unwrap_or_default(),
        );
    }
    names
}

async fn of_kind(client: &Client, kind: NameKind, project: Option<&str>) -> Option<Vec<String>> {
    Some(match kind {
        NameKind::Projects => texts(client.projects(MOST).await.ok()?.items, |project| {
            project.name.to_string()
        }),
        NameKind::Targets => texts(client.targets(MOST).await.ok()?.items, |target| {
            target.name.to_string()
        }),
        NameKind::Environments => texts(client.environments(MOST).await.ok()?.items, |environment| {
            environment.name.to_string()
        }),
        NameKind::Hosts => texts(client.hosts(MOST).await.ok()?.items, |host| host.id.to_string()),
        NameKind::Releases => {
            let project: ProjectName = project?.parse().ok()?;
            texts(client.releases(&project, MOST).await.ok()?.items, |release| {
                release.label.to_string()
            })
        }
        NameKind::Word => return None,
    })
}

fn texts<T>(items: Vec<T>, text: impl Fn(T) -> String) -> Vec<String> {
    items.into_iter().map(text).collect()
}

/// Reads the words before the cursor as the parser would.
fn at_cursor(words: &[String]) -> Wanted {
    let mut root = Cli::command();
    // So that every command has the options of all commands.
    root.build();
    let mut command = &root;
    let mut given: Vec<&str> = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word.starts_with('-') && word.len() > 1 {
            let Some(option) = option(command, word).filter(|option| takes_value(option)) else {
                continue;
            };
            if !word.contains('=') && words.next().is_none() {
                return wanted(command, of_argument(option), &given);
            }
        } else if let Some(verb) = command.find_subcommand(word).filter(|_| given.is_empty()) {
            command = verb;
        } else {
            given.push(word);
        }
    }
    let kinds = positional(command, given.len())
        .map(of_argument)
        .unwrap_or_default();
    wanted(command, kinds, &given)
}

/// What is about to be made has no name yet.
fn wanted(command: &Command, kinds: Vec<NameKind>, given: &[&str]) -> Wanted {
    let is_new = matches!(command.get_name(), "create" | "invite");
    let names_project = |(at, text): (usize, &&str)| {
        let kinds = positional(command, at).map(of_argument).unwrap_or_default();
        let project = text.split('@').next().unwrap_or(text);
        (kinds.contains(&NameKind::Projects) || kinds.contains(&NameKind::Targets))
            .then(|| project.to_owned())
            // A number is a deployment's.
            .filter(|project| project.parse::<i64>().is_err())
    };
    Wanted {
        kinds: if is_new { Vec::new() } else { kinds },
        project: given.iter().enumerate().find_map(names_project),
    }
}

fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or(word);
    command.get_opts().find(|arg| {
        let long = arg
            .get_long()
            .is_some_and(|long| name.strip_prefix("--") == Some(long));
        long || arg.get_short().is_some_and(|short| *name == *format!("-{short}"))
    })
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The argument at this place; the last one where it takes several.
fn positional(command: &Command, at: usize) -> Option<&Arg> {
    let all: Vec<&Arg> = command.get_positionals().collect();
    let last = all.last().copied();
    let takes_several = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Append);
    all.get(at).copied().or_else(|| last.filter(takes_several))
}

/// What an argument names, by the word that stands for it in the help.
pub fn of_argument(arg: &Arg) -> Vec<NameKind> {
    let word = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    word.split('|')
        .flat_map(|part| match part {
            "PROJECT" => [NameKind::Projects].as_slice(),
            "PROJECT@ENVIRONMENT" => &[NameKind::Targets],
            "PROJECT[@ENVIRONMENT]" => &[NameKind::Projects, NameKind::Targets],
            "FROM" | "TO" => &[NameKind::Environments],
            "HOST" => &[NameKind::Hosts],
            "RELEASE" => &[NameKind::Releases],
            _ => &[],
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> (Vec<NameKind>, Option<String>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Wanted { kinds, project } = at_cursor(&words);
        (kinds, project)
    }

    #[test]
    fn the_place_says_what_is_named() {
        use NameKind::{Environments, Hosts, Projects, Releases, Targets};
        let shop = Some("shop".to_owned());
        assert_eq!(at("deploy"), (vec![Targets], None));
        assert_eq!(
            at("deploy --detach shop@production"),
            (vec![Releases], shop.clone())
        );
        assert_eq!(
            at("--timeout 10s deploy shop@production --waves 1"),
            (vec![Releases], shop.clone())
        );
        assert_eq!(at("versions shop"), (vec![Releases], shop.clone()));
        assert_eq!(at("promote shop beta"), (vec![Environments], shop));
        assert_eq!(at("status"), (vec![Projects, Targets], None));
        assert_eq!(at("hosts show"), (vec![Hosts], None));
        assert_eq!(at("skip 812 web-1"), (vec![Hosts], None));
        assert_eq!(at("logs 812 --host"), (vec![Hosts], None));
        assert_eq!(at("why"), (vec![Targets, Hosts], None));
        assert_eq!(at("hosts invite"), (Vec::new(), None));
        assert_eq!(at("deploy shop@production 1.9.1").0, Vec::new());
        assert_eq!(at("").0, Vec::new());
    }
}
