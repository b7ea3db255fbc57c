//! `git http-backend` behind TLS, for whoever has the password.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request};
use axum_server::tls_rustls::RustlsConfig;
use pointsman_sandbox::authority::Issued;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// Largest request that is taken: what a fetch asks for is small.
const MOST_BYTES: usize = 1 << 20;

/// A server of the bare repositories in a folder; it ends when dropped.
#[derive(Debug)]
pub struct HttpsServer {
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

struct Repositories {
    folder: PathBuf,
    authorization: &'static str,
}

impl HttpsServer {
    /// Serves `folder` with this certificate to whoever sends this `Authorization`.
    pub async fn serve(folder: PathBuf, issued: &Issued, authorization: &'static str) -> Result<Self> {
        let config = RustlsConfig::from_pem(
            issued.certificate.clone().into_bytes(),
            issued.key.clone().into_bytes(),
        )
        .await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let repositories = Repositories {
            folder,
            authorization,
        };
        let router = Router::new().fallback(answer).with_state(Arc::new(repositories));
        let server = axum_server::from_tcp_rustls(listener, config)?;
        Ok(Self {
            address,
            serving: tokio::spawn(server.serve(router.into_make_service())),
        })
    }

    /// The address of the repository with this name.
    pub fn url(&self, repository: &str) -> String {
        format!("https://{}/{repository}", self.address)
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(repositories): State<Arc<Repositories>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let sent = head.headers.get(header::AUTHORIZATION);
    if sent.is_none_or(|sent| sent.as_bytes() != repositories.authorization.as_bytes()) {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        let ask = HeaderValue::from_static("Basic realm=\"git\"");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        return refused;
    }
    let asked = async {
        let body = axum::body::to_bytes(body, MOST_BYTES).await?;
        backend(&repositories, &head, &body).await
    };
    asked.await.unwrap_or_else(|error: anyhow::Error| {
        let mut failed = Response::new(Body::from(format!("{error:#}")));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// Asks git's own CGI program.
async fn backend(repositories: &Repositories, head: &request::Parts, body: &Bytes) -> Result<Response<Body>> {
    let text = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &repositories.folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("GIT_PROTOCOL", text("git-protocol"))
        // The repositories belong to the fleet's user.
        .envs([
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    let (fed, output) = tokio::join!(
        async {
            let fed = stdin.write_all(body).await;
            drop(stdin);
            fed
        },
        child.wait_with_output()
    );
    fed?;
    parse(&output?.stdout)
}

/// An answer of a CGI program: headers, an empty line, the body.
fn parse(output: &[u8]) -> Result<Response<Body>> {
    let end = output
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .context("no end of the headers")?;
    let mut headers = HeaderMap::new();
    let mut status = StatusCode::OK;
    for line in std::str::from_utf8(&output[..end])?.lines() {
        let (name, value) = line.split_once(": ").context("no header")?;
        if name == "Status" {
            status = value.split(' ').next().unwrap_or_default().parse()?;
        } else {
            headers.insert(name.parse::<HeaderName>()?, value.parse()?);
        }
    }
    let mut response = Response::new(Body::from(output[end + 4..].to_vec()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
