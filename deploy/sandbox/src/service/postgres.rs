//! A private PostgreSQL: one cluster in the place, loopback TCP only, a password of its own.
//!
//! It keeps `fsync` on, so that tests which kill it prove something. It refuses nothing and tunes nothing else.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::probe::postgres_answers;
use super::supervised::Supervised;
use crate::authority::Tls;
use crate::error::{Error, Result};
use crate::keeper::{Keeper, Sign, Spec};
use crate::place::Place;
use crate::ports::Port;
use crate::programs::System;
use crate::random;

const READY: Duration = Duration::from_secs(30);

/// A running PostgreSQL with the superuser `admin`.
#[derive(Debug)]
pub struct Postgres {
    server: Supervised,
    port: Port,
    password: String,
    programs: PathBuf,
    data: PathBuf,
    tls: Option<Tls>,
}

impl Drop for Postgres {
    /// A server that was killed and not started again left a shared memory segment, which no folder holds.
    fn drop(&mut self) {
        if self.server.is_running() {
            return;
        }
        let left = fs_err::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        // Its seventh line: key and id of the segment.
        if let Some(id) = left
            .lines()
            .nth(6)
            .and_then(|line| line.split_whitespace().nth(1))
        {
            // In vain where the segment is gone already, and then all is well.
            std::process::Command::new("ipcrm")
                .args(["-m", id])
                .stderr(Stdio::null())
                .status()
                .ok();
        }
    }
}

impl Postgres {
    /// Makes the cluster in `place` and starts it; it has a database `pointsman`.
    pub async fn start(
        keeper: &Arc<Keeper>,
        place: &Place,
        system: &System,
        tls: Option<&Tls>,
    ) -> Result<Self> {
        let port = Port::reserve()?;
        let data = place.folder("postgres")?.join("data");
        let password = random::secret();
        let spec = |name: &str, argv: Vec<std::ffi::OsString>| Spec {
            name: name.to_owned(),
            argv,
            env: [("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")]
                .map(|(k, v)| (k.to_owned(), v.into()))
                .into(),
            cwd: place.dir().to_owned(),
            log: place.log(name),
            stdout: None,
            // Killed, it would leave its shared memory behind; a checkpoint of what nobody needs any more takes seconds.
            last: Sign::Quit,
        };
        if !data.exists() {
            let secret = place.write("postgres/password", password.as_bytes(), 0o600)?;
            let mut argv = vec![
                system.postgres.join("initdb").into(),
                "-D".into(),
                data.clone().into(),
            ];
            argv.extend(["-U", "admin", "-A", "scram-sha-256", "--pwfile"].map(Into::into));
            argv.push(secret.clone().into());
            argv.extend(["--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8"].map(Into::into));
            keeper.run(spec("initdb", argv), READY).await?;
            fs_err::remove_file(secret)?;
        }
        let mut argv = vec![
            system.postgres.join("postgres").into(),
            "-D".into(),
            data.clone().into(),
        ];
        argv.extend(["-p".into(), port.number().to_string().into()]);
        // TCP only: socket paths are limited to 107 bytes, and DIR may be deep. Shared memory in files of DIR, where else
        // a killed server would leave it in /dev/shm.
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "dynamic_shared_memory_type=mmap",
            "max_connections=300",
        ] {
            argv.extend(["-c".into(), setting.into()]);
        }
        argv.extend(tls.into_iter().flat_map(tls_settings));
        let server = Supervised::new(keeper, spec("postgres", argv));
        let postgres = Self {
            server,
            port,
            password,
            programs: system.postgres.clone(),
            data,
            tls: tls.cloned(),
        };
        postgres.restart().await?;
        postgres.create_database("pointsman").await?;
        Ok(postgres)
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let (password, address) = (&self.password, self.port.address());
        let mut url = format!("postgres://admin:{password}@{address}/{database}");
        if let Some(tls) = &self.tls {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query
                .append_pair("sslmode", "verify-full")
                .append_pair("sslrootcert", &tls.ca_file.to_string_lossy());
            url.push('?');
            url.push_str(&query.finish());
        }
        url
    }

    /// Makes an empty database.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        let mut command = self.client("createdb");
        command.arg(name);
        finish(command, &format!("createdb {name}"), "").await
    }

    /// Runs a script of `psql` in a database, with `:name` standing for each setting; it ends at the first error.
    pub async fn run_script(&self, database: &str, script: &str, settings: &[(&str, String)]) -> Result<()> {
        let mut command = self.client("psql");
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]);
        for (name, value) in settings {
            command.args(["-v", &format!("{name}={value}")]);
        }
        finish(command, &format!("psql {database}"), script).await
    }

    /// A client program that reaches this server.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(["-h", "127.0.0.1", "-U", "admin", "-w", "-p"])
            .arg(self.port.number().to_string())
            .env_clear()
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// `kill -9` of the postmaster; its backends notice and end.
    pub async fn kill(&self) -> Result<()> {
        self.server.kill().await.map(drop)
    }

    /// Ends it in order ("fast shutdown").
    pub async fn stop(&self) -> Result<()> {
        self.server.end_by(Sign::Int).await.map(drop)
    }

    /// Starts it again over the same data and waits until it takes connections.
    pub async fn restart(&self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + READY;
        loop {
            self.server.start().await?;
            let ready = self
                .server
                .until_ready(READY, || postgres_answers(self.port.address()))
                .await;
            match ready {
                // Backends of a killed postmaster may still be at their last statement; they keep the new one out.
                Err(Error::Ended { .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                ready => return ready,
            }
        }
    }

    /// The process, to freeze, thaw or watch it.
    pub fn process(&self) -> &Supervised {
        &self.server
    }
}

/// Runs a client program over a script and shows what it says when it fails.
async fn finish(mut command: Command, name: &str, script: &str) -> Result<()> {
    let what = format!("running {name}");
    let mut child = command.spawn().map_err(Error::io(&what))?;
    if let Some(mut input) = child.stdin.take() {
        // It may end before it has read everything; why, it says itself.
        drop(input.write_all(script.as_bytes()).await);
    }
    let output = child.wait_with_output().await.map_err(Error::io(&what))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Command {
        command: name.to_owned(),
        exit: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Arguments of a server that speaks TLS.
fn tls_settings(tls: &Tls) -> Vec<std::ffi::OsString> {
    let file = |name: &str, file: &Path| {
        let mut setting = std::ffi::OsString::from(name);
        setting.push(file);
        setting
    };
    [
        "ssl=on".into(),
        file("ssl_cert_file=", &tls.certificate),
        file("ssl_key_file=", &tls.key),
    ]
    .into_iter()
    .flat_map(|setting| ["-c".into(), setting])
    .collect()
}
