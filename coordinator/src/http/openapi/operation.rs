//! How one operation is described: what it takes and gives, by the types that its handler reads and writes, and what it
//! may be refused with.

use std::borrow::Cow;

use axum::http::Method;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Array, Object, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema as _, ToSchema};

use pointsman_shared::api::Page;

/// A status with the stable code of a problem.
pub(super) type Code = (u16, &'static str);

/// Schemas by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// What a body or an answer is.
#[derive(Clone)]
pub(super) enum Content {
    /// JSON of a type.
    Json(Box<RefOr<Schema>>),
    /// Something else of this media type.
    Other(&'static str),
    /// Nothing.
    None,
}

/// An operation of the API.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: Vec<Parameter>,
    pub(super) body: Option<Content>,
    pub(super) answers: Vec<(u16, Content)>,
    pub(super) codes: Vec<Code>,
    pub(super) schemas: Schemas,
}

pub(super) fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::GET, path, summary)
}

pub(super) fn post(path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::POST, path, summary)
}

pub(super) fn put(path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::PUT, path, summary)
}

pub(super) fn delete(path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::DELETE, path, summary)
}

impl Operation {
    fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            query: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// It reads this query.
    pub(super) fn query<T: IntoParams>(mut self) -> Self {
        self.query = T::into_params(|| Some(ParameterIn::Query));
        self
    }

    /// It takes this as JSON.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Content::Json(Box::new(self.named::<T>())));
        self
    }

    /// It takes JSON of whoever calls.
    pub(super) fn takes_json_bytes(mut self) -> Self {
        self.body = Some(Content::Other("application/json"));
        self
    }

    /// It takes bytes.
    pub(super) fn takes_bytes(mut self) -> Self {
        self.body = Some(Content::Other("application/octet-stream"));
        self
    }

    /// It answers with this as JSON.
    pub(super) fn gives<T: ToSchema>(mut self, status: u16) -> Self {
        let schema = self.named::<T>();
        self.answers.push((status, Content::Json(Box::new(schema))));
        self
    }

    /// It answers with a list of these.
    pub(super) fn gives_all<T: ToSchema>(mut self, status: u16) -> Self {
        let list = Array::new(self.named::<T>());
        self.answers.push((status, Content::Json(Box::new(list.into()))));
        self
    }

    /// It answers with a page of these.
    pub(super) fn gives_page<T: ToSchema>(mut self) -> Self {
        self.named::<T>();
        let name = format!("PageOf{}", T::name());
        self.schemas.push((name.clone(), Page::<T>::schema()));
        let page = Ref::from_schema_name(name);
        self.answers.push((200, Content::Json(Box::new(page.into()))));
        self
    }

    /// It answers with something that is no JSON.
    pub(super) fn gives_other(mut self, status: u16, media: &'static str) -> Self {
        self.answers.push((status, Content::Other(media)));
        self
    }

    /// It answers with a stream of server-sent events that carry these.
    pub(super) fn streams<T: ToSchema>(mut self) -> Self {
        self.named::<T>();
        self.gives_other(200, "text/event-stream")
    }

    /// It answers with nothing but its status.
    pub(super) fn gives_nothing(mut self) -> Self {
        self.answers.push((204, Content::None));
        self
    }

    /// It may be refused with these problems, beside those that all of its kind have.
    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }

    /// A reference to a type's schema, which the document gets with all that it refers to.
    fn named<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name: Cow<'static, str> = T::name();
        self.schemas.push((name.to_string(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }
}

/// Anything at all, such as bytes.
pub(super) fn anything() -> RefOr<Schema> {
    Object::new().into()
}
