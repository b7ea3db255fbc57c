//! Every answer that a test gets is held against the document: its status, its problem's code, and the shape of its JSON.

use std::sync::LazyLock;

use pointsman_coordinator::http::document;
use serde_json::Value;

use crate::people::Answered;

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Panics where the answer is none that the document promises.
pub fn check(method: &str, path: &str, answer: &Answered) {
    let Some(operation) = operation(method, path) else {
        // No route: the router says so in its own words.
        assert!(
            [404, 405].contains(&answer.status),
            "{method} {path} is not described and answers {}",
            answer.status
        );
        return;
    };
    let name = format!("{method} {path} -> {}", answer.status);
    let described = resolved(&operation["responses"][answer.status.to_string()]);
    assert!(described.is_object(), "{name} is not described: {}", answer.body);
    let media = answer
        .headers
        .get("content-type")
        .map(|media| media.to_str().unwrap());
    if media == Some("application/problem+json") {
        let code = answer.body["code"].as_str().unwrap();
        let codes = operation["x-pointsman-codes"][answer.status.to_string()].as_array();
        let is_named = codes.is_some_and(|codes| codes.iter().any(|named| named == code));
        assert!(is_named, "{name}: the code {code} is not named");
    }
    if let (Some(media), Value::Object(_) | Value::Array(_)) = (media, &answer.body) {
        let schema = &described["content"][media]["schema"];
        assert!(schema.is_object(), "{name} is not described as {media}");
        if let Err(why) = fits(&answer.body, schema) {
            panic!("{name} does not fit its schema: {why}\n{}", answer.body);
        }
    }
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        let mut pairs = parts.iter().zip(&asked);
        parts.len() == asked.len() && pairs.all(|(part, asked)| part.starts_with('{') || part == asked)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    // A path that is written out goes before one with a placeholder.
    let exact = paths.get(path);
    let by_template = || {
        paths
            .iter()
            .find(|(template, _)| fits(template))
            .map(|(_, item)| item)
    };
    exact.or_else(by_template)?.get(method.to_ascii_lowercase())
}

/// What a reference leads to, or the thing itself.
fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Whether a value has the shape; unknown fields do not.
fn fits(value: &Value, schema: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = DOCUMENT.pointer(reference.trim_start_matches('#'));
        return fits(value, found.unwrap()).map_err(|why| format!("{reference}: {why}"));
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[several].as_array() {
            let whys: Vec<_> = schemas.iter().map(|schema| fits(value, schema)).collect();
            if whys.iter().all(Result::is_err) {
                return Err(format!("none of {several}: {whys:?}"));
            }
        }
    }
    for schema in schema["allOf"].as_array().into_iter().flatten() {
        fits(value, schema)?;
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if !types.is_empty() && !types.contains(&type_of(value)) {
        return Err(format!("{value} is not {types:?}"));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|values| !values.contains(value))
    {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    match value {
        Value::Object(fields) => object_fits(fields, schema),
        Value::Array(items) if schema["items"].is_object() => {
            items.iter().try_for_each(|item| fits(item, &schema["items"]))
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn object_fits(fields: &serde_json::Map<String, Value>, schema: &Value) -> Result<(), String> {
    for required in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(required) {
            return Err(format!("{required} is missing"));
        }
    }
    let properties = schema["properties"].as_object();
    for (name, value) in fields {
        let own = properties.and_then(|properties| properties.get(name));
        match own.or(schema.get("additionalProperties")) {
            Some(schema) if schema.is_object() => {
                fits(value, schema).map_err(|why| format!("{name}: {why}"))?;
            }
            None if properties.is_some() => return Err(format!("{name} is not described")),
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
