//! `pointsman-coordinator`: `init`, `serve`, `collect-garbage`, `broker-definitions` and `config check`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use pointsman_coordinator::app::{App, Bells};
use pointsman_coordinator::broker::definitions;
use pointsman_coordinator::config::Config;
use pointsman_coordinator::init::{self, Initialised};
use pointsman_coordinator::operations::{collect_garbage, run_schedules};
use pointsman_coordinator::roles::{self, Role};
use pointsman_coordinator::signatory::LocalSignatory;
use pointsman_coordinator::vault::{Vault, VaultError};
use pointsman_coordinator::{artifacts, broker, http, key_file, lifecycle, secrets};
use pointsman_shared::api::garbage::GarbageRequest;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::{SystemClock, SystemIds};
use pointsman_shared::ids::IdSource as _;
use pointsman_shared::name::ProjectName;
use pointsman_store::Store;
use pointsman_telemetry::{LogFormat, Service, Telemetry};

/// The service of Pointsman: decides, publishes offers and grants, shows what happens.
#[derive(Debug, Parser)]
#[command(name = "pointsman-coordinator", version)]
struct Arguments {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        env = "POINTSMAN_COORDINATOR_CONFIG",
        default_value = "/etc/pointsman/coordinator.toml"
    )]
    config: PathBuf,
    /// How to write the log, on standard error; `RUST_LOG` says how much.
    #[arg(
        long,
        global = true,
        value_enum,
        env = "POINTSMAN_COORDINATOR_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

/// lapin shouts what our own lines say with their cause; sqlx repeats every notice of every migration.
const USUAL_LOG: &str = "info,lapin=off,sqlx=warn";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make schema, signing key and first token; prints the token once, as one line of JSON.
    Init,
    /// Invite somebody to the dashboard, an admin when not said otherwise; prints the one-time address, as one line of
    /// JSON. Whoever has an account of that name chooses another password there. It needs nothing but this console.
    Invite {
        /// The account's name; whoever is invited chooses it when it is not given.
        name: Option<String>,
        /// What the account may do everywhere.
        #[arg(long, default_value = "admin", value_parser = role)]
        role: RoleName,
    },
    /// Run the coordinator.
    Serve {
        /// Which loops to run: http, relay, intake, reconcile, schedule, notify; all when absent.
        #[arg(long, value_delimiter = ',')]
        roles: Vec<Role>,
    },
    /// Decide now what garbage goes, for installations that have a cron of their own; `serve` does it by its schedules.
    CollectGarbage {
        /// Only this project.
        #[arg(long)]
        project: Option<ProjectName>,
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the definitions file for a new broker, with the two users that the configuration names.
    BrokerDefinitions,
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and say what is wrong with it.
    Check,
}

fn role(name: &str) -> Result<RoleName, String> {
    let read = serde_json::from_value(serde_json::Value::String(name.to_owned()));
    read.map_err(|_| format!("{name} is no role; choose none, viewer, deployer, maintainer or admin"))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "pointsman-coordinator: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Command::Openapi = arguments.command {
        return say(&format!("{:#}", http::document()));
    }
    // One provider for every TLS connection of this process; a second call finds it installed.
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = Config::load(&arguments.config)?;
    let service = Service {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        instance: &config.installation.name,
        usual: USUAL_LOG,
    };
    let telemetry = Telemetry::start(&service, arguments.log_format, &config.traces)?;
    let obeyed = obey(arguments, config).await;
    tokio::task::spawn_blocking(|| telemetry.end()).await.ok();
    obeyed
}

async fn obey(arguments: Arguments, config: Config) -> anyhow::Result<()> {
    match arguments.command {
        Command::Config {
            command: ConfigCommand::Check,
        } => {
            http::check_tls(&config.http)?;
            broker::check_certificates(&config.broker)?;
            artifacts::prove(&config.store, SystemIds.next()).await?;
            say(&format!("{} is in order", arguments.config.display()))
        }
        // It needed no configuration.
        Command::Openapi => Ok(()),
        Command::Invite { name, role } => {
            let invitation = init::invite(&config, &SystemClock, &SystemIds, name.as_deref(), role).await?;
            say(&serde_json::to_string(&invitation)?)
        }
        Command::Init => match init::init(&config, &SystemClock, &SystemIds).await? {
            Initialised::First { token, invitation } => {
                say(&serde_json::json!({ "token": token, "invitation": invitation }).to_string())
            }
            Initialised::Before { key_file } => {
                let file = key_file.display();
                writeln!(
                    std::io::stderr(),
                    "already initialised; the key in {file} is registered"
                )?;
                Ok(())
            }
        },
        Command::BrokerDefinitions => {
            let salts = [secrets::salt()?, secrets::salt()?];
            say(definitions::render(&config.broker, salts)?.trim_end())
        }
        Command::Serve { roles } => serve(config, roles).await,
        Command::CollectGarbage { project, dry_run } => {
            let wish = GarbageRequest {
                project,
                dry_run,
                reason: Some("asked for by `pointsman-coordinator collect-garbage`".to_owned()),
                ..GarbageRequest::default()
            };
            collect_garbage(config, &wish).await
        }
    }
}

/// Decides and orders; the running coordinators carry it out. Prints what goes, as one line of JSON.
async fn collect_garbage(config: Config, wish: &GarbageRequest) -> anyhow::Result<()> {
    let app = app(config)?;
    let actor = run_schedules::actor(&app).await?;
    let found = collect_garbage::execute(&app, &actor, wish).await?;
    let going: Vec<_> = found.items.iter().filter(|item| item.goes()).collect();
    say(&serde_json::json!({
        "dry_run": found.dry_run, "bytes": found.bytes(), "going": going, "left": found.left, "jobs": found.jobs,
        "pruned": found.pruned,
    })
    .to_string())
}

fn app(config: Config) -> anyhow::Result<App> {
    let key = key_file::read(&config.signing.key_file)?;
    Ok(App {
        store: Store::connect_later(&config.database.url, config.database.connections)?,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        signatory: Arc::new(LocalSignatory::new(key)),
        vault: vault(&config)?,
        objects: artifacts::open(&config.store)?,
        config: Arc::new(config),
        bells: Arc::new(Bells::default()),
        mirrors: Arc::default(),
        causes: Arc::default(),
        metrics: Arc::default(),
    })
}

fn vault(config: &Config) -> Result<Option<Arc<Vault>>, VaultError> {
    let file = config.secrets.key_file.as_deref();
    Ok(file.map(Vault::open).transpose()?.map(Arc::new))
}

async fn serve(config: Config, roles: Vec<Role>) -> anyhow::Result<()> {
    let stop = lifecycle::stop_on_signals().context("signals cannot be listened for")?;
    let app = app(config)?;
    let wanted: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| roles.is_empty() || roles.contains(role))
        .collect();
    roles::serve(app, &wanted, stop).await?;
    tracing::info!("ended");
    Ok(())
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}
