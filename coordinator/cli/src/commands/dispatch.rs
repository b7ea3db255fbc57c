//! From what was typed to the file that does it.

use super::{
    account, apply, audit, build, cause, channel, completions, decide, delivery, deploy, deployments, doctor,
    environment, events, garbage, help, hosts, intervene, jobs, locks, login, logs, man, mark, migrations,
    names, open, plan, project, push, recipe, rule, status, target, token, top, undo, variable, webhook, why,
};
use crate::args::Command;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

/// Runs one command.
pub async fn run(session: &Session, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Login(args) => login::login(session, args).await,
        Command::Logout => login::logout(session),
        Command::Whoami => login::whoami(session).await,
        Command::Status(args) => status::status(session, args).await,
        Command::Project(args) => project::project(session, args.verb()?).await,
        Command::Environment(args) => environment::environment(session, args.verb()?).await,
        Command::Target(args) => target::target(session, args.verb()?).await,
        Command::Build(args) => build::build(session, args).await,
        Command::Versions(args) => build::versions(session, args).await,
        Command::Deploy(args) => deploy::deploy(session, args).await,
        Command::Plan(args) => plan::plan(session, args).await,
        Command::Promote(args) => deploy::promote(session, args).await,
        Command::Mark(args) => mark::mark(session, args).await,
        Command::Unmark(args) => mark::unmark(session, args).await,
        Command::Pause(args) => intervene::pause(session, args).await,
        Command::Retry(args) => intervene::retry(session, args).await,
        Command::Skip(args) => intervene::skip(session, args).await,
        Command::Rollback(args) => deploy::rollback(session, args).await,
        Command::Decide(args) => decide::decide(session, args).await,
        Command::Resume(args) => decide::resume(session, args).await,
        Command::Cancel(args) => decide::cancel(session, args).await,
        Command::Watch(args) => deployments::watch(session, args).await,
        Command::Why(args) => why::why(session, args).await,
        Command::Undo => undo::undo(session).await,
        Command::Top => top::top(session).await,
        Command::Open(args) => open::open(session, args).await,
        Command::Deployments(args) => deployments::deployments(session, args).await,
        Command::Logs(args) => logs::logs(session, args).await,
        Command::Migrations(command) => migrations::migrations(session, command).await,
        Command::Gc(command) => garbage::garbage(session, command).await,
        Command::Pin(args) => garbage::pin(session, &args, true).await,
        Command::Unpin(args) => garbage::pin(session, &args, false).await,
        Command::Lock(args) => locks::lock(session, &args).await,
        Command::Unlock(args) => locks::unlock(session, &args).await,
        Command::Locks => locks::locks(session).await,
        Command::Stop(args) => locks::stop(session, &args).await,
        Command::Hosts(args) => hosts::hosts(session, args.verb()?).await,
        Command::Jobs(args) => jobs::jobs(session, args.verb()?).await,
        Command::Token(args) => token::token(session, args.verb()?).await,
        Command::Account(args) => account::account(session, args.verb()?).await,
        Command::Doctor => doctor::doctor(session).await,
        Command::Apply(args) => apply::apply(session, args).await,
        Command::Recipe(command) => recipe::recipe(session, command).await,
        Command::Variable(args) => variable::variable(session, args.verb()?).await,
        Command::Webhook(args) => webhook::webhook(session, args.verb()?).await,
        Command::Push(args) => push::push(session, args.verb()?).await,
        Command::Channel(args) => channel::channel(session, args.verb()?).await,
        Command::Rule(args) => rule::rule(session, args.verb()?).await,
        Command::Delivery(args) => delivery::delivery(session, args.verb()?).await,
        Command::Cause(args) => cause::cause(session, args.verb()?).await,
        Command::Audit(args) => audit::audit(session, args).await,
        Command::Events(args) => events::events(session, args).await,
        Command::Completions(args) => completions::completions(session, &args),
        Command::Man(args) => man::man(session, &args),
        Command::Complete(args) => names::complete(session, args).await,
        Command::Help(args) => help::help(session, &args.topic),
    }
}
