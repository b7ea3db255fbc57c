//! Listing a tree without following a link, folder by folder, through open folders only.
//!
//! The visitor decides what is entered. Names come as raw bytes, because a tree may hold names that no release may.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Dir, Mode, OFlags};

use crate::beneath::{Found, Tree, look_at};
use crate::error::{Error, Result};
use crate::path::{MAX_DEPTH, PathFault};
use crate::watch::Watch;

/// What to do with a folder that was just visited; has no meaning for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Into,
    Over,
}

/// Visits everything below the top of `tree`; folders before their content, names in no order.
pub(crate) fn walk(
    tree: &Tree,
    watch: &Watch<'_>,
    visit: &mut dyn FnMut(&[u8], Found) -> Result<Step>,
) -> Result<()> {
    Walker { tree, watch, visit }.folder(tree.top(), &mut Vec::new(), 1)
}

struct Walker<'a> {
    tree: &'a Tree,
    watch: &'a Watch<'a>,
    visit: &'a mut dyn FnMut(&[u8], Found) -> Result<Step>,
}

impl Walker<'_> {
    fn folder(&mut self, folder: BorrowedFd<'_>, path: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH + 1 {
            return Err(Error::InvalidPath {
                path: path.escape_ascii().to_string(),
                fault: PathFault::TooDeep,
            });
        }
        for name in self.names(folder, path)? {
            self.watch.check()?;
            let above = path.len();
            if above > 0 {
                path.push(b'/');
            }
            path.extend(name.as_bytes());
            let failed = |error| {
                Error::io(
                    "looking at",
                    self.tree.full(String::from_utf8_lossy(path).as_ref()),
                    error,
                )
            };
            let found = look_at(folder, name.as_c_str()).map_err(failed)?;
            let is_folder = matches!(found, Found::Directory { .. });
            if (self.visit)(path, found)? == Step::Into && is_folder {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let below =
                    rustix::fs::openat(folder, name.as_c_str(), flags, Mode::empty()).map_err(|error| {
                        Error::io(
                            "opening folder",
                            self.tree.full(String::from_utf8_lossy(path).as_ref()),
                            error,
                        )
                    })?;
                self.folder(below.as_fd(), path, depth + 1)?;
            }
            path.truncate(above);
        }
        Ok(())
    }

    fn names(&self, folder: BorrowedFd<'_>, path: &[u8]) -> Result<Vec<CString>> {
        let failed = |error| {
            Error::io(
                "listing",
                self.tree.full(String::from_utf8_lossy(path).as_ref()),
                error,
            )
        };
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                names.push(entry.file_name().to_owned());
            }
        }
        Ok(names)
    }
}
