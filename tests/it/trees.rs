//! Without a recipe the commit's tree is the release: byte for byte, link for link, executable bit for bit.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use pointsman_sandbox::Options;
use pointsman_shared::api::deployments::DeploymentState;
use pointsman_tests::world::shared;
use pointsman_tests::{Repository, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_without_a_recipe_arrives_as_git_stores_it() -> Result<()> {
    let world = World::start_with(Options {
        hosts: 2,
        ..shared().await?
    })
    .await?;
    fill_with_nasty_names(&world.repository)?;
    world.has_target(json!({})).await?;
    world.builds("nasty").await?;
    let deployment = world.deploys("nasty").await?;
    assert_eq!(deployment.state, DeploymentState::Live, "{deployment:#?}");

    let stored = as_git_stores_it(&world.repository, "nasty")?;
    assert!(stored.len() > 10);
    for host in ["web-1", "web-2"] {
        let current = fs_err::canonicalize(world.sandbox.root(host, "shop")?.join("current"))?;
        assert_eq!(as_it_lies(&current)?, stored, "{host}");
    }
    Ok(())
}

fn fill_with_nasty_names(repository: &Repository) -> Result<()> {
    repository
        .write("plain.txt", "plain\n")?
        .write("with space/and umlaut ü.txt", "ü\n")?
        .write("Case", "upper")?
        .write("case", "lower")?
        .write("empty", "")?
        .write("deep/er/and/deep/er/file", "deep")?
        .write(
            ".gitattributes",
            "ignored export-ignore\n*.txt text eol=crlf\n$id ident\n",
        )?
        .write("ignored", "still here")?
        .write("crlf.txt", "one\ntwo\n")?
        .script("bin/run", "#!/bin/sh\necho run\n")?;
    let folder = repository.folder();
    fs_err::os::unix::fs::symlink("plain.txt", folder.join("link"))?;
    fs_err::os::unix::fs::symlink("nowhere", folder.join("dangling"))?;
    fs_err::os::unix::fs::symlink("../plain.txt", folder.join("bin/up"))?;
    repository.git(&["add", "--all"])?;
    // A gitlink: a commit of another repository, which a release shows as an empty folder.
    let gitlink = "160000,0123456789abcdef0123456789abcdef01234567,submodule";
    repository.git(&["update-index", "--add", "--cacheinfo", gitlink])?;
    repository.git(&["commit", "--quiet", "-m", "Nasty names"])?;
    repository.git(&["tag", "nasty"])?;
    Ok(())
}

/// What is at a path: mode as git writes it, and content.
type Tree = BTreeMap<Vec<u8>, (String, Vec<u8>)>;

fn as_git_stores_it(repository: &Repository, reference: &str) -> Result<Tree> {
    let mut tree = Tree::new();
    for entry in repository
        .git(&["ls-tree", "-rz", reference])?
        .split(|byte| *byte == 0)
        .filter(|e| !e.is_empty())
    {
        let tab = entry.iter().position(|byte| *byte == b'\t').context("a tab")?;
        let head = std::str::from_utf8(&entry[..tab])?.split(' ').collect::<Vec<_>>();
        let content = if head[0] == "160000" {
            Vec::new()
        } else {
            repository.git(&["cat-file", "blob", head[2]])?
        };
        tree.insert(entry[tab + 1..].to_vec(), (head[0].to_owned(), content));
    }
    Ok(tree)
}

fn as_it_lies(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries: Vec<_> = fs_err::read_dir(&folder)?.collect::<std::io::Result<_>>()?;
        let name =
            |path: &Path| Ok::<_, anyhow::Error>(path.strip_prefix(root)?.as_os_str().as_bytes().to_vec());
        if entries.is_empty() {
            tree.insert(name(&folder)?, ("160000".to_owned(), Vec::new()));
        }
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                let target = fs_err::read_link(&path)?.as_os_str().as_bytes().to_vec();
                tree.insert(name(&path)?, ("120000".to_owned(), target));
            } else {
                let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
                let mode = if executable { "100755" } else { "100644" };
                tree.insert(name(&path)?, (mode.to_owned(), fs_err::read(&path)?));
            }
        }
    }
    Ok(tree)
}
