//! The sections of a recipe, each with its keys, defaults and rules.

use std::time::Duration;

use pointsman_shared::recipe::{Argv, BuildRecipe, HealthCheck, Hooks, Probe, SharedPath};
use pointsman_shared::wire::job::MigrationRunner;
use toml::de::DeTable;

use super::section::{Placed, Section, Source};
use super::{Migrations, PostMigrations, PostStart, Recipe, RecipeError, rules};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

pub(super) fn recipe(source: &Source<'_>, table: &DeTable<'_>) -> Result<Recipe, RecipeError> {
    let top = Section::new(*source, "", table, 0);
    let recipe = Recipe {
        build: top.section("build")?.map(|section| build(&section)).transpose()?,
        shared: top
            .section("release")?
            .map(|section| release(&section))
            .transpose()?
            .unwrap_or_default(),
        migrations: top
            .section("migrations")?
            .map(|section| migrations(&section))
            .transpose()?
            .unwrap_or_default(),
        hooks: top
            .section("activate")?
            .map(|section| activate(&section))
            .transpose()?
            .unwrap_or_default(),
        health: top
            .section("health")?
            .map(|section| health(&section))
            .transpose()?,
    };
    top.finish()?;
    Ok(recipe)
}

fn build(section: &Section<'_>) -> Result<BuildRecipe, RecipeError> {
    let source = section.source();
    let steps = section.texts("steps")?;
    if let Some(step) = steps
        .iter()
        .find(|step| step.value.trim().is_empty() || step.value.contains('\0'))
    {
        return Err(source.error(step.at, "a build step is empty", "remove it, or write a command"));
    }
    let paths = |key| {
        section
            .texts(key)?
            .iter()
            .map(|text| rules::path(source, text))
            .collect::<Result<_, _>>()
    };
    let recipe = BuildRecipe {
        steps: steps.into_iter().map(|step| step.value.to_owned()).collect(),
        cache: paths("cache")?,
        cache_key: paths("cache_key")?,
        include: section
            .texts("include")?
            .iter()
            .map(|text| rules::glob(source, text))
            .collect::<Result<_, _>>()?,
        timeout_s: duration(section, "timeout", 30 * MINUTE, Duration::from_secs(1), DAY)?.as_secs(),
        silence_timeout_s: duration(
            section,
            "silence_timeout",
            10 * MINUTE,
            Duration::from_secs(1),
            DAY,
        )?
        .as_secs(),
        submodules: section.switch("submodules")?.unwrap_or(false),
    };
    section.finish()?;
    Ok(recipe)
}

fn release(section: &Section<'_>) -> Result<Vec<SharedPath>, RecipeError> {
    let source = section.source();
    let mut shared: Vec<SharedPath> = Vec::new();
    for text in section.texts("shared")? {
        let path = rules::path(source, &text)?;
        let below = |path: &str, folder: &str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(other) = shared
            .iter()
            .find(|other| below(&path, &other.path) || below(&other.path, &path))
        {
            let what = format!("the shared path {path:?} meets {:?}", other.path);
            return Err(source.error(text.at, what, "keep the wider of the two"));
        }
        shared.push(SharedPath {
            path,
            folder: text.value.ends_with('/'),
        });
    }
    section.finish()?;
    shared.sort();
    Ok(shared)
}

fn activate(section: &Section<'_>) -> Result<Hooks, RecipeError> {
    let argvs = |key| -> Result<Vec<Argv>, RecipeError> {
        section
            .argvs(key)?
            .into_iter()
            .map(|argv| checked(section, argv))
            .collect()
    };
    let hooks = Hooks {
        before: argvs("before")?,
        after: argvs("after")?,
        timeout_s: duration(section, "timeout", 2 * MINUTE, Duration::from_secs(1), DAY)?.as_secs(),
    };
    section.finish()?;
    Ok(hooks)
}

fn checked(section: &Section<'_>, argv: Placed<Argv>) -> Result<Argv, RecipeError> {
    for word in &argv.value {
        rules::variables(section.source(), word, argv.at)?;
    }
    Ok(argv.value)
}

fn health(section: &Section<'_>) -> Result<HealthCheck, RecipeError> {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (short, second) = (Duration::from_millis(10), Duration::from_secs(1));
    let check = HealthCheck {
        probe: probe(section)?,
        passes: section.count("passes", 100)?.unwrap_or(3),
        interval_ms: ms(duration(section, "interval", second, short, 10 * MINUTE)?),
        deadline_ms: ms(duration(section, "deadline", 2 * MINUTE, 10 * short, DAY)?),
        asserts_release: section.switch("asserts_release")?.unwrap_or(true),
    };
    section.finish()?;
    let least = check
        .interval_ms
        .saturating_mul(u64::from(check.passes.saturating_sub(1)));
    if least < check.deadline_ms {
        return Ok(check);
    }
    let what = format!(
        "{} passes every {} ms do not fit into the deadline of {} ms",
        check.passes, check.interval_ms, check.deadline_ms
    );
    Err(section.source().error(
        section.at(),
        what,
        "raise `deadline`, or lower `passes` or `interval`",
    ))
}

fn probe(section: &Section<'_>) -> Result<Probe, RecipeError> {
    let source = section.source();
    match (section.text("http")?, section.argv("command")?) {
        (Some(url), None) => {
            rules::variables(source, url.value, url.at)?;
            if ["http://", "https://", "${"]
                .iter()
                .any(|start| url.value.starts_with(start))
            {
                return Ok(Probe::Http {
                    url: url.value.to_owned(),
                });
            }
            let what = format!("{:?} is no address", url.value);
            Err(source.error(url.at, what, "write it as \"http://127.0.0.1:${PORT}/healthz\""))
        }
        (None, Some(argv)) => Ok(Probe::Command {
            argv: checked(section, argv)?,
        }),
        (Some(_), Some(_)) => Err(source.error(
            section.at(),
            "[health] has both `http` and `command`",
            "keep one of them",
        )),
        (None, None) => {
            section.finish_known(&[
                "http",
                "command",
                "passes",
                "interval",
                "deadline",
                "asserts_release",
            ])?;
            Err(source.error(section.at(), "[health] asks nothing", "add `http` or `command`"))
        }
    }
}

fn migrations(section: &Section<'_>) -> Result<Migrations, RecipeError> {
    let pre = section.section("pre")?;
    let pre = pre
        .map(|section| {
            let runner = runner(&section)?;
            section.finish()?;
            Ok(runner)
        })
        .transpose()?;
    let post = section
        .section("post")?
        .map(|section| post(&section))
        .transpose()?;
    section.finish()?;
    Ok(Migrations { pre, post })
}

fn post(section: &Section<'_>) -> Result<PostMigrations, RecipeError> {
    let source = section.source();
    let start = match section.text("start")? {
        None => PostStart::Manual,
        Some(text) => match text.value {
            "manual" => PostStart::Manual,
            "auto" => PostStart::Auto,
            other => {
                let what = format!("`start` is {other:?}");
                return Err(source.error(text.at, what, "write \"manual\" or \"auto\""));
            }
        },
    };
    let after = duration(section, "after", 7 * DAY, Duration::ZERO, 365 * DAY)?;
    let runner = runner(section)?;
    section.finish()?;
    Ok(PostMigrations {
        runner,
        after_s: after.as_secs(),
        start,
    })
}

fn runner(section: &Section<'_>) -> Result<MigrationRunner, RecipeError> {
    let source = section.source();
    let (sql, url) = (section.text("sql")?, section.text("database_url")?);
    let (list, apply, revert) = (
        section.argv("list")?,
        section.argv("apply")?,
        section.argv("revert")?,
    );
    let checked = |argv| checked(section, argv);
    match (sql, url, list, apply) {
        (Some(folder), Some(url), None, None) if revert.is_none() => {
            rules::variables(source, url.value, url.at)?;
            Ok(MigrationRunner::Sql {
                folder: rules::path(source, &folder)?,
                database_url: url.value.to_owned(),
            })
        }
        (None, None, Some(list), Some(apply)) => Ok(MigrationRunner::Commands {
            list: checked(list)?,
            apply: checked(apply)?,
            revert: revert.map(checked).transpose()?,
        }),
        _ => {
            section.finish_known(&["sql", "database_url", "list", "apply", "revert", "after", "start"])?;
            let what = "migrations need either `sql` and `database_url`, or `list` and `apply`";
            Err(source.error(
                section.at(),
                what,
                "write sql = \"db/pre\" and database_url = \"${DATABASE_URL}\"",
            ))
        }
    }
}

fn duration(
    section: &Section<'_>,
    key: &'static str,
    default: Duration,
    least: Duration,
    most: Duration,
) -> Result<Duration, RecipeError> {
    section.text(key)?.map_or(Ok(default), |text| {
        rules::duration(section.source(), &text, least, most)
    })
}
