//! Every bug of RDS has its test: the table in `tests/RDS.md` names them, and this one looks that they are there.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// The bugs that reading RDS showed.
const BUGS: u32 = 21;

/// The tests that the table names, by bug.
fn table(text: &str) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let rows = text.lines().filter(|line| line.starts_with("| B"));
    rows.map(|row| {
        let bug = row.split('|').nth(1).unwrap_or_default().trim();
        let quoted = row.split('`').skip(1).step_by(2);
        (bug, quoted.filter_map(|test| test.split_once("::")).collect())
    })
    .collect()
}

#[test]
fn every_bug_of_rds_has_a_test_that_exists() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs_err::read_to_string(root.join("tests/RDS.md"))?;
    let table = table(&text);
    for bug in (1..=BUGS).map(|number| format!("B{number}")) {
        let tests = table
            .get(bug.as_str())
            .with_context(|| format!("{bug} is not in the table"))?;
        ensure!(!tests.is_empty(), "{bug} names no test");
        for (file, name) in tests {
            let source = fs_err::read_to_string(root.join(file))?;
            let at = source
                .find(&format!("fn {name}("))
                .with_context(|| format!("{bug}: {file} has no {name}"))?;
            let before: Vec<&str> = source[..at].lines().rev().take(3).collect();
            let is_test = before
                .iter()
                .any(|line| line.contains("#[test]") || line.contains("#[tokio::test"));
            ensure!(
                is_test || source.contains("proptest!"),
                "{bug}: {name} in {file} is no test"
            );
        }
    }
    Ok(())
}
