//! `completions`: the generated script of the shell, with a wrapper that asks the coordinator for names.
//!
//! The scripts know nothing of the grammar beyond what is generated: they pass the words on, and `__complete` finds out
//! what stands at the cursor. Where it says nothing (no coordinator, no token, too slow) the generated part goes on.

use clap::builder::ValueParser;
use clap::{Arg, CommandFactory as _, ValueHint};

use super::names;
use crate::args::{Cli, Completions, KnownShell};
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

/// Words that were typed are split anew here, because bash splits at `@`, which stands in every target.
const BASH: &str = r#"
_pointsman_named() {
    local line="${COMP_LINE:0:COMP_POINT}" cur="" kept="" name names
    local -a typed
    read -ra typed <<< "$line"
    if [[ "$line" != *[[:space:]] ]]; then
        cur="${typed[${#typed[@]}-1]}"
        typed=("${typed[@]:0:${#typed[@]}-1}")
    fi
    _pointsman "$@"
    [[ "$cur" == -* ]] && return
    names="$(pointsman __complete word "$cur" "${typed[@]:1}" 2>/dev/null)"
    [[ -n "$names" ]] || return
    [[ "$cur" == *@* && "$COMP_WORDBREAKS" == *@* ]] && kept="${cur%@*}@"
    COMPREPLY=()
    while IFS= read -r name; do COMPREPLY+=("${name#"$kept"}"); done <<< "$names"
}
complete -F _pointsman_named -o bashdefault -o default pointsman
"#;

const ZSH: &str = r#"
_pointsman_named() {
    local -a names
    names=(${(f)"$(pointsman __complete word "$PREFIX" "${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
    _pointsman "$@"
    (( $#names )) && compadd -- $names
}
compdef _pointsman_named pointsman
"#;

const FISH: &str = r"
function __pointsman_named
    set -l typed (commandline -opc)
    set -e typed[1]
    pointsman __complete word (commandline -ct) $typed 2>/dev/null
end
complete -c pointsman -f -a '(__pointsman_named)'
";

/// Prints the script.
pub fn completions(session: &Session, args: &Completions) -> Result<Exit, CliError> {
    let mut command = without_files(Cli::command());
    let mut script = Vec::new();
    clap_complete::generate(args.shell.generator(), &mut command, "pointsman", &mut script);
    let wrapper = match args.shell {
        KnownShell::Bash => BASH,
        KnownShell::Zsh => ZSH,
        KnownShell::Fish => FISH,
    };
    let script = String::from_utf8_lossy(&script);
    session
        .printer
        .line(&format!("{}\n{}", script.trim_end(), wrapper.trim_end()))?;
    Ok(Exit::Ok)
}

/// Where a name is meant, files of the folder are none.
fn without_files(command: clap::Command) -> clap::Command {
    let is_path = |arg: &Arg| arg.get_value_parser().type_id() == ValueParser::path_buf().type_id();
    let plain = |arg: Arg| {
        if names::of_argument(&arg).is_empty() || is_path(&arg) {
            arg
        } else {
            arg.value_hint(ValueHint::Other)
        }
    };
    command.mut_args(plain).mut_subcommands(without_files)
}
