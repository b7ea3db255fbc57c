//! An OpenID provider of these tests: a real HTTP server that speaks discovery, authorisation codes with PKCE, and signs
//! real RS256 tokens with a key of the tests' own. What it says can be bent, each time in one way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreRsaPrivateSigningKey,
};
use openidconnect::{
    AdditionalClaims, Audience, EndUserUsername, IdToken, IdTokenClaims, IssuerUrl, JsonWebKeyId, Nonce,
    PrivateSigningKey as _, StandardClaims, SubjectIdentifier,
};
use pointsman_shared::clock::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key of these tests; it opens nothing.
const KEY: &str = include_str!("provider_key.pem");
pub const CLIENT: &str = "pointsman-test";
pub const SECRET: &str = "a secret of the tests";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Groups {
    groups: Vec<String>,
}

impl AdditionalClaims for Groups {}

/// What its next tokens say.
#[derive(Debug, Clone)]
pub struct Says {
    pub subject: String,
    pub username: String,
    pub groups: Vec<String>,
    pub nonce: Option<String>,
    pub audience: String,
    pub key: String,
    pub expires_at: DateTime<Utc>,
    /// When it asked the person last, where it says it.
    pub asked_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Shared {
    says: Says,
    /// Nonce and challenge of each code that was given out.
    codes: HashMap<String, (String, String)>,
}

/// The provider.
pub struct Provider {
    pub issuer: String,
    shared: Arc<Mutex<Shared>>,
}

type At = State<(String, Arc<Mutex<Shared>>)>;

impl Provider {
    pub async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = Says {
            subject: "248289761001".to_owned(),
            username: "Lucy".to_owned(),
            groups: vec!["ops".to_owned()],
            nonce: None,
            audience: CLIENT.to_owned(),
            key: "first".to_owned(),
            expires_at: SystemClock.now() + TimeDelta::minutes(5),
            asked_at: None,
        };
        let shared = Arc::new(Mutex::new(Shared {
            says,
            codes: HashMap::new(),
        }));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state((issuer.clone(), Arc::clone(&shared)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { issuer, shared }
    }

    /// Lines of the section `oidc` for it.
    pub fn section(&self) -> String {
        format!(
            "issuer = {:?}\nclient_id = {CLIENT:?}\nclient_secret = {SECRET:?}\nname = \"the test provider\"\n\
             roles.ops = \"admin\"\nroles.readers = \"viewer\"\nroles.shop = \"shop=maintainer\"",
            self.issuer
        )
    }

    /// Bends what the next tokens say.
    pub fn says(&self, bend: impl FnOnce(&mut Says)) {
        bend(&mut self.shared.lock().unwrap().says);
    }
}

async fn discovery(State((issuer, _)): At) -> Json<Value> {
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

fn key(id: &str) -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(KEY, Some(JsonWebKeyId::new(id.to_owned()))).unwrap()
}

async fn keys() -> Json<CoreJsonWebKeySet> {
    Json(CoreJsonWebKeySet::new(vec![key("first").as_verification_key()]))
}

async fn authorize(
    State((issuer, shared)): At,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Redirect, StatusCode> {
    let right = query["client_id"] == CLIENT
        && query["response_type"] == "code"
        && query["code_challenge_method"] == "S256"
        && query["scope"].split(' ').any(|scope| scope == "openid");
    if !right {
        return Err(StatusCode::BAD_REQUEST);
    }
    let code = format!("code-{}", query["state"]);
    let kept = (query["nonce"].clone(), query["code_challenge"].clone());
    shared.lock().unwrap().codes.insert(code.clone(), kept);
    let mut back: url::Url = query["redirect_uri"].parse().unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &query["state"])
        .append_pair("iss", &issuer);
    Ok(Redirect::to(back.as_str()))
}

async fn token(
    State((issuer, shared)): At,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut shared = shared.lock().unwrap();
    // A code counts once.
    let Some((nonce, challenge)) = shared.codes.remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let known = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
    if headers["authorization"] != format!("Basic {known}") {
        return refused("invalid_client");
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])) != challenge {
        return refused("invalid_grant");
    }
    let says = &shared.says;
    let claims = IdTokenClaims::<Groups, CoreGenderClaim>::new(
        IssuerUrl::new(issuer).unwrap(),
        vec![Audience::new(says.audience.clone())],
        says.expires_at,
        says.expires_at - TimeDelta::minutes(5),
        StandardClaims::new(SubjectIdentifier::new(says.subject.clone()))
            .set_preferred_username(Some(EndUserUsername::new(says.username.clone()))),
        Groups {
            groups: says.groups.clone(),
        },
    )
    .set_auth_time(says.asked_at)
    .set_nonce(Some(Nonce::new(says.nonce.clone().unwrap_or(nonce))));
    let signed = IdToken::<_, _, CoreJweContentEncryptionAlgorithm, _>::new(
        claims,
        &key(&says.key),
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        None,
        None,
    );
    Json(json!({ "access_token": "none", "token_type": "Bearer", "id_token": signed.unwrap() }))
        .into_response()
}

fn refused(code: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": code }))).into_response()
}
