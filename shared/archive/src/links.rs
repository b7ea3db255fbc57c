//! Where the symbolic links of a release lead.
//!
//! A check of the text alone is not enough: two links, each innocent, can lead out together. So every link is followed
//! the way the kernel would, through the other links of the same manifest. A link that ends nowhere, or in a circle, is
//! allowed; one that is absolute or climbs above the top of the release is refused, and so is one that enters a shared
//! folder and climbs out of it again, because on a host that is another place.
//!
//! This module never looks at a file system: the tree it judges is the manifest.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::manifest::{Entry, Kind};
use crate::path::ReleasePath;

/// Longest link text, in bytes: what the kernel accepts.
const MAX_TARGET_BYTES: usize = 4095;

/// The kernel follows 40 links in one path and then gives up, so what lies behind them is never reached.
const MAX_HOPS: usize = 40;

/// Refuses the first link of sorted `entries` that leaves the release, knowing that `shared` paths are links elsewhere.
pub(crate) fn check(entries: &[Entry], shared: &[ReleasePath]) -> Result<()> {
    let links: HashMap<&str, &str> = entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            Kind::Symlink { target } => Some((entry.path.as_str(), target.as_str())),
            Kind::File { .. } | Kind::Directory => None,
        })
        .collect();
    for entry in entries {
        let Kind::Symlink { target } = &entry.kind else {
            continue;
        };
        check_text(entry.path.as_str(), target)?;
        let leaves = |how| Error::LinkLeaves {
            path: entry.path.to_string(),
            target: target.clone(),
            how,
        };
        if target.starts_with('/') {
            return Err(leaves("is absolute"));
        }
        Walk {
            links: &HashMap::new(),
            shared: &[],
        }
        .follow(&entry.path, target)
        .map_err(leaves)?;
        Walk {
            links: &links,
            shared,
        }
        .follow(&entry.path, target)
        .map_err(leaves)?;
    }
    Ok(())
}

fn check_text(path: &str, target: &str) -> Result<()> {
    let fault = if target.is_empty() {
        "is empty"
    } else if target.len() > MAX_TARGET_BYTES {
        "is longer than 4095 bytes"
    } else if target.chars().any(char::is_control) {
        "has a control character"
    } else {
        return Ok(());
    };
    Err(Error::InvalidLink {
        path: path.to_owned(),
        fault,
    })
}

struct Walk<'a> {
    links: &'a HashMap<&'a str, &'a str>,
    shared: &'a [ReleasePath],
}

impl Walk<'_> {
    /// Follows `target` from the folder that holds `link`; the error says in words how it leaves.
    fn follow(&self, link: &ReleasePath, target: &str) -> Result<(), &'static str> {
        let mut place = link.parent().unwrap_or_default().to_owned();
        let mut ahead: Vec<&str> = target.rsplit('/').collect();
        let mut hops = 0;
        while let Some(step) = ahead.pop() {
            match step {
                "" | "." => {}
                ".." => self.climb(&mut place, hops > 0)?,
                name => {
                    let above = place.len();
                    if !place.is_empty() {
                        place.push('/');
                    }
                    place.push_str(name);
                    if let Some(next) = self.links.get(place.as_str()) {
                        hops += 1;
                        if hops > MAX_HOPS {
                            return Ok(());
                        }
                        if next.starts_with('/') {
                            return Err("leaves the release through another link");
                        }
                        place.truncate(above);
                        ahead.extend(next.rsplit('/'));
                    }
                }
            }
        }
        Ok(())
    }

    fn climb(&self, place: &mut String, through_links: bool) -> Result<(), &'static str> {
        if self.shared.iter().any(|shared| shared.as_str() == place.as_str()) {
            return Err("climbs out of a shared folder, which lies elsewhere on the hosts");
        }
        if place.is_empty() {
            let how = if through_links {
                "leaves the release through another link"
            } else {
                "leaves the release"
            };
            return Err(how);
        }
        place.truncate(place.rfind('/').unwrap_or(0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(pairs: &[(&str, &str)]) -> Vec<Entry> {
        let entry = |(path, target): &(&str, &str)| Entry {
            path: ReleasePath::new(*path).unwrap(),
            kind: Kind::Symlink {
                target: (*target).to_owned(),
            },
        };
        pairs.iter().map(entry).collect()
    }

    fn verdict(pairs: &[(&str, &str)], shared: &[&str]) -> Result<(), String> {
        let shared: Vec<_> = shared
            .iter()
            .map(|path| ReleasePath::new(*path).unwrap())
            .collect();
        check(&links(pairs), &shared).map_err(|error| error.to_string())
    }

    #[test]
    fn links_that_stay_inside_may_dangle_or_run_in_circles() {
        assert_eq!(verdict(&[("a/b/up", "../../missing/file")], &[]), Ok(()));
        assert_eq!(
            verdict(&[("self", "self"), ("x", "y"), ("y", "./x/.//")], &[]),
            Ok(())
        );
        assert_eq!(
            verdict(&[("a/back", ".."), ("a/b", "back/a/back/c")], &[]),
            Ok(())
        );
    }

    #[test]
    fn links_that_leave_are_refused() {
        assert!(
            verdict(&[("a", "/etc/passwd")], &[])
                .unwrap_err()
                .contains("is absolute")
        );
        assert!(
            verdict(&[("a", "..")], &[])
                .unwrap_err()
                .contains("leaves the release")
        );
        assert!(
            verdict(&[("a/b", "x/../../../y")], &[])
                .unwrap_err()
                .contains("leaves the release")
        );
        assert!(verdict(&[("a", "")], &[]).unwrap_err().contains("is empty"));
    }

    #[test]
    fn two_innocent_links_that_leave_together_are_refused() {
        // `deep/x` leads to the top; its text read from `a/b/c` would still stay inside.
        let chained = [("a/b/c", "../../deep/x/../y"), ("deep/x", "..")];
        assert!(
            verdict(&chained, &[])
                .unwrap_err()
                .contains("through another link")
        );
    }

    #[test]
    fn a_shared_folder_may_be_entered_but_not_left_upwards() {
        assert_eq!(
            verdict(&[("public/storage", "../storage/app/public")], &["storage"]),
            Ok(())
        );
        assert!(
            verdict(&[("x", "storage/../secret")], &["storage"])
                .unwrap_err()
                .contains("shared folder")
        );
    }
}
