//! The environment of our own processes in a sandbox: nothing of the caller's but the search path and what to log.

use std::ffi::OsString;

use crate::place::Place;
use crate::programs::search_path;

/// Variables for a coordinator or an agent. Home and temporary folder lie in the place, so that nothing is written
/// elsewhere.
pub(super) fn environment(place: &Place) -> Vec<(String, OsString)> {
    let mut env = vec![
        ("PATH".to_owned(), search_path()),
        ("HOME".to_owned(), place.path("home").into()),
        ("TMPDIR".to_owned(), place.path("tmp").into()),
        ("LANG".to_owned(), "C.UTF-8".into()),
        // Their talk goes to log files.
        ("NO_COLOR".to_owned(), "1".into()),
    ];
    for name in ["RUST_LOG", "RUST_BACKTRACE"] {
        env.extend(std::env::var_os(name).map(|value| (name.to_owned(), value)));
    }
    env
}
