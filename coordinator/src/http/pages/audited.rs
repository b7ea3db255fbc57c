//! Where the object of an act has a page. What acts are called and what they are about is the operations' own matter; an
//! object that is of no kind known here stays text.

use pointsman_shared::name::{HostId, ProjectName, TargetName};

/// The page of an object, by the action that was done to it.
pub(super) fn page_of(action: &str, object: &str) -> Option<String> {
    if object.parse::<TargetName>().is_ok() {
        return Some(format!("/t/{object}"));
    }
    let (kind, rest) = object.split_once(' ').unwrap_or(("", object));
    let number = || rest.strip_prefix('#')?.parse::<i64>().ok();
    match kind {
        "deployment" => return Some(format!("/d/{}", number()?)),
        "job" => return Some(format!("/jobs/{}", number()?)),
        // One that was invited has no page before it joined.
        "host" if matches!(action, "host.join" | "host.pause" | "host.resume") => {
            return rest.parse::<HostId>().ok().map(|host| format!("/h/{host}"));
        }
        "delivery" => {
            return rest
                .parse::<i64>()
                .ok()
                .map(|number| format!("/settings/deliveries/{number}"));
        }
        _ => {}
    }
    let kind_of_act = action.split('.').next().unwrap_or_default();
    match kind_of_act {
        "project" | "repository" => of_project(object, ""),
        "recipe" => of_project(object, "/recipe"),
        "release" => release(object),
        "deploy_key" => object
            .parse::<ProjectName>()
            .ok()
            .map(|name| format!("/settings/projects/{name}")),
        "schedule" => object
            .parse::<ProjectName>()
            .ok()
            .map(|name| format!("/gc?project={name}")),
        "account" | "session" => Some("/settings/accounts".to_owned()),
        "token" => Some("/settings/tokens".to_owned()),
        "channel" | "rule" => Some("/settings/channels".to_owned()),
        "webhook" | "push" => Some("/settings/webhooks".to_owned()),
        "variable" => Some("/settings/variables".to_owned()),
        "environment" => Some("/settings/environments".to_owned()),
        "cause" => Some("/settings/causes".to_owned()),
        "stop" => Some("/locks".to_owned()),
        _ => None,
    }
}

fn of_project(object: &str, below: &str) -> Option<String> {
    let name = object.parse::<ProjectName>().ok()?;
    Some(format!("/p/{name}{below}"))
}

/// `shop`, whose release was asked for; `shop 1.9.1`, as somebody named it.
fn release(object: &str) -> Option<String> {
    let Some((project, spec)) = object.split_once(' ') else {
        return of_project(object, "");
    };
    let project = project.parse::<ProjectName>().ok()?;
    let spec: String = url::form_urlencoded::byte_serialize(spec.as_bytes()).collect();
    // A plus would stay a plus in a path.
    Some(format!("/r/{project}/{}", spec.replace('+', "%20")))
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn an_object_leads_to_its_page_where_it_has_one() {
        for (action, object, page) in [
            ("target.lock", "shop@production", Some("/t/shop@production")),
            (
                "deployment.request",
                "shop@production",
                Some("/t/shop@production"),
            ),
            ("deployment.cancel", "deployment #12", Some("/d/12")),
            ("job.cancel", "job #812", Some("/jobs/812")),
            ("host.pause", "host web-1", Some("/h/web-1")),
            ("host.invite", "host web-1", None),
            ("project.create", "shop", Some("/p/shop")),
            ("recipe.write", "shop", Some("/p/shop/recipe")),
            ("release.request", "shop", Some("/p/shop")),
            ("release.mark", "shop 1.9.1+2", Some("/r/shop/1.9.1%2B2")),
            ("release.pin", "shop #7", Some("/r/shop/%237")),
            ("deploy_key.set", "shop", Some("/settings/projects/shop")),
            ("garbage.collect", "everything", None),
            ("project.create", "Shop <x>", None),
            ("session.begin", "account lucy", Some("/settings/accounts")),
        ] {
            assert_eq!(page_of(action, object).as_deref(), page, "{action} {object}");
        }
    }
}
