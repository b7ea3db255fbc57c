//! A site behind the nginx configuration that is shipped, while the agent's own steps switch its releases under load.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pointsman_agent::executor::Execution;
use pointsman_shared::outcome::Outcome;

use crate::machine::{Machine, Release};

const SHIPPED: &str = include_str!("../../../deploy/nginx/site.conf");
/// A folder's page by two names, and a file of its own.
const PATHS: [&str; 3] = ["/", "/about", "/version"];

struct Nginx {
    process: Child,
    port: u16,
}

impl Nginx {
    /// Serves `root` as the shipped configuration says, on a port of its own.
    async fn start(folder: &Path, root: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let site = SHIPPED
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
            .replace("/srv/shop", &root.display().to_string());
        let folder = folder.join("nginx");
        fs_err::create_dir(&folder).unwrap();
        fs_err::write(folder.join("site.conf"), site).unwrap();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        let main = format!(
            "daemon off;\nmaster_process off;\npid pid;\nerror_log error.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}include site.conf;\n}}\n"
        );
        fs_err::write(folder.join("nginx.conf"), main).unwrap();
        let process = Command::new("/usr/sbin/nginx")
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx: {error}; deploy/install-packages installs it"));
        let mut nginx = Self { process, port };
        while reqwest::get(nginx.url("/")).await.is_err() {
            let ended = nginx.process.try_wait().unwrap();
            let log = fs_err::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(ended.is_none(), "nginx ended: {ended:?}\n{log}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        nginx
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A site whose every page says its number.
fn site(machine: &Machine, number: u32) -> Release {
    let tree = machine.folder.join(format!("site-{number}"));
    fs_err::create_dir_all(tree.join("dist/about")).unwrap();
    for page in ["dist/index.html", "dist/about/index.html", "dist/version"] {
        fs_err::write(tree.join(page), number.to_string()).unwrap();
    }
    machine.pack(number, &tree)
}

/// Asks for every page, over and over on one connection; answers with the number of requests.
async fn read(urls: Vec<String>, releases: [String; 2], stop: Arc<AtomicBool>) -> usize {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut requests = 0;
    while !stop.load(Ordering::Relaxed) {
        for url in &urls {
            let answer = client.get(url).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{url}");
            let release = answer.headers()["pointsman-release"].to_str().unwrap().to_owned();
            let number = answer.text().await.unwrap();
            let expected = number.parse::<usize>().unwrap() - 1;
            assert_eq!(release, releases[expected], "{url} answered {number}");
            requests += 1;
        }
    }
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_or_is_mixed_while_releases_switch_under_nginx() {
    let machine = Machine::new().await;
    let releases = [site(&machine, 1), site(&machine, 2)];
    for release in &releases {
        machine.install(release).await;
    }
    let nginx = Nginx::start(&machine.folder, &machine.in_root("")).await;
    for path in ["/", "/etc/passwd"] {
        let before = reqwest::get(nginx.url(path)).await.unwrap();
        assert_eq!(
            before.status(),
            503,
            "before the first switch there is nothing to serve"
        );
    }

    let mut order = machine.switch_order(&releases[0], 1);
    order["hooks"] = serde_json::json!({"before": [], "after": [], "timeout_s": 0});
    order["health"] = serde_json::json!({
        "probe": {"probe": "http", "url": nginx.url("/version")},
        "passes": 1, "interval_ms": 1, "deadline_ms": 10_000, "asserts_release": true,
    });
    let stop = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for generation in 1..=60_u64 {
        let release = &releases[usize::from(generation % 2 == 0)];
        order["generation"] = generation.into();
        order["folder"] = serde_json::json!(release.folder);
        order["manifest"] = serde_json::json!(release.manifest.digest());
        let done = machine.perform(u128::from(generation), 1, &order).await;
        assert!(
            matches!(done, Execution::Ended(Outcome::Succeeded { .. })),
            "{done:?}"
        );
        if readers.is_empty() {
            let names = releases.each_ref().map(|release| release.folder.to_string());
            let urls: Vec<String> = PATHS.iter().map(|path| nginx.url(path)).collect();
            readers
                .extend((0..4).map(|_| tokio::spawn(read(urls.clone(), names.clone(), Arc::clone(&stop)))));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut requests = 0;
    for reader in readers {
        requests += reader.await.unwrap();
    }
    assert!(requests > 200, "{requests} requests are no load");
}
