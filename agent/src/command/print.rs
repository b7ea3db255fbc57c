//! Lines for people on standard output; a closed pipe is an error like any other.

use std::io::Write as _;

pub(super) fn line(text: impl AsRef<str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.as_ref())?;
    out.flush()
}
