//! A browser without a screen: keeps its cookie, follows no redirect, and sends forms as pages do.

use pointsman_coordinator::operations::invite_account;
use pointsman_shared::api::tokens::RoleName;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, redirect};

use crate::world::World;

pub struct Browser {
    client: Client,
    base: String,
    cookie: Option<String>,
}

/// What came back.
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub html: String,
}

impl Page {
    /// Where it leads.
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.html);
        self.headers[LOCATION].to_str().unwrap()
    }

    #[track_caller]
    pub fn holds(&self, words: &str) {
        assert!(self.html.contains(words), "{words}: {}", self.html);
    }

    #[track_caller]
    pub fn lacks(&self, words: &str) {
        assert!(!self.html.contains(words), "{words}: {}", self.html);
    }

    /// What the forms of this page hold.
    pub fn proof(&self) -> String {
        let (_, rest) = self.html.split_once("name=\"proof\" value=\"").unwrap();
        rest.chars().take_while(|c| *c != '"').collect()
    }
}

impl Browser {
    /// A browser that was never here.
    pub fn new(world: &World) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build();
        Self {
            client: client.unwrap(),
            base: world.url.trim_end_matches('/').to_owned(),
            cookie: None,
        }
    }

    /// Signed in as a token with this role.
    pub async fn with_role(world: &World, role: &str) -> Self {
        let token = world.token_of(role).await;
        let mut browser = Self::new(world);
        let entered = browser.enter(&[("token", &token)]).await;
        assert_eq!(entered.leads_to(), "/");
        browser
    }

    /// Sends the sign-in's form and keeps the cookie.
    pub async fn enter(&mut self, form: &[(&str, &str)]) -> Page {
        let page = self.send_form("/sign-in", form).await;
        self.keep(&page);
        page
    }

    /// Keeps the cookie that a page gave.
    pub fn keep(&mut self, page: &Page) {
        for value in page.headers.get_all(SET_COOKIE) {
            let value = value.to_str().unwrap();
            // One that is taken back leaves the others as they are.
            if !value.contains("Max-Age=0") {
                self.cookie = value.split(';').next().map(str::to_owned);
            }
        }
    }

    /// Keeps the cookie that a page gave beside those it has.
    pub fn keep_also(&mut self, page: &Page) {
        let given = page.headers[SET_COOKIE]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let had = self.cookie.take().unwrap_or_default();
        self.cookie = Some(format!("{had}; {given}"));
    }

    /// A request of this browser.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    /// Loads a page, led there by another one of ours.
    pub async fn get(&self, path: &str) -> Page {
        let request = self.request(Method::GET, path);
        read(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Loads a page whose address somebody typed, or got from elsewhere.
    pub async fn types(&self, path: &str) -> Page {
        let request = self.request(Method::GET, path);
        read(request.header("sec-fetch-site", "none")).await
    }

    /// Sends a form as it stands.
    pub async fn send_form(&self, path: &str, form: &[(&str, &str)]) -> Page {
        read(self.request(Method::POST, path).form(form)).await
    }

    /// Presses a button of a page: its form holds the proof.
    pub async fn press(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let proof = self.get("/profile").await;
        let proof = if proof.status == 200 {
            proof.proof()
        } else {
            self.get("/").await.proof()
        };
        let whole: Vec<_> = std::iter::once(("proof", proof.as_str()))
            .chain(form.iter().copied())
            .collect();
        self.send_form(path, &whole).await
    }
}

/// Sends a request as it is.
pub async fn read(request: RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    Page {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        html: response.text().await.unwrap(),
    }
}

/// The path of a new invitation.
pub async fn invitation(world: &World, name: Option<&str>, role: RoleName) -> String {
    let app = &world.app;
    let mut tx = app.store.begin().await.unwrap();
    let url = &app.config.http.public_url;
    let made = invite_account::insert(&mut tx, url, name, &role.into(), app.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    made.url
        .strip_prefix(url.as_str().trim_end_matches('/'))
        .unwrap()
        .to_owned()
}
