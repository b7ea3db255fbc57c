//! Projects, environments, targets, variables, releases, and the document that describes them together.

use pointsman_shared::api::deploy_keys::{DeployKey, MakeDeployKey, SetDeployKey};
use pointsman_shared::api::files::{ReleaseDiff, ReleaseFile, TextChange};
use pointsman_shared::api::garbage::PinRequest;
use pointsman_shared::api::projects::{
    Applied, Document, Environment, NewEnvironment, NewProject, NewTarget, Project, Target, Tickets,
    Variable, VariableRef,
};
use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, UseRecipe};
use pointsman_shared::api::refs::{BranchCommits, RepositoryRefs};
use pointsman_shared::api::releases::{NewMark, NewRelease, Release};

use super::super::operation::{Operation, delete, get, post, put};
use super::super::problems::{
    CURSOR, DEAD_RELEASE, HOST, LOCKED, MIRROR, PROJECT, PROJECT_RULES, REASON, RELEASE, REPOSITORY, TARGET,
    TARGET_RULES, VARIABLE,
};
use crate::http::files::{DiffQuery, FilesQuery, TextQuery};
use crate::http::paging::PageQuery;
use crate::http::refs::BranchQuery;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = settings();
    all.extend(repository());
    all.extend(variables());
    all.extend(recipes());
    all.extend(deploy_keys());
    all.extend(targets());
    all.extend(releases());
    all.extend(contents());
    all
}

fn settings() -> Vec<Operation> {
    vec![
        get("/api/v1/projects", "Projects, by name")
            .query::<PageQuery>()
            .gives_page::<Project>(),
        post("/api/v1/projects", "Create a project")
            .takes::<NewProject>()
            .gives::<Project>(201)
            .refuses(&[(409, "project_exists")])
            .refuses(PROJECT_RULES),
        get("/api/v1/projects/{project}", "A project")
            .gives::<Project>(200)
            .refuses(PROJECT),
        put(
            "/api/v1/projects/{project}/tickets",
            "Say how a project's commits name tickets, and where those are",
        )
        .takes::<Tickets>()
        .gives::<Project>(200)
        .refuses(PROJECT)
        .refuses(&[(422, "invalid_tickets")]),
        delete(
            "/api/v1/projects/{project}/tickets",
            "Link no tickets of a project any more",
        )
        .gives::<Project>(200)
        .refuses(PROJECT),
        get("/api/v1/environments", "Environments, in the order of promotion")
            .query::<PageQuery>()
            .gives_page::<Environment>(),
        post("/api/v1/environments", "Create an environment")
            .takes::<NewEnvironment>()
            .gives::<Environment>(201)
            .refuses(&[(409, "environment_exists")]),
        put(
            "/api/v1/apply",
            "Create or change what a document describes: all of it or nothing",
        )
        .takes::<Document>()
        .gives::<Applied>(200)
        .refuses(VARIABLE)
        .refuses(PROJECT)
        .refuses(PROJECT_RULES)
        .refuses(TARGET)
        .refuses(TARGET_RULES)
        .refuses(HOST),
    ]
}

/// What the coordinator knows of a project's repository.
fn repository() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/projects/{project}/refs",
            "Branches and tags of a project as last fetched, newest commit first, and how far each is built",
        )
        .gives::<RepositoryRefs>(200)
        .refuses(PROJECT)
        .refuses(MIRROR),
        get(
            "/api/v1/projects/{project}/commits",
            "The newest commits of a branch that are not built, as last fetched",
        )
        .query::<BranchQuery>()
        .gives::<BranchCommits>(200)
        .refuses(&[(404, "unknown_ref")])
        .refuses(PROJECT)
        .refuses(MIRROR),
        post(
            "/api/v1/projects/{project}/fetch",
            "Fetch the branches and tags of a project now",
        )
        .gives::<RepositoryRefs>(200)
        .refuses(PROJECT)
        .refuses(MIRROR),
    ]
}

fn variables() -> Vec<Operation> {
    vec![
        get("/api/v1/variables", "Variables; the value of a secret is empty")
            .query::<PageQuery>()
            .gives_page::<Variable>(),
        put("/api/v1/variables", "Set a variable")
            .takes::<Variable>()
            .gives_nothing()
            .refuses(VARIABLE)
            .refuses(PROJECT)
            .refuses(TARGET)
            .refuses(HOST),
        delete("/api/v1/variables", "Remove a variable")
            .takes::<VariableRef>()
            .gives_nothing()
            .refuses(&[(404, "unknown_variable")]),
    ]
}

fn recipes() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/projects/{project}/recipe",
            "What counts as a project's recipe, and the newest that is kept",
        )
        .gives::<Recipe>(200)
        .refuses(PROJECT),
        put(
            "/api/v1/projects/{project}/recipe",
            "Keep a new revision of a project's recipe",
        )
        .takes::<NewRecipe>()
        .gives::<Recipe>(200)
        .refuses(&[
            (409, "recipe_changed"),
            (422, "invalid_reason"),
            (422, "invalid_recipe"),
        ])
        .refuses(PROJECT),
        put(
            "/api/v1/projects/{project}/recipe/source",
            "Say what counts: the repository's recipe or the kept one",
        )
        .takes::<UseRecipe>()
        .gives_nothing()
        .refuses(&[(409, "no_recipe")])
        .refuses(PROJECT),
        get(
            "/api/v1/projects/{project}/recipe/revisions",
            "Revisions of a project's recipe, newest first",
        )
        .query::<PageQuery>()
        .gives_page::<RecipeRevision>()
        .refuses(PROJECT),
        get(
            "/api/v1/projects/{project}/recipe/revisions/{revision}",
            "A revision of a project's recipe",
        )
        .gives::<RecipeRevision>(200)
        .refuses(&[(404, "unknown_revision")])
        .refuses(PROJECT),
    ]
}

fn deploy_keys() -> Vec<Operation> {
    let path = "/api/v1/projects/{project}/deploy-key";
    vec![
        get(
            path,
            "The ssh key of a project's repository: its public half and known hosts",
        )
        .gives::<DeployKey>(200)
        .refuses(&[(404, "no_deploy_key")])
        .refuses(PROJECT),
        put(path, "Keep a key that is given, or other known hosts")
            .takes::<SetDeployKey>()
            .gives::<DeployKey>(200)
            .refuses(&[
                (404, "no_deploy_key"),
                (409, "no_secrets_key"),
                (422, "invalid_key"),
            ])
            .refuses(PROJECT),
        post(path, "Make a key, in place of one that is there")
            .takes::<MakeDeployKey>()
            .gives::<DeployKey>(200)
            .refuses(&[
                (404, "no_deploy_key"),
                (409, "no_secrets_key"),
                (422, "invalid_key"),
            ])
            .refuses(PROJECT),
        delete(path, "Take the key away")
            .gives_nothing()
            .refuses(&[(404, "no_deploy_key")])
            .refuses(PROJECT),
    ]
}

fn targets() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/status",
            "Targets with what is live on each of their hosts",
        )
        .query::<PageQuery>()
        .gives_page::<Target>(),
        get("/api/v1/targets", "The same as status")
            .query::<PageQuery>()
            .gives_page::<Target>(),
        post("/api/v1/targets", "Create a target")
            .takes::<NewTarget>()
            .gives::<Target>(201)
            .refuses(&[(404, "unknown_environment"), (409, "target_exists")])
            .refuses(PROJECT)
            .refuses(TARGET_RULES),
        get("/api/v1/targets/{target}", "A target")
            .gives::<Target>(200)
            .refuses(TARGET),
    ]
}

fn releases() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/projects/{project}/releases",
            "Releases of a project, newest first",
        )
        .query::<PageQuery>()
        .gives_page::<Release>()
        .refuses(PROJECT)
        .refuses(CURSOR),
        post(
            "/api/v1/projects/{project}/releases",
            "Build a release of a tag, branch or commit",
        )
        .takes::<NewRelease>()
        .gives::<Release>(202)
        .refuses(PROJECT)
        .refuses(REPOSITORY)
        .refuses(LOCKED),
        get(
            "/api/v1/projects/{project}/releases/{release}",
            "A release, by `#n`, label, number or commit",
        )
        .gives::<Release>(200)
        .refuses(PROJECT)
        .refuses(RELEASE),
        put(
            "/api/v1/projects/{project}/releases/{release}/pin",
            "Keep a release whatever happens, or let it go its way again",
        )
        .takes::<PinRequest>()
        .gives::<PinRequest>(200)
        .refuses(REASON)
        .refuses(&[(409, "not_pinned")])
        .refuses(PROJECT)
        .refuses(RELEASE),
        put(
            "/api/v1/projects/{project}/releases/{release}/marks/{mark}",
            "Say of a release in one word what gates may ask for",
        )
        .takes::<NewMark>()
        .gives::<NewMark>(200)
        .refuses(REASON)
        .refuses(&[(422, "invalid_evidence"), (422, "reserved_mark")])
        .refuses(PROJECT)
        .refuses(RELEASE)
        .refuses(DEAD_RELEASE),
        delete(
            "/api/v1/projects/{project}/releases/{release}/marks/{mark}",
            "Take a mark back",
        )
        .gives_nothing()
        .refuses(&[(409, "not_marked"), (422, "reserved_mark")])
        .refuses(PROJECT)
        .refuses(RELEASE),
    ]
}

fn contents() -> Vec<Operation> {
    let gone = &[(404, "object_missing"), (409, "release_not_built")];
    vec![
        get(
            "/api/v1/projects/{project}/releases/{release}/files",
            "Files and folders of a release, from its manifest",
        )
        .query::<FilesQuery>()
        .gives_page::<ReleaseFile>()
        .refuses(&[(404, "unknown_folder")])
        .refuses(gone)
        .refuses(PROJECT)
        .refuses(RELEASE)
        .refuses(CURSOR),
        get(
            "/api/v1/projects/{project}/releases/{release}/diff",
            "What files a release has added, removed and changed against another",
        )
        .query::<DiffQuery>()
        .gives::<ReleaseDiff>(200)
        .refuses(gone)
        .refuses(PROJECT)
        .refuses(RELEASE)
        .refuses(CURSOR),
        get(
            "/api/v1/projects/{project}/releases/{release}/diff/text",
            "How a small text of a release differs from another's",
        )
        .query::<TextQuery>()
        .gives::<TextChange>(200)
        .refuses(&[(404, "unknown_file"), (422, "file_too_large"), (422, "not_text")])
        .refuses(gone)
        .refuses(PROJECT)
        .refuses(RELEASE),
    ]
}
