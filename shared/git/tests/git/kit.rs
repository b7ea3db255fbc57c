//! Real repositories in folders of their own, and the comparison with what `git ls-tree` says.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pointsman_git::{Mirror, Stop, Transport};
use pointsman_shared::repository::{CommitId, GitRef, RepositoryUrl};
use tempfile::TempDir;

/// Every `git` program of this machine that the tests must pass with.
pub fn gits() -> Vec<PathBuf> {
    let mut gits: Vec<PathBuf> = ["/usr/local/bin/git", "/usr/bin/git"]
        .iter()
        .map(PathBuf::from)
        .filter(|git| git.exists())
        .collect();
    gits.dedup();
    assert!(!gits.is_empty(), "the tests need git");
    gits
}

/// A source repository, and room for a mirror and checkouts.
pub struct World {
    pub folder: TempDir,
    pub git: PathBuf,
}

/// A tree entry for [`World::commit`]: mode, path as bytes, content (or commit id of a gitlink).
pub type Entry<'a> = (&'a str, &'a [u8], &'a [u8]);

impl World {
    pub fn new(git: &Path) -> Self {
        let world = Self {
            folder: TempDir::new().expect("a folder"),
            git: git.to_owned(),
        };
        world.run(&["init", "--quiet", "--initial-branch=main", "."]);
        world
    }

    pub fn source(&self) -> PathBuf {
        let source = self.folder.path().join("source");
        fs_err::create_dir_all(&source).expect("a folder");
        source
    }

    pub fn run(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.feed(&self.source(), arguments, b""))
            .expect("text")
            .trim()
            .to_owned()
    }

    pub fn feed(&self, folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new(&self.git)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs([
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
                ("HOME", "/nonexistent"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
            ])
            .envs([
                ("GIT_AUTHOR_NAME", "Ada"),
                ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "Bob"),
                ("GIT_COMMITTER_EMAIL", "bob@example.org"),
            ])
            .envs([
                ("GIT_AUTHOR_DATE", "1700000000 +0000"),
                ("GIT_COMMITTER_DATE", "1700000100 +0000"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let feeding = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("git ends");
        feeding.join().expect("no panic").expect("git reads its input");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// Writes a tree without any filter, commits it on top of `main` and returns the commit.
    pub fn commit(&self, subject: &str, entries: &[Entry<'_>]) -> CommitId {
        let mut index = Vec::new();
        for (mode, path, content) in entries {
            let object = if *mode == "160000" {
                content.to_vec()
            } else {
                let id = self.feed(
                    &self.source(),
                    &["hash-object", "-w", "--no-filters", "--stdin"],
                    content,
                );
                id.trim_ascii().to_vec()
            };
            index.extend([mode.as_bytes(), b" ", &object, b"\t", path, b"\0"].concat());
        }
        self.run(&["read-tree", "--empty"]);
        self.feed(
            &self.source(),
            &[
                "-c",
                "core.protectNTFS=false",
                "update-index",
                "-z",
                "--index-info",
            ],
            &index,
        );
        self.run(&["commit", "--quiet", "--allow-empty", "-m", subject]);
        self.head()
    }

    /// A commit with one small file.
    pub fn simple(&self, content: &str) -> CommitId {
        self.commit(content, &[("100644", b"file", content.as_bytes())])
    }

    pub fn head(&self) -> CommitId {
        commit(&self.run(&["rev-parse", "HEAD"]))
    }

    pub fn url(&self) -> RepositoryUrl {
        self.source().to_str().expect("text").parse().expect("a path")
    }

    pub fn transport(&self) -> Transport {
        Transport {
            git: self.git.clone(),
            allow_file: true,
            hosts: Vec::new(),
            home: self.folder.path().join("home"),
            key: None,
            timeout: Duration::from_mins(2),
            stop: Stop::default(),
        }
    }

    pub fn mirror_folder(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    pub fn repository(&self) -> PathBuf {
        self.mirror_folder().join("repository.git")
    }

    pub fn mirror(&self) -> Mirror {
        self.mirror_with(&self.transport())
    }

    pub fn mirror_with(&self, transport: &Transport) -> Mirror {
        Mirror::open(&self.mirror_folder(), &self.url(), transport).expect("allowed")
    }

    pub fn fetched(&self) -> Mirror {
        let mirror = self.mirror();
        mirror.fetch().expect("fetches");
        mirror
    }

    pub fn destination(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    /// An executable script that can stand for the `git` program.
    pub fn script(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("git-script");
        fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writes");
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
        path
    }

    /// What `git ls-tree -rtz` says of a commit: path -> (mode, blob).
    pub fn listed(&self, repository: &Path, tree: &str) -> BTreeMap<Vec<u8>, (String, String)> {
        let output = self.feed(repository, &["ls-tree", "-rtz", tree], b"");
        let mut listed = BTreeMap::new();
        for line in output.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t').expect("a tab");
            let head = std::str::from_utf8(&line[..tab]).expect("text");
            let mut words = head.split(' ');
            let (mode, kind, id) = (words.next(), words.next(), words.next());
            let id = if kind == Some("blob") {
                id.expect("an id")
            } else {
                ""
            };
            listed.insert(
                line[tab + 1..].to_vec(),
                (mode.expect("a mode").to_owned(), id.to_owned()),
            );
        }
        listed
    }

    /// The same of a folder on disk; an empty folder is a gitlink, as git has no other.
    pub fn found(&self, folder: &Path) -> BTreeMap<Vec<u8>, (String, String)> {
        let (mut found, mut files) = (BTreeMap::new(), Vec::new());
        let mut waiting = vec![folder.to_owned()];
        while let Some(next) = waiting.pop() {
            for entry in fs_err::read_dir(&next).expect("reads") {
                let path = entry.expect("an entry").path();
                let name = path
                    .strip_prefix(folder)
                    .expect("below")
                    .as_os_str()
                    .as_bytes()
                    .to_vec();
                let metadata = fs_err::symlink_metadata(&path).expect("exists");
                if metadata.is_dir() {
                    let empty = fs_err::read_dir(&path).expect("reads").next().is_none();
                    let mode = if empty { "160000" } else { "040000" };
                    found.insert(name, (mode.to_owned(), String::new()));
                    waiting.push(path);
                } else if metadata.is_symlink() {
                    let text = fs_err::read_link(&path).expect("a link");
                    let id = self.feed(
                        &self.source(),
                        &["hash-object", "--stdin"],
                        text.as_os_str().as_bytes(),
                    );
                    let id = String::from_utf8(id).expect("an id").trim().to_owned();
                    found.insert(name, ("120000".to_owned(), id));
                } else {
                    let mode = format!("{:o}", metadata.permissions().mode());
                    assert!(
                        ["100644", "100755"].contains(&mode.as_str()),
                        "{} has mode {mode}",
                        path.display()
                    );
                    files.push((name, path, mode));
                }
            }
        }
        let paths = files
            .iter()
            .map(|(_, path, _)| path.as_os_str().as_bytes())
            .collect::<Vec<_>>()
            .join(&b'\n');
        let ids = self.feed(
            &self.source(),
            &["hash-object", "--no-filters", "--stdin-paths"],
            &paths,
        );
        let ids = String::from_utf8(ids).expect("ids");
        for ((name, _, mode), id) in files.into_iter().zip(ids.lines()) {
            found.insert(name, (mode, id.to_owned()));
        }
        found
    }
}

pub fn commit(text: &str) -> CommitId {
    text.parse().expect("a commit id")
}

pub fn reference(text: &str) -> GitRef {
    text.parse().expect("a ref")
}
