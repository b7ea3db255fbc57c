//! What a private broker is told: its configuration file and its environment. Loopback only, nothing of the machine's own
//! installation.

use std::ffi::OsString;
use std::path::Path;

use crate::authority::Tls;
use crate::ports::Port;

/// The configuration file; with TLS there is no listener without.
pub(super) fn settings(amqp: &Port, management: &Port, users: &Path, tls: Option<&Tls>) -> String {
    let (amqp, port) = (amqp.address(), management.number());
    let listeners = match tls {
        None => format!(
            "listeners.tcp.1 = {amqp}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {port}\n"
        ),
        Some(tls) => {
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
                 listeners.ssl.1 = {amqp}\n\
                 ssl_options.verify = verify_none\n\
                 {}\
                 management.ssl.ip = 127.0.0.1\n\
                 management.ssl.port = {port}\n\
                 {}",
                files("ssl_options"),
                files("management.ssl"),
            )
        }
    };
    format!(
        "{listeners}\
         load_definitions = {}\n\
         max_message_size = 1048576\n\
         log.console = true\n\
         log.file = false\n",
        users.display(),
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
