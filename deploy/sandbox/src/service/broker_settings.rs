//! What a private broker is told: its configuration file and its environment. Loopback only, nothing of the machine's own
//! installation.

use std::ffi::OsString;
use std::path::Path;

use crate::authority::Tls;
use crate::ports::Port;

/// As it is shipped, with the places of an ordinary installation.
const SHIPPED: &str = include_str!("../../../rabbitmq/rabbitmq.conf");

/// The shipped configuration file with the places of this broker; with TLS there is no listener without.
pub(super) fn settings(amqp: &Port, management: &Port, users: &Path, tls: Option<&Tls>) -> String {
    let places = [
        ("127.0.0.1:5672", amqp.address().to_string()),
        ("15672", management.number().to_string()),
        ("/etc/rabbitmq/pointsman.json", users.display().to_string()),
    ];
    let plain = places.iter().fold(SHIPPED.to_owned(), |text, (shipped, own)| {
        text.replace(shipped, own)
    });
    let settings = match tls {
        None => plain,
        Some(tls) => {
            let kept = plain
                .lines()
                .filter(|line| !line.starts_with("listeners.tcp") && !line.starts_with("management.tcp"));
            let kept: Vec<_> = kept.collect();
            format!("{}\n{}", kept.join("\n"), with_tls(amqp, management, tls))
        }
    };
    format!("{settings}log.console = true\nlog.file = false\n")
}

fn with_tls(amqp: &Port, management: &Port, tls: &Tls) -> String {
    let files = |section: &str| {
        let (ca, certificate, key) = (
            tls.ca_file.display(),
            tls.certificate.display(),
            tls.key.display(),
        );
        format!(
            "{section}.cacertfile = {ca}\n{section}.certfile = {certificate}\n{section}.keyfile = {key}\n"
        )
    };
    format!(
        "listeners.tcp = none\n\
         listeners.ssl.1 = {}\n\
         ssl_options.verify = verify_none\n\
         {}\
         management.ssl.ip = 127.0.0.1\n\
         management.ssl.port = {}\n\
         {}",
        amqp.address(),
        files("ssl_options"),
        management.number(),
        files("management.ssl"),
    )
}

/// The whole environment.
pub(super) fn environment(
    folder: &Path,
    amqp: &Port,
    distribution: &Port,
    epmd: &Port,
) -> Vec<(String, OsString)> {
    let mut env: Vec<(String, OsString)> = [
        ("PATH", "/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null"),
        ("RABBITMQ_NODENAME", "sandbox@localhost"),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
        ("ERL_EPMD_ADDRESS", "127.0.0.1"),
        // With this the script becomes the broker instead of staying in front of it.
        ("RABBITMQ_ALLOW_INPUT", "1"),
        // No busy waiting: several sandboxes share few cores.
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .into();
    let ports = [
        ("RABBITMQ_NODE_PORT", amqp),
        ("RABBITMQ_DIST_PORT", distribution),
        ("ERL_EPMD_PORT", epmd),
    ];
    env.extend(ports.map(|(name, port)| (name.to_owned(), port.number().to_string().into())));
    let files = [
        ("HOME", "home"),
        ("RABBITMQ_MNESIA_BASE", "mnesia"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_PID_FILE", "pid"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
    ];
    env.extend(files.map(|(name, file)| (name.to_owned(), folder.join(file).into())));
    env
}
