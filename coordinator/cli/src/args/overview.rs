//! The overview that `pointsman --help` prints: the grammar by what one wants to do, on one screen.
//!
//! A test holds it to the commands that exist.

/// Template of the top level's help.
pub const OVERVIEW: &str = "\
{about}

Usage: pointsman <command> [project[@environment]] [release] [options]

Deploy
  deploy shop@production 1.9.1      make a release live, follow it [--build] [--detach] [--at TIME]
  plan shop@production 1.9.1        what that would do; deploy --plan HASH insists on it
  promote shop staging production   what is live there; mark, unmark shop 1.9.1 tested
  rollback shop@production [1.9.0]  back to the previous good release, or to this one
  decide 812 rollback|continue      what to do with a deployment that holds; pause, resume 812
  retry 812 [HOST], skip 812 HOST   try hosts that failed again, or leave hosts out
  watch, cancel 812                 follow a deployment, or stop it (--job 8121); undo your last act
  migrations ls|apply|revert|mark   what the database of a target has, lacks and may take back
  gc plan|run|undo|schedule         what goes from hosts and the store; pin, unpin shop 1.9.0
  lock, unlock shop@production      refuse new wishes; locks; stop and resume for everything
  status [shop[@production]]        what is live where; deployments: what was wished
Build
  build shop [--ref main]           make a release from a ref [--follow]
  versions shop [1.9.1]             releases of a project; --files, --against 1.9.0
Look
  why 812|shop@production|web-1     why it waits, holds or failed, and what to do; top: a live view
  logs [-f] 812|shop@production     logs of all hosts, merged by time
  jobs ls|show|cancel               units of work
  hosts ls|show|invite|pause|revoke machines
  cause ls|add|change|rm            what lines of failed logs mean
  events, audit [--verify], doctor  what machines and people did, what is wrong; open 812: its URL
Set up
  project, environment, target      create|list|show; apply -f FILE does all of it at once
  webhook add|ls|renew|remove       deploy on push; push ls|repeat|pause|resume
  recipe show|history|diff|set|use  a recipe kept in the coordinator instead of the repository
  variable set|unset|ls             values for build steps and hosts [--secret NAME]
  channel add|test|rotate, rule     who is told what, and where; delivery ls|show|redeliver
  login, logout, whoami             your token; token create|ls|revoke for machines
  account ls|invite|role|disable    people who sign in to the dashboard; account enable
  completions bash|zsh|fish         for your shell; man COMMAND; help COMMAND|exit-codes|json
{after-help}
Options:
{options}
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::args::Cli;

    #[test]
    fn every_command_stands_in_the_overview() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let name = command.get_name();
            let named = super::OVERVIEW
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .any(|word| word == name);
            assert!(named, "{name} is missing");
        }
    }

    #[test]
    fn the_overview_fits_on_a_screen() {
        let help = Cli::command().render_help().to_string();
        assert!(help.lines().count() <= 50, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
