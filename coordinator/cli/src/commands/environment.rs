//! `environment create | list`

use pointsman_shared::api::projects::{Environment, NewEnvironment};

use super::listing;
use crate::args::EnvironmentCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};

/// Runs the command.
pub async fn environment(session: &Session, command: EnvironmentCommand) -> Result<Exit, CliError> {
    match command {
        EnvironmentCommand::Create { name, position } => {
            session.reason_is_not_kept();
            let wish = NewEnvironment { name, position };
            let environment = session.client()?.create_environment(&wish).await?;
            let Environment { name, position } = &environment;
            let sentence = format!("environment {name}, place {position} in the promotion order");
            session.printer.say(Tone::Good, "Created", &sentence);
            session
                .printer
                .undo("none: environments cannot be deleted yet; without targets it does nothing");
            session.printer.say(
                Tone::Busy,
                "Next",
                &format!("pointsman target create PROJECT@{name} --hosts role=web"),
            );
            session
                .printer
                .show(&environment, &table(std::slice::from_ref(&environment)))?;
            Ok(Exit::Ok)
        }
        EnvironmentCommand::List(rows) => {
            let mut environments = session.client()?.environments(rows.most()).await?;
            environments.items.sort_by_key(|environment| environment.position);
            let empty = "no environments yet; pointsman environment create production";
            listing::show(session, &environments, &table(&environments.items), empty)
        }
    }
}

fn table(environments: &[Environment]) -> Table {
    let mut table = Table::new([("ENVIRONMENT", Narrow::Keep), ("POSITION", Narrow::Keep)]);
    for environment in environments {
        table.row([
            environment.name.as_str().into(),
            Cell::Number(environment.position.into()),
        ]);
    }
    table
}
