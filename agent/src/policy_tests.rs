//! What a host policy lets through, and how its mistakes read.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse(Path::new("/etc/pointsman/policy.toml"), text).map_err(|error| error.to_string())
}

fn root(path: &str) -> RootPath {
    path.parse().unwrap()
}

fn install(root: &str, bytes: u64) -> JobBody {
    let zeros = "0".repeat(64);
    let id = "0198c0de-0000-7000-8000-000000000001";
    let body = serde_json::json!({
        "v": 1, "job": id, "number": 7, "installation": "main", "audience": {"host": "web01"},
        "project": "shop", "project_id": id, "environment": "production", "target_id": id, "deployment": null,
        "inputs": [],
        "order": {
            "kind": "install", "placement": id, "root": root, "release": id, "folder": "000042-000000000000",
            "manifest": zeros, "archive": zeros, "packing": zeros, "archive_bytes": 1, "total_bytes": bytes,
            "entries": 3, "shared": [], "log_stream": id,
        },
    });
    serde_json::from_value(body).unwrap()
}

#[test]
fn without_a_file_releases_below_srv_are_allowed_and_builds_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy::load(&folder.path().join("policy.toml"), PolicyOwner::Root).unwrap();
    assert_eq!(policy.check(&install("/srv/shop", 1)), Ok(()));
    assert!(policy.check(&install("/srv", 1)).is_err());
    assert!(policy.check(&install("/srv/a/b", 1)).is_err());
    assert!(policy.check(&install("/etc/shop", 1)).is_err());
    assert!(!policy.content.builds);
    assert!(!policy.allows_hook(&["sudo".to_owned(), "reboot".to_owned()]));
}

#[test]
fn refusals_say_which_key_to_change() {
    let policy = parse("projects = [\"blog\"]\nroots = [\"/srv/**\"]\nmax_release_bytes = 10").unwrap();
    let refusal = policy.check(&install("/srv/shop", 1)).unwrap_err();
    insta::assert_snapshot!(refusal, @"the host policy /etc/pointsman/policy.toml does not list the project shop; add it to `projects`");
    let policy = parse("max_release_bytes = 10").unwrap();
    let refusal = policy.check(&install("/srv/shop", 11)).unwrap_err();
    insta::assert_snapshot!(refusal, @"the host policy /etc/pointsman/policy.toml allows 10 bytes a release, this one has 11; raise `max_release_bytes` or make the release smaller");
    let policy = parse("kinds = [\"activate\"]").unwrap();
    let refusal = policy.check(&install("/srv/shop", 1)).unwrap_err();
    insta::assert_snapshot!(refusal, @"the host policy /etc/pointsman/policy.toml does not allow install here; add it to `kinds`");
}

#[test]
fn mistakes_name_their_line() {
    insta::assert_snapshot!(parse("builds = true\nhoks = []\n").unwrap_err(), @"the host policy /etc/pointsman/policy.toml, line 2: unknown field `hoks`, expected one of `kinds`, `builds`, `projects`, `roots`, `repositories`, `hooks`, `max_release_bytes`, `max_release_entries`");
    insta::assert_snapshot!(parse("builds = 7").unwrap_err(), @"the host policy /etc/pointsman/policy.toml, line 1: invalid type: integer `7`, expected a boolean");
    insta::assert_snapshot!(parse("\n\nkinds = [\"install\", \"build\"]").unwrap_err(), @"the host policy /etc/pointsman/policy.toml, line 3: `build` is not listed among `kinds`; write `builds = true`");
    insta::assert_snapshot!(parse("roots = [\n\"/srv/*\",\n\"srv\"]").unwrap_err(), @r#"the host policy /etc/pointsman/policy.toml, line 3: the root "srv" must be an absolute path without `..`"#);
    insta::assert_snapshot!(parse("kinds = [\"fly\"]").unwrap_err(), @"the host policy /etc/pointsman/policy.toml, line 1: unknown variant `fly`, expected one of `build`, `install`, `activate`, `rollback`, `migrate`, `collect_garbage`");
}

#[test]
fn hooks_are_compared_whole() {
    let policy = parse("hooks = [[\"sudo\", \"systemctl\", \"reload\", \"php8.2-fpm\"]]").unwrap();
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert!(policy.allows_hook(&argv(&["sudo", "systemctl", "reload", "php8.2-fpm"])));
    assert!(!policy.allows_hook(&argv(&["sudo", "systemctl", "reload"])));
    assert!(!policy.allows_hook(&argv(&["sudo", "systemctl", "reload", "php8.2-fpm", "--now"])));
    insta::assert_snapshot!(policy.refuse_hook(&argv(&["sudo", "reboot"])), @r#"the host policy /etc/pointsman/policy.toml does not list the command ["sudo", "reboot"], and the release has no such program; add `["sudo", "reboot"]` to `hooks`, or make its first word a file of the release"#);
}

#[test]
fn patterns_match_name_by_name() {
    for (pattern, text, expected) in [
        ("/srv/*", "/srv/shop", true),
        ("/srv/*", "/srv/shop/a", false),
        ("/srv/**", "/srv/shop/a", true),
        ("/srv/**", "/srv", false),
        ("/srv/shop", "/srv/shop", true),
        ("/srv/shop", "/srv/shop2", false),
        (
            "https://git.example.org/**",
            "https://git.example.org/team/shop",
            true,
        ),
        (
            "https://git.example.org/**",
            "https://git.example.org.evil.com/shop",
            false,
        ),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
    assert!(parse("").unwrap().check_root(&root("/srv/shop")).is_ok());
}

#[test]
fn a_file_that_others_may_write_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs_err::write(&path, "builds = true").unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    let error = Policy::load(&path, PolicyOwner::RootOrAgent).unwrap_err();
    assert!(matches!(error, PolicyError::NotTrusted { .. }), "{error}");
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        Policy::load(&path, PolicyOwner::RootOrAgent)
            .unwrap()
            .content
            .builds
    );
}
