//! What may be done, judged from the ledger's rows and the release's scripts before anything is touched.

use pointsman_shared::migration::{MigrationState, Script};
use pointsman_shared::outcome::Phase;
use pointsman_shared::wire::job::MigrationRef;

use super::ledger::Row;
use crate::step::Failure;

pub(super) fn refuse(code: &'static str, message: String) -> Failure {
    Failure::new(Phase::Migrate, code, message)
}

/// What is to be applied, in order: everything that was never begun, or of that the `wanted` ones.
pub(super) fn pending<'a>(
    scripts: &'a [Script],
    rows: &[Row],
    wanted: &[MigrationRef],
) -> Result<Vec<&'a Script>, Failure> {
    refuse_changed(scripts, rows)?;
    refuse_indeterminate(rows)?;
    let is_begun = |script: &&Script| rows.iter().any(|row| row.name == script.name);
    let pending: Vec<_> = scripts.iter().filter(|script| !is_begun(script)).collect();
    if wanted.is_empty() {
        return Ok(pending);
    }
    for one in wanted {
        let is_here = |script: &Script| script.name == one.name && script.checksum == one.checksum;
        if !scripts.iter().any(is_here) {
            let message = format!("the release has no migration {} with this content", one.name);
            return Err(refuse("migration_missing", message));
        }
    }
    let is_wanted = |script: &&Script| wanted.iter().any(|one| one.name == script.name);
    let mut left_out = None;
    let mut chosen = Vec::new();
    for script in pending {
        match (is_wanted(&script), left_out) {
            (true, None) => chosen.push(script),
            (true, Some(before)) => {
                let message = format!(
                    "{before} comes before {} and is not applied; apply it first, or all at once",
                    script.name
                );
                return Err(refuse("out_of_order", message));
            }
            (false, _) => left_out = left_out.or(Some(&script.name)),
        }
    }
    Ok(chosen)
}

fn refuse_changed(scripts: &[Script], rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        let script = scripts.iter().find(|script| script.name == row.name);
        let differs = |script: &&Script| row.checksum.is_some_and(|checksum| checksum != script.checksum);
        if let Some(script) = script.filter(differs) {
            let message = format!(
                "{} was applied with another content than this release has; give the old file its content back and \
                 put the change into a new migration",
                script.file()
            );
            return Err(refuse("migration_changed", message));
        }
    }
    Ok(())
}

fn refuse_indeterminate(rows: &[Row]) -> Result<(), Failure> {
    let Some(row) = rows.iter().find(|row| row.state == MigrationState::Indeterminate) else {
        return Ok(());
    };
    let message = format!(
        "{} was begun and nobody saw its end; look at the database, then mark it applied or pending",
        row.name
    );
    Err(refuse("migration_indeterminate", message))
}

/// Whether one may be taken back: the newest that is applied, and nothing else.
pub(super) fn revertible(rows: &[Row], wanted: &MigrationRef) -> Result<(), Failure> {
    refuse_indeterminate(rows)?;
    let name = &wanted.name;
    if !rows.iter().any(|row| row.name == *name) {
        return Err(refuse("not_applied", format!("{name} is not applied here")));
    }
    match rows.iter().rfind(|row| row.name > *name) {
        None => Ok(()),
        Some(newer) => {
            let message = format!("{} was applied after {name}; revert it first", newer.name);
            Err(refuse("not_newest", message))
        }
    }
}

/// A person may only speak about one whose end nobody saw.
pub(super) fn unfinished<'a>(rows: &'a [Row], wanted: &MigrationRef) -> Result<&'a Row, Failure> {
    let row = rows
        .iter()
        .find(|row| row.name == wanted.name && row.state == MigrationState::Indeterminate);
    row.ok_or_else(|| {
        let message = format!(
            "{} is not indeterminate: the ledger knows where it stands",
            wanted.name
        );
        refuse("not_indeterminate", message)
    })
}

/// The one migration that the order is about.
pub(super) fn only(migrations: &[MigrationRef]) -> Result<&MigrationRef, Failure> {
    match migrations {
        [one] => Ok(one),
        [] | [_, _, ..] => Err(refuse(
            "not_one",
            "the order must name exactly one migration".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pointsman_shared::digest::Digest;

    fn script(name: &str) -> Script {
        Script {
            name: name.parse().unwrap(),
            checksum: Digest::of(name.as_bytes()),
            down: None,
        }
    }

    fn row(name: &str, state: MigrationState) -> Row {
        Row {
            name: name.parse().unwrap(),
            checksum: Some(Digest::of(name.as_bytes())),
            state,
        }
    }

    fn wanted(name: &str) -> MigrationRef {
        MigrationRef {
            name: name.parse().unwrap(),
            checksum: Digest::of(name.as_bytes()),
        }
    }

    fn names(found: Result<Vec<&Script>, Failure>) -> Result<Vec<String>, &'static str> {
        let names = found.map(|scripts| scripts.iter().map(|script| script.name.to_string()).collect());
        names.map_err(|failure| failure.code)
    }

    #[test]
    fn what_was_never_begun_is_applied_in_order() {
        let scripts = [script("0001_a"), script("0002_b"), script("0003_c")];
        let rows = [row("0002_b", MigrationState::Applied)];
        let all = names(pending(&scripts, &rows, &[]));
        assert_eq!(all, Ok(vec!["0001_a".to_owned(), "0003_c".to_owned()]));
        let one = names(pending(&scripts, &rows, &[wanted("0001_a")]));
        assert_eq!(one, Ok(vec!["0001_a".to_owned()]));
        let none = names(pending(&scripts, &rows, &[wanted("0002_b")]));
        assert_eq!(none, Ok(Vec::new()));
        for (asked, code) in [("0003_c", "out_of_order"), ("0009_z", "migration_missing")] {
            assert_eq!(names(pending(&scripts, &rows, &[wanted(asked)])), Err(code));
        }
    }

    #[test]
    fn a_changed_or_unfinished_one_stops_everything() {
        let scripts = [script("0001_a"), script("0002_b")];
        let changed = Row {
            checksum: Some(Digest::of(b"other")),
            ..row("0001_a", MigrationState::Applied)
        };
        assert_eq!(
            names(pending(&scripts, &[changed], &[])),
            Err("migration_changed")
        );
        let rows = [row("0001_a", MigrationState::Indeterminate)];
        assert_eq!(
            names(pending(&scripts, &rows, &[])),
            Err("migration_indeterminate")
        );
        assert_eq!(
            unfinished(&rows, &wanted("0001_a")).map(|row| row.name.as_str()),
            Ok("0001_a")
        );
        let rows = [row("0001_a", MigrationState::Applied)];
        let settled = unfinished(&rows, &wanted("0001_a")).map_err(|failure| failure.code);
        assert_eq!(settled, Err("not_indeterminate"));
    }

    #[test]
    fn only_the_newest_is_taken_back() {
        let rows = [
            row("0001_a", MigrationState::Applied),
            row("0002_b", MigrationState::Applied),
        ];
        let code = |name| revertible(&rows, &wanted(name)).map_err(|failure| failure.code);
        assert_eq!(code("0002_b"), Ok(()));
        assert_eq!(code("0001_a"), Err("not_newest"));
        assert_eq!(code("0003_c"), Err("not_applied"));
    }
}
