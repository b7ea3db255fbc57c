//! Somebody who keeps the installation by its pages: signed in, with answers that are read at once.

use reqwest::header::LOCATION;
use reqwest::{Method, RequestBuilder};

use crate::browser::{self, Browser};
use crate::world::World;

pub struct Keeper(Browser);

/// A page, read.
pub struct Page {
    pub status: u16,
    pub to: Option<String>,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl From<browser::Page> for Page {
    fn from(page: browser::Page) -> Self {
        let to = page.headers.get(LOCATION).and_then(|to| to.to_str().ok());
        Self {
            status: page.status,
            to: to.map(str::to_owned),
            headers: page.headers,
            text: page.html,
        }
    }
}

impl Page {
    /// Its text, when the status is as expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.text
    }

    /// Where a press led to.
    #[track_caller]
    pub fn went(self) -> String {
        assert_eq!(self.status, 303, "{}", self.text);
        self.to.unwrap_or_default()
    }
}

impl Keeper {
    /// Somebody with this role.
    pub async fn new(world: &World, role: &str) -> Self {
        Self(Browser::with_role(world, role).await)
    }

    /// Signs in by a name and a password, or a token.
    pub async fn signed_in(world: &World, form: &[(&str, &str)]) -> Self {
        let mut browser = Browser::new(world);
        assert_eq!(browser.enter(form).await.status, 303);
        Self(browser)
    }

    /// Looks at a page.
    pub async fn get(&self, path: &str) -> Page {
        self.0.get(path).await.into()
    }

    /// Loads a page whose address somebody typed, or got from elsewhere.
    pub async fn types(&self, path: &str) -> Page {
        self.0.types(path).await.into()
    }

    /// Presses a button of a page.
    pub async fn press(&self, path: &str, form: &[(&str, &str)]) -> Page {
        self.0.press(path, form).await.into()
    }

    /// Sends a form as it stands, without proof.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        self.0.send_form(path, form).await.into()
    }

    /// Presses the same from a page of another site.
    pub async fn press_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let proof = self.0.get("/profile").await.proof();
        let mut whole = form.to_vec();
        whole.push(("proof", &proof));
        let request: RequestBuilder = self.0.request(Method::POST, path).form(&whole);
        browser::read(request.header("origin", origin)).await.into()
    }
}

/// What stands between two texts.
#[track_caller]
pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from} in {text}"))
        .1;
    rest.split_once(to).unwrap_or((rest, "")).0
}
