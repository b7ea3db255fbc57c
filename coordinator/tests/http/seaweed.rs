//! An S3-compatible service of a test's own: SeaweedFS on free loopback ports, with two keys and no bucket. It checks
//! signatures and rights, and ends when dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::signer::Signer as _;
use reqwest::Method;
use tempfile::TempDir;

/// Where `deploy/install-packages tests` puts it.
const INSTALLED: &str = "/usr/local/lib/pointsman-tests/seaweedfs/bin/weed";
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// Starts, because somebody else may take a port that was free just now.
const TRIES: usize = 3;

/// May do everything.
pub const KEY: (&str, &str) = ("WRITER", "secret of the writer");
/// May list and read.
pub const READER: (&str, &str) = ("READER", "secret of the reader");

/// A running service.
pub struct Seaweed {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Seaweed {
    /// Starts it and waits until it answers.
    pub async fn start() -> Self {
        for _ in 0..TRIES {
            if let Some(running) = Self::try_start().await {
                return running;
            }
        }
        panic!("SeaweedFS ended {TRIES} times before it answered");
    }

    async fn try_start() -> Option<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pointsman-s3-")
            .tempdir_in("/tmp")
            .unwrap();
        let identity = |(id, secret): (&str, &str), actions: &[&str]| {
            let credentials = serde_json::json!([{ "accessKey": id, "secretKey": secret }]);
            serde_json::json!({ "name": id, "credentials": credentials, "actions": actions })
        };
        let identities = serde_json::json!({
            "identities": [identity(KEY, &["Admin", "Read", "Write", "List"]), identity(READER, &["Read", "List"])],
        });
        fs_err::write(folder.path().join("s3.json"), identities.to_string()).unwrap();
        let ports = free_ports();
        let log = fs_err::File::create(folder.path().join("log"))
            .unwrap()
            .into_parts()
            .0;
        let child = Command::new(program())
            .args(arguments(folder.path(), ports))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut running = Self {
            child,
            folder,
            port: ports[0],
        };
        let begin = Instant::now();
        while !running.answers().await {
            if running.child.try_wait().unwrap().is_some() {
                return None;
            }
            let log = || fs_err::read_to_string(running.folder.path().join("log")).unwrap();
            assert!(begin.elapsed() < PATIENCE, "SeaweedFS does not answer: {}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(running)
    }

    /// It can make buckets only once all of it runs.
    async fn answers(&self) -> bool {
        self.try_bucket("ready")
            .await
            .is_some_and(|status| status.is_success())
    }

    async fn try_bucket(&self, name: &str) -> Option<reqwest::StatusCode> {
        let (client, whole) = (self.as_writer(name), object_store::path::Path::default());
        let url = client.signed_url(Method::PUT, &whole, PATIENCE).await.unwrap();
        let asked = reqwest::Client::new().put(url).send().await;
        asked.ok().map(|answer| answer.status())
    }

    /// Makes a bucket.
    pub async fn bucket(&self, name: &str) {
        let status = self.try_bucket(name).await.unwrap();
        assert!(status.is_success(), "{status}");
    }

    /// A client of a bucket that may do everything.
    pub fn as_writer(&self, bucket: &str) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(bucket)
            .with_access_key_id(KEY.0)
            .with_secret_access_key(KEY.1)
            .build()
            .unwrap()
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lines for the section of the store.
    pub fn section(&self, bucket: &str, (id, secret): (&str, &str)) -> String {
        let file = self.folder.path().join(format!("secret of {id}"));
        fs_err::write(&file, format!("{secret}\n")).unwrap();
        format!(
            "s3 = {{ bucket = {bucket:?}, endpoint = {:?}, allow_http = true, prefix = \"some/where\", \
             access_key_id = {id:?}, secret_access_key_file = '{}' }}",
            self.endpoint(),
            file.display()
        )
    }

    /// It answers nobody any more.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn program() -> PathBuf {
    let installed = PathBuf::from(INSTALLED);
    assert!(
        installed.exists(),
        "{INSTALLED} is missing; deploy/install-packages tests installs it"
    );
    installed
}

/// Free now: its service's own, and those of its parts.
fn free_ports() -> [u16; 8] {
    let held = [(); 8].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn arguments(folder: &Path, ports: [u16; 8]) -> Vec<String> {
    let data = folder.join("data");
    fs_err::create_dir(&data).unwrap();
    let at = |name: &str| folder.join(name).display().to_string();
    let [
        s3,
        s3_grpc,
        master,
        master_grpc,
        volume,
        volume_grpc,
        filer,
        filer_grpc,
    ] = ports;
    vec![
        "-logtostderr=true".to_owned(),
        "server".to_owned(),
        format!("-dir={}", data.display()),
        "-ip=127.0.0.1".to_owned(),
        "-ip.bind=127.0.0.1".to_owned(),
        format!("-master.port={master}"),
        format!("-master.port.grpc={master_grpc}"),
        "-master.telemetry=false".to_owned(),
        "-master.volumeSizeLimitMB=64".to_owned(),
        format!("-volume.port={volume}"),
        format!("-volume.port.grpc={volume_grpc}"),
        "-volume.max=100".to_owned(),
        "-filer".to_owned(),
        format!("-filer.port={filer}"),
        format!("-filer.port.grpc={filer_grpc}"),
        format!("-filer.localSocket={}", at("filer.sock")),
        "-s3".to_owned(),
        format!("-s3.port={s3}"),
        format!("-s3.port.grpc={s3_grpc}"),
        format!("-s3.localSocket={}", at("s3.sock")),
        "-s3.port.iceberg=0".to_owned(),
        "-s3.port.lance=0".to_owned(),
        "-s3.iam=false".to_owned(),
        format!("-s3.config={}", at("s3.json")),
    ]
}
