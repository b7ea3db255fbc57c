//! How this agent asks the coordinator over HTTP: one client, one base address, problems in words.
//!
//! It knows no request by name; joining and the artifact client do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman_shared::api::Problem;
use pointsman_shared::certificate;
use reqwest::{Certificate, Client, Response, StatusCode};
use url::Url;

use crate::config::CoordinatorSection;
use crate::describe::describe;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence while an answer is read.
const SILENCE: Duration = Duration::from_mins(1);
/// Most bytes of an error's body that are read.
const PROBLEM_BYTES: usize = 16 * 1024;

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of certificates cannot be read.
    #[error("coordinator.ca_file cannot be read")]
    Certificates(#[source] std::io::Error),
    /// It holds none.
    #[error("coordinator.ca_file: there is no certificate (PEM) in {}", file.display())]
    NoCertificates {
        /// The file.
        file: PathBuf,
    },
    /// It holds something else, or the system has no certificates.
    #[error("the certificates of coordinator.ca_file or of the system cannot be used")]
    Tls(#[source] reqwest::Error),
}

/// A request that was not answered as hoped.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No answer.
    #[error("the coordinator at {url} could not be asked{}", advice(source))]
    Unreachable {
        /// Its address.
        url: Url,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// An answer that says no.
    #[error("the coordinator refused ({status}, {}): {}", problem.code, words(problem))]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// Its words.
        problem: Box<Problem>,
    },
    /// An answer that is not what was asked for.
    #[error("the coordinator's answer cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
}

impl RequestError {
    /// Whether asking again may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            Self::Unreadable { .. } => false,
        }
    }
}

fn words(problem: &Problem) -> String {
    let what = problem.detail.as_ref().unwrap_or(&problem.title);
    match &problem.hint {
        Some(hint) => format!("{what}; {hint}"),
        None => what.clone(),
    }
}

/// The coordinator's HTTP address and a client for it.
#[derive(Debug, Clone)]
pub struct Coordinator {
    client: Client,
    url: Url,
}

impl Coordinator {
    /// A client as configured.
    pub fn new(section: &CoordinatorSection) -> Result<Self, ClientError> {
        let builder = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none());
        let builder = match &section.ca_file {
            Some(file) => builder.tls_certs_only(certificates(file)?),
            // An address without TLS needs none, and a small host may have none.
            None if section.url.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        Ok(Self {
            client: builder.build().map_err(ClientError::Tls)?,
            url: section.url.clone(),
        })
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The address of `path`; a path in the configured address is kept in front (a proxy's), and not signed.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Sends a request and insists on a 2xx answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, RequestError> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(response).await)
    }

    /// Wraps a failed transfer.
    pub fn unreachable(&self, source: reqwest::Error) -> RequestError {
        RequestError::Unreachable {
            url: self.url.clone(),
            source: source.without_url(),
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, ClientError> {
    let bytes = fs_err::read(file).map_err(ClientError::Certificates)?;
    let found = Certificate::from_pem_bundle(&bytes).map_err(ClientError::Tls)?;
    if found.is_empty() {
        return Err(ClientError::NoCertificates {
            file: file.to_owned(),
        });
    }
    Ok(found)
}

/// What to do about it, where more is known than the cause says.
fn advice(source: &reqwest::Error) -> String {
    certificate::advice(&describe(source), "coordinator.ca_file")
        .map(|advice| format!("; {advice}"))
        .unwrap_or_default()
}

async fn refused(mut response: Response) -> RequestError {
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        if body.len() + piece.len() > PROBLEM_BYTES {
            break;
        }
        body.extend_from_slice(&piece);
    }
    let problem = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Problem::new(status.as_u16(), "unknown", "an answer without words"));
    RequestError::Refused {
        status,
        problem: Box::new(problem),
    }
}
