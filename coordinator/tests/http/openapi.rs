//! The OpenAPI document is complete, pinned, and names every refusal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pointsman_coordinator::http::{Access, document, routes, unmatched};
use reqwest::Method;
use serde_json::{Value, json};

use crate::contract::DOCUMENT;
use crate::people::read;
use crate::world::World;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    assert!(unmatched().is_empty(), "{:?}", unmatched());
    let mut drawn = 0;
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            let route = routes()
                .into_iter()
                .find(|route| route.path == path && route.method.as_str().eq_ignore_ascii_case(method))
                .unwrap_or_else(|| panic!("{name} is no route"));
            let right = match route.access {
                Access::Open => json!("everybody"),
                Access::Agent => json!("agents"),
                Access::Forge => json!("forges"),
                Access::May(action) => {
                    json!({ "action": action.as_str(), "role": action.least_role(), "about": route.reach.as_str() })
                }
                Access::Page(_) | Access::Press(_) => panic!("{name} is a page among the API's routes"),
                Access::Does(action, name) => {
                    json!({ "action": action.as_str(), "role": action.least_role(), "audited_as": name, "about": route.reach.as_str() })
                }
            };
            assert_eq!(operation["x-pointsman-right"], right, "{name}");
            assert!(operation["x-pointsman-codes"].is_object(), "{name}");
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|summary| !summary.is_empty()),
                "{name}"
            );
            drawn += 1;
        }
    }
    assert_eq!(drawn, routes().len());
}

#[test]
fn the_document_is_the_one_in_the_repository() {
    let text = format!("{:#}\n", document());
    let kept = fs_err::read_to_string(here("openapi.json")).unwrap_or_default();
    assert!(
        text == kept,
        "the API's document changed; look at what differs, then renew it:\n    \
         pointsman-coordinator openapi > coordinator/openapi.json"
    );
}

/// Every reference in the document.
fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                into.insert(reference.to_owned());
            }
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut all = BTreeSet::new();
    references(&DOCUMENT, &mut all);
    assert!(all.len() > 50, "{all:?}");
    for reference in all {
        let pointer = reference.trim_start_matches('#');
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Codes that the sources refuse with: the first text in each call that makes a refusal or a problem.
fn codes_in(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            // The document itself says nothing new, and messages of agents are no requests.
            if !["openapi", "broker", "tests"].contains(&name.as_str()) {
                codes_in(&path, into);
            }
            continue;
        }
        let text = fs_err::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in [
            "Refusal::invalid(",
            "Refusal::not_found(",
            "Refusal::conflict(",
            "Refusal::new(",
            "Problem::new(",
            "Failed::unread(",
            "forbidden(",
            "refuse(",
            "unknown(",
        ] {
            for rest in text.split(call).skip(1) {
                let arguments: String = rest.chars().take(160).collect();
                let quoted = arguments.split('"').nth(1).unwrap_or_default();
                let is_code =
                    quoted.contains('_') && quoted.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                // A call whose first text is no code has it elsewhere.
                into.extend(is_code.then(|| quoted.to_owned()));
            }
        }
    }
}

#[test]
fn every_code_that_the_sources_refuse_with_is_in_the_document() {
    let mut named = BTreeSet::new();
    for operations in DOCUMENT["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            for codes in operation["x-pointsman-codes"].as_object().unwrap().values() {
                let codes = codes.as_array().unwrap().iter();
                named.extend(codes.map(|code| code.as_str().unwrap().to_owned()));
            }
        }
    }
    let mut refused = BTreeSet::new();
    for folder in ["src/http", "src/operations", "src", "domain/src"] {
        codes_in(&here(folder), &mut refused);
    }
    assert!(refused.len() > 80, "{refused:?}");
    // Any path may answer with these, as the document says in its description.
    // The last one is told nobody: a push that meets it is judged again.
    for of_any_path in ["unknown_route", "method_not_allowed", "target_changed"] {
        refused.remove(of_any_path);
    }
    // Pages tell these to people; no client of the API meets them.
    for of_pages in [
        "invalid_email",
        "invalid_form",
        "invalid_moment",
        "invalid_state",
        "invalid_wish",
        "no_text",
        "no_role",
        "other_origin",
        "passwords_differ",
        "provider_refused",
        "provider_unavailable",
        "sign_in_expired",
        "signed_out",
        "token_refused",
        "too_many_attempts",
        "unknown_asset",
        "unproven",
        "void_invitation",
        "weak_password",
        "wrong_credentials",
    ] {
        refused.remove(of_pages);
    }
    let missing: Vec<_> = refused.difference(&named).collect();
    assert!(missing.is_empty(), "no operation names {missing:?}");
}

#[tokio::test]
async fn everybody_may_read_it() {
    let world = World::new().await;
    let told = read(world.anonymous().api(Method::GET, "openapi.json"))
        .await
        .expect(200);
    assert_eq!(told, *DOCUMENT);
    assert_eq!(told["openapi"], "3.1.0");
}
