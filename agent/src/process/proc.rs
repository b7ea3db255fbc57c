//! What `/proc` says about a process: start time, group and session.
//!
//! The start time makes a process id unmistakable: an id can be used again within one boot, the pair cannot.

use rustix::process::Pid;

/// The parts of `/proc/<pid>/stat` we need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Ended, but not reaped.
    pub(super) zombie: bool,
    /// Process group.
    pub(super) group: i32,
    /// Session.
    pub(super) session: i32,
    /// Clock ticks between boot and its start.
    pub(super) started: u64,
}

/// Reads one process; none when it is gone.
pub(super) fn stat(pid: Pid) -> Option<Stat> {
    parse(&fs_err::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

/// Every process of the machine that can be read.
pub(super) fn all() -> Vec<Stat> {
    let Ok(entries) = fs_err::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<i32>().ok())
        })
        .filter_map(Pid::from_raw)
        .filter_map(stat)
        .collect()
}

/// The kernel's id of this boot; empty when it cannot be read.
pub(super) fn boot_id() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Fields are counted from behind the last `)`: the name before it may hold anything, blanks and parentheses too.
fn parse(text: &str) -> Option<Stat> {
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = fields.next()?;
    let _parent = fields.next()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    Some(Stat {
        zombie: matches!(state, "Z" | "X"),
        group,
        session,
        started,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_move_the_fields() {
        let line = "42 (a) Z 1 (b) S 1 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 11";
        assert_eq!(
            parse(line),
            Some(Stat {
                zombie: false,
                group: 42,
                session: 41,
                started: 987_654
            })
        );
        assert_eq!(parse("42 (cut"), None);
    }

    #[test]
    fn this_process_is_found() {
        let me = stat(rustix::process::getpid()).unwrap();
        assert!(!me.zombie && me.started > 0);
        assert!(all().contains(&me));
    }
}
