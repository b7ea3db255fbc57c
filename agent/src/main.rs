//! `pointsman-agent`: the executor on a host. It only reads its arguments; the deeds are in the library.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use pointsman_agent::command::{self, CommandError};
use pointsman_agent::config::Config;
use pointsman_agent::describe::describe;
use pointsman_agent::process::gate;
use pointsman_shared::name::RootPath;
use pointsman_shared::outcome::JobKind;
use pointsman_telemetry::{ExportError, LogFormat, Service, Telemetry, TracesSection};

/// The executor: takes signed orders, builds, installs, switches, reports.
#[derive(Debug, Parser)]
#[command(name = "pointsman-agent", version)]
struct Arguments {
    /// How to write the log, on standard error; `RUST_LOG` says how much.
    #[arg(
        long,
        global = true,
        value_enum,
        env = "POINTSMAN_AGENT_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

const USUAL_LOG: &str = "info,lapin=warn";

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(
        long = "config",
        value_name = "FILE",
        default_value = "/etc/pointsman/agent.toml"
    )]
    file: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Joins an installation with a one-time token.
    Join {
        #[command(flatten)]
        config: ConfigFile,
        /// The token, from `pointsman hosts invite`.
        #[arg(long, required_unless_present = "token_file")]
        token: Option<String>,
        /// A file that holds the token, so that it stands in no list of processes; `-` for standard input.
        #[arg(long, conflicts_with = "token")]
        token_file: Option<PathBuf>,
    },
    /// Runs until SIGTERM, which lets running work finish; a second one ends at once.
    Run {
        #[command(flatten)]
        config: ConfigFile,
        /// Takes only these kinds of jobs.
        #[arg(long, value_delimiter = ',')]
        kinds: Vec<JobKind>,
    },
    /// Prints the commands that make what the agent needs and may not make itself.
    Setup {
        #[command(flatten)]
        config: ConfigFile,
        /// The user the agent runs as.
        #[arg(long, default_value = "pointsman-agent")]
        user: String,
        /// Roots of placements.
        roots: Vec<RootPath>,
    },
    /// The configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Waits for the agent's word and becomes another program; the agent starts every child through it.
    #[command(hide = true)]
    Gate {
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        argv: Vec<OsString>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Says whether it can be used.
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::Gate { argv } = &arguments.command {
        // Nothing may stand between a child and its program, least of all a runtime.
        return gate::run(argv);
    }
    // Fails only when one is installed already, and then there is one.
    drop(rustls::crypto::ring::default_provider().install_default());
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(in_runtime(arguments));
            // What still runs after a hard end must not hold the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => complain(&error),
    }
}

async fn in_runtime(arguments: Arguments) -> ExitCode {
    let telemetry = match begin_log(&arguments) {
        Ok(telemetry) => telemetry,
        Err(error) => return complain(&error),
    };
    let obeyed = obey(arguments.command).await;
    let code = obeyed.unwrap_or_else(|error| {
        tracing::error!("{}", error.words());
        ExitCode::FAILURE
    });
    tokio::task::spawn_blocking(|| telemetry.end()).await.ok();
    code
}

/// There is no log yet, or none any more.
fn complain(error: &dyn std::error::Error) -> ExitCode {
    writeln!(std::io::stderr(), "pointsman-agent: {}", describe(error)).ok();
    ExitCode::FAILURE
}

/// Traces are sent while the agent runs. A configuration that cannot be used is told of by the command itself.
fn begin_log(arguments: &Arguments) -> Result<Telemetry, ExportError> {
    let config = match &arguments.command {
        Command::Run { config, .. } => Config::load(&config.file).ok(),
        Command::Join { .. } | Command::Setup { .. } | Command::Config { .. } | Command::Gate { .. } => None,
    };
    let service = Service {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        instance: config.as_ref().map_or("", |config| config.agent.host.as_str()),
        usual: USUAL_LOG,
    };
    let traces = config
        .as_ref()
        .map_or_else(TracesSection::default, |config| config.traces.clone());
    Telemetry::start(&service, arguments.log_format, &traces)
}

async fn obey(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Join {
            config,
            token,
            token_file,
        } => {
            let token = match (token, token_file) {
                (Some(token), _) => token,
                (None, Some(file)) if file.as_os_str() == "-" => {
                    std::io::read_to_string(std::io::stdin()).map_err(CommandError::TokenFile)?
                }
                (None, Some(file)) => fs_err::read_to_string(file).map_err(CommandError::TokenFile)?,
                (None, None) => String::new(),
            };
            command::join(&config.file, &token).await
        }
        Command::Run { config, kinds } => command::run(&config.file, &kinds).await,
        Command::Setup { config, user, roots } => command::setup(&config.file, &user, &roots),
        Command::Config {
            command: ConfigCommand::Check { config },
        } => command::check(&config.file),
        Command::Gate { argv } => Ok(gate::run(&argv)),
    }
}
