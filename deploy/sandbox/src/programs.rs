//! Where the programs are: the system's (PostgreSQL, RabbitMQ, git) and our own.
//!
//! Nothing is installed and nothing is asked for its version: `rabbitmq-server --version` would start a broker. Our own
//! programs are copied into the place when its user cannot run them where they were built (a home folder of root).

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::place::Place;

/// Debian's programs that the services consist of.
#[derive(Debug, Clone)]
pub struct System {
    /// The folder with `postgres` and `initdb`.
    pub postgres: PathBuf,
    /// The real broker script, not the wrapper in `/usr/sbin`, which insists on its own user.
    pub rabbitmq: PathBuf,
    /// Erlang's port mapper.
    pub epmd: PathBuf,
}

/// Our own programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    found: PathBuf,
    place: Place,
}

impl System {
    /// Finds them in the usual places and on the path.
    pub fn find() -> Result<Self> {
        Ok(Self {
            postgres: postgres_folder()?,
            rabbitmq: rabbitmq()?,
            epmd: on_path("epmd", APT)?,
        })
    }
}

const APT: &str =
    "install it with `apt-get install -y --no-install-recommends postgresql rabbitmq-server git`";

/// The newest server that the distribution installed; else the one on the path.
fn postgres_folder() -> Result<PathBuf> {
    let root = Path::new("/usr/lib/postgresql");
    let mut versions: Vec<(u32, PathBuf)> = fs_err::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            (folder.join("postgres").is_file() && folder.join("initdb").is_file())
                .then_some((version, folder))
        })
        .collect();
    versions.sort();
    if let Some((_, folder)) = versions.pop() {
        return Ok(folder);
    }
    let initdb = on_path("initdb", APT)?;
    let initdb = fs_err::canonicalize(initdb)?;
    initdb
        .parent()
        .map(Path::to_owned)
        .ok_or_else(|| Error::Unexpected("initdb lies nowhere".to_owned()))
}

fn rabbitmq() -> Result<PathBuf> {
    let script = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    if script.is_file() {
        return Ok(script);
    }
    Err(Error::Missing {
        program: "rabbitmq-server".to_owned(),
        looked: script.display().to_string(),
        remedy: APT.to_owned(),
    })
}

/// The first executable of that name on the caller's path.
pub fn on_path(program: &str, remedy: &str) -> Result<PathBuf> {
    let path = search_path();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Error::Missing {
            program: program.to_owned(),
            looked: path.to_string_lossy().into_owned(),
            remedy: remedy.to_owned(),
        })
}

/// The caller's `PATH`: build steps of the fleet find the tools that the caller would find.
pub fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

impl Binaries {
    /// Looks in `POINTSMAN_BIN_DIR`, else beside the running program (for a test: one folder up).
    pub fn find(place: &Place) -> Result<Self> {
        let found = match std::env::var_os("POINTSMAN_BIN_DIR") {
            Some(dir) => std::path::absolute(dir).map_err(Error::io("finding POINTSMAN_BIN_DIR"))?,
            None => beside_oneself()?,
        };
        Ok(Self {
            found,
            place: place.clone(),
        })
    }

    /// The path of one of our programs, at a place where the children's user can run it.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let found = self.found.join(name);
        if !found.is_file() {
            return Err(Error::Missing {
                program: name.to_owned(),
                looked: self.found.display().to_string(),
                remedy: "build it with `cargo build --workspace`, or name its folder in POINTSMAN_BIN_DIR"
                    .to_owned(),
            });
        }
        if self.place.run_as().can_run(&found) {
            return Ok(found);
        }
        let copy = self.place.folder("bin")?.join(name);
        if !copy.is_file() {
            // Copied under another name first: nobody ever runs half a program.
            let half = copy.with_extension("part");
            fs_err::copy(&found, &half)?;
            fs_err::set_permissions(&half, Permissions::from_mode(0o755))?;
            fs_err::rename(&half, &copy)?;
        }
        Ok(copy)
    }
}

fn beside_oneself() -> Result<PathBuf> {
    let itself = std::env::current_exe().map_err(Error::io("finding the running program"))?;
    let folder = itself.parent().unwrap_or(Path::new("/"));
    let folder = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    Ok(folder.to_owned())
}
