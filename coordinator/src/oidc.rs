//! Speaks with the OpenID provider: the authorisation code flow with PKCE, state and nonce. What a token says is believed
//! when its signature, issuer, audience, nonce and time are right, and never otherwise.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::config::OidcSection;

/// How long what a provider says of itself is remembered.
const FRESH: Duration = Duration::from_mins(5);
/// How long a provider that did not answer is not asked again: whoever signs in by it meanwhile is told at once.
const QUIET: Duration = Duration::from_secs(5);
/// Longest wait for a provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer.
const MOST: usize = 1 << 20;
/// How tokens may be signed: with a key that only the provider has.
const SIGNED: [CoreJwsSigningAlgorithm; 6] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Claims beside the standard's: groups stand among them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others {
    #[serde(flatten)]
    claims: HashMap<String, Value>,
}

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Speaker = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a sign-in did not come about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer, or not as a provider.
    #[error("the provider did not answer as it should: {0}")]
    Unavailable(String),
    /// It takes the code back, or gives nothing for it.
    #[error("the provider did not exchange the code: {0}")]
    Exchange(String),
    /// Its token is not to be believed.
    #[error("the provider's token is not valid: {0}")]
    Token(String),
}

/// How far the provider's clock may be off where it says when it asked somebody.
const CLOCKS: TimeDelta = TimeDelta::minutes(1);

/// What a browser keeps between leaving and coming back.
#[derive(Clone, Serialize, Deserialize)]
pub struct Begun {
    /// What the provider must hand back.
    pub state: String,
    /// What its token must hold.
    pub nonce: String,
    /// What proves that who comes back is who left.
    pub verifier: String,
    /// Where to go afterwards.
    pub next: String,
    /// How long ago the provider may have asked them last, in seconds, where that counts.
    #[serde(default)]
    pub max_age_s: Option<u32>,
}

/// Without its secrets.
impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// Who somebody is, as the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The provider.
    pub issuer: String,
    /// The person there; it never changes.
    pub subject: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

/// What a provider said of itself last, or that it said nothing; and when.
type Said = (Instant, Result<CoreProviderMetadata, OidcError>);

/// The provider, with what it last said of itself. One question at a time: others wait for its answer.
#[derive(Debug, Clone, Default)]
pub struct Provider(Arc<Mutex<Option<Said>>>);

impl Provider {
    /// Where to send a browser, and what it keeps meanwhile.
    pub async fn begin(
        &self,
        section: &OidcSection,
        back: &Url,
        (next, max_age_s): (&str, Option<u32>),
    ) -> Result<(Url, Begun), OidcError> {
        let speaker = self.speaker(section, back, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = speaker
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        if let Some(age) = max_age_s {
            request = request.set_max_age(Duration::from_secs(u64::from(age)));
        }
        for scope in &section.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let begun = Begun {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            next: next.to_owned(),
            max_age_s,
        };
        Ok((url, begun))
    }

    /// Who came back with this code.
    pub async fn finish(
        &self,
        section: &OidcSection,
        back: &Url,
        begun: &Begun,
        code: &str,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Known, OidcError> {
        let speaker = self.speaker(section, back, false).await?;
        let http = client(section)?;
        let exchanged = speaker
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()))
            .request_async(&|request| send(http.clone(), request))
            .await
            .map_err(|error| OidcError::Exchange(told(&error)))?;
        let token = exchanged.id_token();
        let token = token.ok_or_else(|| OidcError::Token("it gave no identity token".to_owned()))?;
        let nonce = Nonce::new(begun.nonce.clone());
        let judged = |speaker: &Speaker| {
            let verifier = speaker
                .id_token_verifier()
                .set_allowed_algs(SIGNED)
                .set_time_fn(|| now);
            token.claims(&verifier, &nonce).cloned()
        };
        let mut claims = judged(&speaker);
        if matches!(
            &claims,
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
            ))
        ) {
            // Providers change their keys.
            claims = judged(&self.speaker(section, back, true).await?);
        }
        let claims = claims.map_err(|error| OidcError::Token(told(&error)))?;
        if let Some(age) = begun.max_age_s {
            let since = now - TimeDelta::seconds(i64::from(age)) - CLOCKS;
            if claims.auth_time().is_none_or(|asked| asked < since) {
                let what = "it did not ask you again, or does not say when it did".to_owned();
                return Err(OidcError::Token(what));
            }
        }
        let name = claims.preferred_username().map(|name| name.as_str().to_owned());
        let email = claims.email().map(|email| email.as_str().to_owned());
        Ok(Known {
            issuer: section.issuer.clone(),
            subject: claims.subject().as_str().to_owned(),
            name: name.or(email),
            groups: groups(claims.additional_claims().claims.get(&section.groups_claim)),
        })
    }

    async fn speaker(&self, section: &OidcSection, back: &Url, anew: bool) -> Result<Speaker, OidcError> {
        let metadata = self.metadata(section, anew).await?;
        let secret =
            (!section.client_secret.is_empty()).then(|| ClientSecret::new(section.client_secret.clone()));
        let id = ClientId::new(section.client_id.clone());
        let speaker = Speaker::from_provider_metadata(metadata, id, secret);
        Ok(speaker.set_redirect_uri(RedirectUrl::from_url(back.clone())))
    }

    async fn metadata(&self, section: &OidcSection, anew: bool) -> Result<CoreProviderMetadata, OidcError> {
        let mut known = self.0.lock().await;
        match &*known {
            Some((at, Ok(metadata))) if !anew && at.elapsed() < FRESH => return Ok(metadata.clone()),
            Some((at, Err(error))) if at.elapsed() < QUIET => return Err(error.clone()),
            Some(_) | None => {}
        }
        let said = discover(section).await;
        *known = Some((Instant::now(), said.clone()));
        said
    }
}

/// Asks a provider for what it says of itself.
async fn discover(section: &OidcSection) -> Result<CoreProviderMetadata, OidcError> {
    let unavailable = |error: &dyn std::error::Error| OidcError::Unavailable(told(error));
    let issuer = IssuerUrl::new(section.issuer.clone()).map_err(|error| unavailable(&error))?;
    let http = client(section)?;
    CoreProviderMetadata::discover_async(issuer, &|request| send(http.clone(), request))
        .await
        .map_err(|error| unavailable(&error))
}

/// Groups come as a list, or as one word.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(groups)) => groups
            .iter()
            .filter_map(|group| group.as_str().map(ToOwned::to_owned))
            .collect(),
        Some(Value::String(group)) => vec![group.clone()],
        _ => Vec::new(),
    }
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

fn client(section: &OidcSection) -> Result<reqwest::Client, OidcError> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = &section.ca_file {
        let unreadable =
            |error: &dyn std::fmt::Display| OidcError::Unavailable(format!("oidc.ca_file: {error}"));
        let pem = fs_err::read(file).map_err(|error| unreadable(&error))?;
        let given = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(&error))?;
        for certificate in given {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map_err(|error| OidcError::Unavailable(told(&error)))
}

/// Why a request to the provider came to nothing.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    #[error("its answer is larger than {MOST} bytes")]
    TooLarge,
    #[error("its answer cannot be read: {0}")]
    Unreadable(#[from] axum::http::Error),
}

async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Trouble> {
    let mut response = client.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err(Trouble::TooLarge);
        }
    }
    let mut answer = axum::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    Ok(answer.body(body)?)
}
