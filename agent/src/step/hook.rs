//! Commands of a recipe that run on a host - hooks, health checks, a project's migration tool - and which of them may.
//!
//! A command is either one that the host's policy lists, word for word, or a program of the release itself. The
//! policy is asked after variables are in place, so that a variable cannot make another command of a listed one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::policy::{Policy, PolicyRefusal};

/// The argv to run, with the program of a release as an absolute path.
pub(super) fn resolve(
    policy: &Policy,
    release: &Path,
    argv: &[String],
) -> Result<Vec<String>, PolicyRefusal> {
    if policy.allows_hook(argv) {
        return Ok(argv.to_vec());
    }
    let refused = || policy.refuse_hook(argv);
    let (program, arguments) = argv.split_first().ok_or_else(refused)?;
    let path = program_of(release, program).ok_or_else(refused)?;
    let mut resolved = vec![path.display().to_string()];
    resolved.extend_from_slice(arguments);
    Ok(resolved)
}

/// A relative path that leads to an executable file inside the release, through links too. A shared file is not one: it
/// does not belong to what was built and signed.
fn program_of(release: &Path, program: &str) -> Option<PathBuf> {
    if program.is_empty() || program.starts_with('/') {
        return None;
    }
    let path = release.join(program);
    let (inside, real) = (
        fs_err::canonicalize(release).ok()?,
        fs_err::canonicalize(&path).ok()?,
    );
    let metadata = fs_err::metadata(&real).ok()?;
    let executable = metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    (real.starts_with(inside) && executable).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_programs_of_the_release_and_listed_commands_run() {
        let folder = tempfile::tempdir().unwrap();
        let release = folder.path().join("releases/000001-aaaaaaaaaaaa");
        fs_err::create_dir_all(release.join("bin")).unwrap();
        for (path, mode) in [
            ("bin/warm", 0o755),
            ("bin/readme", 0o644),
            ("../../outside", 0o755),
        ] {
            fs_err::write(release.join(path), "").unwrap();
            fs_err::set_permissions(release.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("warm", release.join("bin/alias")).unwrap();
        symlink("../../../outside", release.join("bin/leak")).unwrap();
        let policy = Policy::built_in(Path::new("/etc/pointsman/policy.toml"));
        let run = |program: &str| resolve(&policy, &release, &[program.to_owned(), "x".to_owned()]);
        assert_eq!(
            run("bin/warm").unwrap(),
            [release.join("bin/warm").display().to_string(), "x".to_owned()]
        );
        assert!(run("bin/alias").is_ok());
        for refused in [
            "bin/readme",
            "bin/leak",
            "../../outside",
            "/bin/sh",
            "sh",
            "bin",
            "",
            "bin/none",
        ] {
            assert!(run(refused).is_err(), "{refused}");
        }
    }
}
