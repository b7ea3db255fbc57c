//! The HTTP API as the command uses it: requests, pages, and the stream of events.
//!
//! Every change carries an idempotency key, so that repeating it after a broken connection cannot do it twice; that is
//! why requests are repeated here and nowhere else. Redirects are not followed: the token is for one server.

mod accounts;
mod api;
mod audit;
mod causes;
mod deployments;
mod events;
mod files;
mod keys;
mod notifications;
mod pushes;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_shared::api::{IDEMPOTENCY_KEY, Page, Problem};
use pointsman_shared::ids::IdSource;
use reqwest::{Certificate, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

pub use api::LogQuery;
pub use audit::AuditFilter;
pub use events::{EventStream, Signal};

use crate::config::Token;
use crate::error::CliError;
use crate::printer::Printer;

/// How long a question may take when `--timeout` says nothing shorter.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a change may take: a build or deployment fetches the repository first, and the first fetch of a large one
/// takes minutes.
const PATIENCE_WITH_CHANGES: Duration = Duration::from_mins(20);
/// A stream that is silent for longer is dead: the coordinator sends a beat at least every 15 s.
const STREAM_SILENCE: Duration = Duration::from_secs(40);
/// Waits before a request is repeated.
const REPEATS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// Rows that are asked for at once.
const PAGE: usize = 200;

/// A coordinator and the token for it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    streaming: reqwest::Client,
    base: Url,
    token: Token,
    patience_with_changes: Duration,
    ids: Arc<dyn IdSource>,
    printer: Printer,
}

/// The first rows of a list.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl Client {
    /// A client for the coordinator at `base`; `ca_file` holds the certificates to trust instead of the system's.
    pub fn new(
        base: Url,
        token: Token,
        ca_file: Option<&Path>,
        timeout: Option<Duration>,
        ids: Arc<dyn IdSource>,
        printer: Printer,
    ) -> Result<Self, CliError> {
        let patience = timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE));
        let trusted = match ca_file {
            Some(file) => Some(certificates(file)?),
            // An address without TLS needs none, and reading the system's takes long.
            None => (base.scheme() == "http").then(Vec::new),
        };
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(patience);
            let builder = match &trusted {
                Some(certificates) => builder.tls_certs_only(certificates.iter().cloned()),
                None => builder,
            };
            // A proxy cannot reach our loopback.
            if is_loopback(&base) {
                builder.no_proxy()
            } else {
                builder
            }
        };
        Ok(Self {
            http: builder().timeout(patience).build().map_err(CliError::Setup)?,
            streaming: builder()
                .read_timeout(STREAM_SILENCE)
                .build()
                .map_err(CliError::Setup)?,
            base,
            token,
            patience_with_changes: timeout.map_or(PATIENCE_WITH_CHANGES, |timeout| {
                timeout.min(PATIENCE_WITH_CHANGES)
            }),
            ids,
            printer,
        })
    }

    /// The coordinator's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, CliError> {
        self.exchange(Method::GET, path, query, None::<&()>).await
    }

    async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, CliError> {
        self.exchange(method, path, &[], body).await
    }

    /// Collects pages until there are `most` rows or no more.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        most: usize,
    ) -> Result<Listing<T>, CliError> {
        let mut listing = Listing {
            items: Vec::new(),
            more: false,
        };
        let mut cursor: Option<String> = None;
        loop {
            let wanted = (most - listing.items.len()).min(PAGE);
            let mut query = query.to_vec();
            query.push(("limit", wanted.to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            listing.items.extend(page.items);
            listing.more = page.next.is_some() || listing.items.len() > most;
            listing.items.truncate(most);
            match page.next {
                Some(next) if listing.items.len() < most => cursor = Some(next),
                Some(_) | None => return Ok(listing),
            }
        }
    }

    /// One request; repeated with the same key while the coordinator seems only briefly away.
    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<T, CliError> {
        let url = self.address(path, query);
        let key = (method != Method::GET).then(|| self.ids.next().to_string());
        let mut repeats = REPEATS.into_iter();
        loop {
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .bearer_auth(self.token.secret());
            if let Some(key) = &key {
                request = request
                    .header(IDEMPOTENCY_KEY, key)
                    .timeout(self.patience_with_changes);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = self.answer(&method, &url, request).await;
            match (answer, repeats.next()) {
                (Err(error), Some(pause))
                    if error.is_passing() && !matches!(error, CliError::NoAnswer { .. }) =>
                {
                    self.printer
                        .trace(&format!("{error}; once more in {}", crate::text::duration(pause)));
                    tokio::time::sleep(pause).await;
                }
                (answer, _) => return answer,
            }
        }
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        method: &Method,
        url: &Url,
        request: reqwest::RequestBuilder,
    ) -> Result<T, CliError> {
        let began = Instant::now();
        let response = request
            .send()
            .await
            .map_err(|error| self.network(error, began.elapsed()))?;
        let status = response.status();
        let answer = self.read(url, response).await;
        let took = began.elapsed().as_millis();
        self.printer
            .trace(&format!("{method} {url} {} {took} ms", status.as_u16()));
        answer
    }

    async fn read<T: DeserializeOwned>(&self, url: &Url, response: Response) -> Result<T, CliError> {
        let status = response.status();
        let began = Instant::now();
        let text = response
            .text()
            .await
            .map_err(|error| self.network(error, began.elapsed()))?;
        if !status.is_success() {
            return Err(refusal(url, status, &text));
        }
        // An answer without a body (204) says what `null` says.
        let json = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(json).map_err(|error| CliError::NotACoordinator {
            url: url.clone(),
            why: format!("its answer cannot be read: {error}"),
        })
    }

    fn network(&self, error: reqwest::Error, after: Duration) -> CliError {
        if error.is_timeout() {
            return CliError::NoAnswer {
                url: self.base.clone(),
                after,
            };
        }
        CliError::Unreachable {
            url: self.base.clone(),
            // The address stands in our own sentence already.
            source: error.without_url(),
        }
    }

    /// The page at `path`, for browsers; each part is escaped.
    pub fn page(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }

    /// `path` below `/api/v1`; each part is escaped, so that a label with `#` or `/` stays one part.
    pub fn address(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        // Addresses are http or https (checked when parsed), which always can have a path.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, CliError> {
    let unusable = |why: String| CliError::Usage {
        what: format!("{} holds no certificates", file.display()),
        why: Some(why),
        help: Some("name a file of CA certificates (PEM): --ca-file, POINTSMAN_CA_FILE".to_owned()),
    };
    let bytes = fs_err::read(file).map_err(|error| unusable(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&bytes).map_err(|error| unusable(error.to_string()))?;
    if found.is_empty() {
        return Err(unusable("it is not PEM, or empty".to_owned()));
    }
    Ok(found)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A refusal in the coordinator's words; where something else answered, in ours.
fn refusal(url: &Url, status: StatusCode, text: &str) -> CliError {
    if let Ok(problem) = serde_json::from_str::<Problem>(text) {
        return CliError::Problem(Box::new(problem));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let title = format!("the coordinator answered {status}");
        return CliError::Problem(Box::new(Problem::new(status.as_u16(), "unexplained", title)));
    }
    CliError::NotACoordinator {
        url: url.clone(),
        why: format!("HTTP status {status} without an explanation"),
    }
}
