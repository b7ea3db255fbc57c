//! The little web server follows `current` from request to request.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use pointsman_sandbox::http;
use pointsman_sandbox::ports::Port;
use pointsman_sandbox::web::RELEASE_HEADER;

struct Site {
    process: Child,
    port: Port,
}

impl Site {
    async fn start(root: &Path) -> Self {
        let port = Port::reserve().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_pointsman-sandbox"))
            .args([
                "web",
                "--root",
                root.to_str().unwrap(),
                "--listen",
                &port.address().to_string(),
            ])
            .spawn()
            .unwrap();
        let site = Self { process, port };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while site.get("/").await.is_err() {
            assert!(tokio::time::Instant::now() < deadline, "the web server answers");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        site
    }

    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        http::client(None)
            .get(format!("http://{}{path}", self.port.address()))
            .send()
            .await
    }

    /// Status, release and body.
    async fn ask(&self, path: &str) -> (u16, String, String) {
        let answer = self.get(path).await.unwrap();
        let release = answer
            .headers()
            .get(RELEASE_HEADER)
            .map(|name| name.to_str().unwrap().to_owned());
        (
            answer.status().as_u16(),
            release.unwrap_or_default(),
            answer.text().await.unwrap(),
        )
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn switch(root: &Path, release: &str) {
    symlink(Path::new("releases").join(release), root.join("next")).unwrap();
    fs_err::rename(root.join("next"), root.join("current")).unwrap();
}

#[tokio::test]
async fn it_serves_what_current_names_and_says_which_release_that_is() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for (release, text, health) in [("000001-a", "one", None), ("000002-b", "two", Some("fail\n"))] {
        let folder = root.join("releases").join(release);
        fs_err::create_dir_all(folder.join("a b")).unwrap();
        fs_err::write(folder.join("index.html"), text).unwrap();
        fs_err::write(folder.join("a b/style.css"), "p {}").unwrap();
        if let Some(health) = health {
            fs_err::write(folder.join("healthz"), health).unwrap();
        }
    }
    let site = Site::start(root).await;
    assert_eq!(
        site.ask("/").await,
        (503, String::new(), "no release is live here\n".to_owned())
    );

    switch(root, "000001-a");
    assert_eq!(
        site.ask("/").await,
        (200, "000001-a".to_owned(), "one".to_owned())
    );
    assert_eq!(
        site.ask("/a%20b/style.css").await,
        (200, "000001-a".to_owned(), "p {}".to_owned())
    );
    assert_eq!(
        site.ask("/healthz").await,
        (200, "000001-a".to_owned(), "ok\n".to_owned())
    );
    assert_eq!(
        site.ask("/a%20b").await,
        (200, "000001-a".to_owned(), "style.css\n".to_owned())
    );
    assert_eq!(site.ask("/none").await.0, 404);

    switch(root, "000002-b");
    assert_eq!(
        site.ask("/").await,
        (200, "000002-b".to_owned(), "two".to_owned())
    );
    assert_eq!(site.ask("/healthz").await.0, 500);

    fs_err::write(root.join("releases/000002-b/healthz"), "hang").unwrap();
    let hanging = tokio::time::timeout(Duration::from_millis(300), site.get("/healthz")).await;
    assert!(hanging.is_err(), "a hanging release never answers");
}
