//! The OpenAPI document: routes with their rights from the router, descriptions from [`paths`], schemas from the types
//! that handlers read and write. It describes this program and no installation, so everybody may read it.
//!
//! A test keeps it equal to `coordinator/openapi.json`, and names what a route or a refusal lacks in it.

mod operation;
mod paths;
mod problems;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use pointsman_shared::api::{IDEMPOTENCY_KEY, Problem, problem};
use pointsman_shared::wire::request;
use serde_json::json;
use utoipa::ToSchema as _;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required, Server,
};

use super::guard::Access;
use super::reach::Reach;
use super::router::{Route, routes};
use operation::{Code, Content, Operation};

/// Name of the way in with a token.
const TOKEN: &str = "token";
/// Name of the way in of agents.
const AGENT: &str = "agent";
/// Name of the way in of forges.
const FORGE: &str = "webhook";
/// Key under which an operation says who may use it.
const RIGHT: &str = "x-pointsman-right";
/// Key under which an operation lists the stable codes of its problems, by status.
const CODES: &str = "x-pointsman-codes";

const ABOUT: &str = "What dashboard, CLI and scripts use, version 1. Readers ignore unknown fields of answers; requests \
with unknown fields are refused. Lists come in pages: pass `next` as `cursor`. Errors are `application/problem+json` with \
a stable `code`; each operation lists its codes under `x-pointsman-codes`, and beside those any path may answer 404 \
`unknown_route` and 405 `method_not_allowed`. Changes can be repeated safely with an `idempotency-key`. A `traceparent` \
is carried into everything that a request causes.";

/// The document, with its keys in order, so that it is the same wherever it is written.
pub fn document() -> serde_json::Value {
    // All its keys are texts: it always has a JSON form, and a test reads all of it.
    let mut document = serde_json::to_value(assembled()).unwrap_or_default();
    document.sort_all_objects();
    document
}

fn assembled() -> OpenApi {
    let described = paths::all();
    let mut document = Paths::new();
    let mut schemas = BTreeMap::from([(
        Problem::name().to_string(),
        <Problem as utoipa::PartialSchema>::schema(),
    )]);
    for route in routes() {
        let of_route = described
            .iter()
            .find(|operation| operation.method == route.method && operation.path == route.path);
        let Some(operation) = of_route else { continue };
        schemas.extend(operation.schemas.iter().cloned());
        document.add_path_operation(route.path, vec![method(&route)], drawn(&route, operation));
    }
    let info = InfoBuilder::new()
        .title("Pointsman")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    let components = schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, schema)
        })
        .response(Problem::name(), refusal())
        .security_scheme(TOKEN, token())
        .security_scheme(AGENT, signature())
        .security_scheme(FORGE, forge());
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([Server::new("/")]))
        .paths(document)
        .components(Some(components.build()))
        .build()
}

/// What routes and descriptions do not have in common: each must be described, and nothing else.
pub fn unmatched() -> Vec<String> {
    let name = |method: &axum::http::Method, path: &str| format!("{method} {path}");
    let routed: BTreeSet<_> = routes()
        .iter()
        .map(|route| name(&route.method, route.path))
        .collect();
    let described: BTreeSet<_> = paths::all()
        .iter()
        .map(|operation| name(&operation.method, operation.path))
        .collect();
    routed.symmetric_difference(&described).cloned().collect()
}

/// `GET /api/v1/openapi.json`
pub(super) async fn show() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}

fn token() -> SecurityScheme {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("pmn_<id>_<secret>");
    SecurityScheme::Http(
        token
            .description(Some("An API token; `pointsman token create` makes one."))
            .build(),
    )
}

fn signature() -> SecurityScheme {
    let about = "An agent's ed25519 signature over method, path, body digest, host, instance, job, epoch and time, which \
                 travel in the other `pointsman-` headers.";
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        request::SIGNATURE,
        about,
    )))
}

fn forge() -> SecurityScheme {
    let about = "The forge's signature over the body with the webhook's secret, in the forge's own header: \
                 `x-hub-signature-256`, `x-gitea-signature`, `x-gitlab-token` or, by the Standard Webhooks, this one.";
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "webhook-signature",
        about,
    )))
}

/// What every refusal looks like.
fn refusal() -> ResponseBuilder {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
    ResponseBuilder::new()
        .description("it is refused; the operation's list of codes says why")
        .content(problem::MEDIA_TYPE, problem.build())
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn drawn(route: &Route, described: &Operation) -> OperationBuilder {
    let mut operation = OperationBuilder::new().summary(Some(described.summary));
    for name in places(route.path) {
        operation = operation.parameter(place(name));
    }
    for parameter in &described.query {
        operation = operation.parameter(parameter.clone());
    }
    if let Access::Does(..) = route.access {
        operation = operation.parameter(idempotency_key());
    }
    if let Some(body) = &described.body {
        let body = content(body).map(|(media, content)| RequestBodyBuilder::new().content(media, content));
        operation = operation.request_body(body.map(|body| body.required(Some(Required::True)).build()));
    }
    for (status, answer) in &described.answers {
        let mut response = ResponseBuilder::new().description(reason(*status));
        if let Some((media, content)) = content(answer) {
            response = response.content(media, content);
        }
        operation = operation.response(status.to_string(), response);
    }
    let codes = by_status(codes(route, described));
    for status in codes.keys() {
        // The status of an answer that is no problem, such as that of a coordinator that is not ready, keeps its own.
        if described.answers.iter().any(|(answer, _)| answer == status) {
            continue;
        }
        operation = operation.response(status.to_string(), Ref::from_response_name(Problem::name()));
    }
    let codes = codes
        .into_iter()
        .map(|(status, codes)| (status.to_string(), codes));
    let codes: BTreeMap<_, _> = codes.collect();
    let extensions = ExtensionsBuilder::new()
        .add(RIGHT, right(route.access, route.reach))
        .add(CODES, json!(codes));
    secured(operation, route.access).extensions(Some(extensions.build()))
}

fn secured(operation: OperationBuilder, access: Access) -> OperationBuilder {
    let needs = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    match access {
        // Pages are no part of the API.
        Access::Open | Access::Page(_) | Access::Press(_) => operation,
        Access::May(_) | Access::Does(..) => operation.security(needs(TOKEN)),
        Access::Agent => operation.security(needs(AGENT)),
        Access::Forge => operation.security(needs(FORGE)),
    }
}

fn right(access: Access, reach: Reach) -> serde_json::Value {
    let allowed = |action: pointsman_domain::Action| json!({ "action": action.as_str(), "role": action.least_role(), "about": reach.as_str() });
    match access {
        Access::Open => json!("everybody"),
        Access::Agent => json!("agents"),
        Access::Forge => json!("forges"),
        Access::May(action) | Access::Page(action) | Access::Press(action) => allowed(action),
        Access::Does(action, name) => {
            let mut right = allowed(action);
            right["audited_as"] = json!(name);
            right
        }
    }
}

/// Every code that an operation may answer with: its own, and those of its kind.
fn codes(route: &Route, described: &Operation) -> Vec<Code> {
    let mut codes = described.codes.clone();
    let mut add = |applies: bool, more: &[Code]| {
        if applies {
            codes.extend_from_slice(more);
        }
    };
    let api = route.path.starts_with("/api/") || route.path == "/metrics";
    add(api && route.access != Access::Open, problems::DATABASE);
    add(route.path == "/", problems::DATABASE);
    add(
        matches!(route.access, Access::May(_) | Access::Does(..)),
        problems::TOKEN,
    );
    add(matches!(route.access, Access::Does(..)), problems::REPEATABLE);
    add(matches!(described.body, Some(Content::Json(_))), problems::BODY);
    add(!described.query.is_empty(), problems::QUERY);
    let cursor = described.query.iter().any(|parameter| parameter.name == "cursor");
    add(cursor, problems::CURSOR);
    add(route.path.contains('{'), problems::PATH);
    codes
}

fn by_status(codes: Vec<Code>) -> BTreeMap<u16, Vec<&'static str>> {
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for (status, code) in BTreeSet::from_iter(codes) {
        by_status.entry(status).or_default().push(code);
    }
    by_status
}

fn content(content: &Content) -> Option<(&'static str, utoipa::openapi::Content)> {
    let (media, schema) = match content {
        Content::Json(schema) => ("application/json", (**schema).clone()),
        Content::Other(media) => (*media, operation::anything()),
        Content::None => return None,
    };
    Some((media, ContentBuilder::new().schema(Some(schema)).build()))
}

/// The names in a path's placeholders.
fn places(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn place(name: &'static str) -> ParameterBuilder {
    let kind = if ["number", "revision"].contains(&name) {
        Type::Integer
    } else {
        Type::String
    };
    let schema: RefOr<_> = ObjectBuilder::new().schema_type(kind).build().into();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
}

fn idempotency_key() -> ParameterBuilder {
    let schema: RefOr<_> = ObjectBuilder::new().schema_type(Type::String).build().into();
    ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key and body give the same answer for 24 hours"))
        .schema(Some(schema))
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "it is so",
        201 => "it is made",
        202 => "it is wished, and goes on",
        204 => "it is done",
        206 => "the rest of it",
        _ => "it is not so",
    }
}
