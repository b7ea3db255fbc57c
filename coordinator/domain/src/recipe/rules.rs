//! What a value of a recipe must look like beyond its type: durations, paths, globs, `${NAME}`.

use std::time::Duration;

use globset::GlobBuilder;
use pointsman_shared::name::VariableName;

use super::RecipeError;
use super::section::{Placed, Source};

/// Longest path in a recipe, in bytes.
const MAX_PATH: usize = 1024;

/// A duration such as `30m`, between `least` and `most`.
pub(super) fn duration(
    source: &Source<'_>,
    text: &Placed<&str>,
    least: Duration,
    most: Duration,
) -> Result<Duration, RecipeError> {
    let span = |duration| humantime::format_duration(duration).to_string();
    let remedy = || {
        format!(
            "write one from {} to {}, such as \"90s\" or \"30m\"",
            span(least),
            span(most)
        )
    };
    let parsed = humantime::parse_duration(text.value).map_err(|error| {
        source.error(
            text.at,
            format!("{:?} is no duration: {error}", text.value),
            remedy(),
        )
    })?;
    if (least..=most).contains(&parsed) {
        return Ok(parsed);
    }
    Err(source.error(
        text.at,
        format!("the duration {:?} is out of range", text.value),
        remedy(),
    ))
}

/// A path below the top of the tree, without its closing slash.
pub(super) fn path(source: &Source<'_>, text: &Placed<&str>) -> Result<String, RecipeError> {
    let plain = text.value.strip_prefix("./").unwrap_or(text.value);
    let plain = plain.strip_suffix('/').unwrap_or(plain);
    let fault = if plain.is_empty() || plain == "." {
        Some("names nothing below the top")
    } else if plain.starts_with('/') {
        Some("is absolute")
    } else if plain.len() > MAX_PATH {
        Some("is too long")
    } else if plain.chars().any(char::is_control) {
        Some("has a control character")
    } else if plain
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        Some("has an empty part, `.` or `..`")
    } else if plain.split('/').next() == Some(".git") {
        Some("lies in `.git`")
    } else {
        None
    };
    match fault {
        None => Ok(plain.to_owned()),
        Some(fault) => {
            let what = format!("the path {:?} {fault}", text.value);
            Err(source.error(
                text.at,
                what,
                "write a plain path inside the project such as \"storage/cache\"",
            ))
        }
    }
}

/// A glob such as `dist/**`.
pub(super) fn glob(source: &Source<'_>, text: &Placed<&str>) -> Result<String, RecipeError> {
    let plain = path(source, text)?;
    GlobBuilder::new(&plain)
        .literal_separator(true)
        .build()
        .map_err(|error| {
            let what = format!("{:?} is no pattern: {}", text.value, error.kind());
            source.error(text.at, what, "write patterns such as \"dist/**\" or \"*.html\"")
        })?;
    Ok(text.value.to_owned())
}

/// Every `${` begins a variable's name and ends with `}`.
pub(super) fn variables(source: &Source<'_>, text: &str, at: usize) -> Result<(), RecipeError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        rest = match after.split_once('}') {
            Some((name, rest)) if name.parse::<VariableName>().is_ok() => rest,
            Some(_) | None => {
                let what = format!("{text:?} holds `${{` without a variable's name and `}}`");
                return Err(source.error(at, what, "write variables as ${NAME}, in capitals"));
            }
        };
    }
    Ok(())
}
