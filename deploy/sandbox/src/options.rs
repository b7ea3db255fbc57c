//! What fleet to start.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fleet::Pace;
use crate::services::Services;

/// What fleet to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder; a temporary one, removed at the end, when not given.
    pub dir: Option<PathBuf>,
    /// Number of hosts: `web-1`, `web-2`, ...
    pub hosts: usize,
    /// Number of builders: `builder-1`, ...
    pub builders: usize,
    /// The roles that coordinators take, such as `http`; all when empty.
    pub roles: Vec<String>,
    /// Number of coordinators.
    pub coordinators: usize,
    /// The project that every host has a web server for.
    pub project: String,
    /// The folder of a release that web servers show, such as `dist`; the release itself when not given.
    pub public: Option<PathBuf>,
    /// How fast the fleet lives.
    pub pace: Pace,
    /// Commands beyond the release's own that recipes may run on hosts.
    pub hooks: Vec<Vec<String>>,
    /// The git program; the one on the path when not given.
    pub git: Option<PathBuf>,
    /// Servers of git repositories that coordinators and builders may reach; all but inner ones when empty. What they
    /// need for that (`operator.gitconfig`, `known_hosts`, `id`) lies in the folder `git`.
    pub git_hosts: Vec<String>,
    /// Services that other fleets use, too; services of its own when not given.
    pub services: Option<Arc<Services>>,
    /// Whether coordinators and services of its own speak TLS, with a CA of the sandbox's own.
    pub tls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dir: None,
            hosts: 3,
            builders: 1,
            roles: Vec::new(),
            coordinators: 1,
            project: "shop".to_owned(),
            public: None,
            pace: Pace::Real,
            hooks: Vec::new(),
            git: None,
            git_hosts: Vec::new(),
            services: None,
            tls: false,
        }
    }
}

impl Options {
    /// Three hosts in a temporary folder with times of seconds.
    #[must_use]
    pub fn for_testing() -> Self {
        Self {
            pace: Pace::Quick,
            ..Self::default()
        }
    }
}
