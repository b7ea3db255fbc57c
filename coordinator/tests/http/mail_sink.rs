//! A real SMTP server that keeps what it gets in a folder: aiosmtpd, a Debian package.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);

/// A mail as it lies in the folder.
#[derive(Debug, Clone)]
pub struct Mail {
    pub text: String,
}

impl Mail {
    /// A header in one line.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\n\n").next().unwrap().replace("\n ", " ");
        let prefix = format!("{name}: ");
        let line = head.lines().find_map(|line| line.strip_prefix(&prefix));
        line.unwrap_or_else(|| panic!("no {name}: {}", self.text))
            .to_owned()
    }
}

pub struct MailSink {
    pub port: u16,
    folder: TempDir,
    server: Child,
}

impl MailSink {
    /// Starts one; with a certificate and its key it insists on STARTTLS.
    pub async fn start(tls: Option<(&Path, &Path)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "aiosmtpd", "-n", "-l", &format!("localhost:{port}")]);
        if let Some((cert, key)) = tls {
            command.arg("--tlscert").arg(cert).arg("--tlskey").arg(key);
        }
        command
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(folder.path().join("mail"));
        let server = command
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sink = Self { port, folder, server };
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(("localhost", port)).await.is_err() {
            assert!(
                Instant::now() < deadline,
                "no mail server; ./deploy/install-packages tests installs it"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sink
    }

    /// What came so far.
    pub fn mails(&self) -> Vec<Mail> {
        let Ok(entries) = fs_err::read_dir(self.folder.path().join("mail/new")) else {
            return Vec::new();
        };
        let read = |entry: std::io::Result<fs_err::DirEntry>| Mail {
            text: fs_err::read_to_string(entry.unwrap().path())
                .unwrap()
                .replace("\r\n", "\n"),
        };
        entries.map(read).collect()
    }

    /// What came, once so many did.
    pub async fn got(&self, count: usize) -> Vec<Mail> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < deadline, "{count} mails never came: {mails:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
