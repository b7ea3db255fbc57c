//! A receiver of notifications: a real HTTP server that keeps what it got, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(20);

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// How it answers.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16, &'static str),
    Redirect(String),
    /// It takes the request and says nothing until it is dropped.
    Silence,
}

#[derive(Debug)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    usual: Mutex<Reply>,
    requests: watch::Sender<Vec<Request>>,
}

/// Ends with its test's runtime.
#[derive(Debug)]
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
}

impl Receiver {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            replies: Mutex::default(),
            usual: Mutex::new(Reply::Status(200, "taken")),
            requests: watch::Sender::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// How it answers next, before it answers as usual.
    pub fn answers(&self, reply: Reply) {
        self.shared.replies.lock().unwrap().push_back(reply);
    }

    /// How it answers.
    pub fn always_answers(&self, reply: Reply) {
        *self.shared.usual.lock().unwrap() = reply;
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.borrow().clone()
    }

    /// What came, once so many did.
    pub async fn got(&self, count: usize) -> Vec<Request> {
        let mut requests = self.shared.requests.subscribe();
        let came = tokio::time::timeout(PATIENCE, requests.wait_for(|came| came.len() >= count)).await;
        let Ok(came) = came else {
            panic!("{count} requests never came: {:?}", self.requests());
        };
        came.unwrap().clone()
    }
}

async fn take(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request {
        path: uri.path().to_owned(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    shared.requests.send_modify(|requests| requests.push(request));
    let next = shared.replies.lock().unwrap().pop_front();
    let reply = next.unwrap_or_else(|| shared.usual.lock().unwrap().clone());
    match reply {
        Reply::Status(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Reply::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
